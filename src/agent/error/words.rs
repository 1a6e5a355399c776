//! How an operation or a call goes on after an error, as its words say.

use crate::agent::client::SendError;
use crate::agent::state::Operation;

pub(super) fn failure(operation: Option<Operation>) -> &'static str {
    operation.map_or("the request was not answered", Operation::failure)
}

/// How it goes on without an answer. What a person has to mend first is not tried again before.
pub(super) fn after(
    operation: Option<Operation>,
    pending: bool,
    source: &SendError,
) -> &'static str {
    match source {
        SendError::Certificate { .. } | SendError::Clock if !pending => "; nothing was sent",
        _ => go_on(operation, pending),
    }
}

pub(super) fn through(proxy: &Option<String>) -> String {
    proxy
        .as_ref()
        .map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"))
}

pub(super) fn go_on(operation: Option<Operation>, pending: bool) -> &'static str {
    match operation {
        Some(_) if pending => "; nothing is lost",
        Some(_) => "; nothing was sent",
        None => "",
    }
}

pub(super) fn still_begun(pending: bool) -> &'static str {
    if pending {
        "; an earlier try may have been done, so it stays begun"
    } else {
        ""
    }
}

pub(super) fn unwanted(is_revoked: bool) -> &'static str {
    match is_revoked {
        true => "; that device is revoked again",
        false => {
            "; that device is used for nothing and is to be revoked, which is tried again with the same code"
        }
    }
}

pub(super) fn answer_lost(operation: Operation, server: &str) -> String {
    let what = match operation {
        Operation::Initialize => "redeemed this device's initialization token",
        _ => "replaced this device's key",
    };
    format!("{server} has {what}, its answer with the key never arrived, and it does not repeat it")
}
