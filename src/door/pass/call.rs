//! What a program asks for, and whether it may.

use hyper::Method;
use hyper::header::{AsHeaderName, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use hyper::http::request::Parts;

use crate::agent::ApiRequest;
use crate::door::inside::Inside;
use crate::door::refusal::Refusal;
use crate::secret::Secret;
use crate::security_profile;
use crate::wire::{self, IDEMPOTENCY_HEADER};

/// What has to be known of a request when its answer is there.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// Whether the answer has the key, which is not handed on.
    pub(super) is_info: bool,
    /// Whether it is asked for the head of an answer alone.
    pub(super) is_head: bool,
}

/// Refuses what the door or the device's security profile does not allow.
pub(super) fn refuse(inside: &Inside, head: &Parts) -> Result<(), Refusal> {
    let (method, path) = (head.method.as_str(), head.uri.path());
    let allowed = inside.allowed();
    if !allowed.allows(method, path) {
        return Err(Refusal::NotAllowed(format!("{method} {path}")));
    }
    inside.feed.look_at(|standing| {
        let profile = standing.security_profile().filter(|profile| {
            !allowed.is_of_profile(profile)
                && security_profile::known(profile).is_some()
                && !security_profile::allows(profile, method, path)
        });
        match profile {
            None => Ok(()),
            Some(profile) => Err(Refusal::Profile {
                profile: profile.to_owned(),
                request: format!("{method} {path}"),
            }),
        }
    })
}

/// The call of the API that it is.
pub(super) fn of(head: &Parts) -> (ApiRequest, Asked) {
    let path = head.uri.path();
    let target = head.uri.path_and_query();
    let target = target.map_or(path, |whole| whole.as_str());
    let key = text(&head.headers, IDEMPOTENCY_HEADER);
    let call = ApiRequest {
        method: head.method.as_str().to_owned(),
        path: target.trim_start_matches('/').to_owned(),
        body: Vec::new(),
        content_type: text(&head.headers, CONTENT_TYPE).map(str::to_owned),
        headers: handed_on(&head.headers),
        idempotency_key: key.map(|key| Secret::new(key.to_owned())),
        once: false,
        time_limit: None,
        read_timeout: None,
    };
    let asked = Asked {
        is_info: path.strip_prefix('/') == Some(wire::path::INFO),
        is_head: head.method == Method::HEAD,
    };
    (call, asked)
}

/// How long the body is said to be.
pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    text(headers, CONTENT_LENGTH)?.parse().ok()
}

/// What a program says that is for the server: nothing that the agent or a connection is in charge of.
fn handed_on(headers: &HeaderMap) -> Vec<(String, String)> {
    let may_be = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        ApiRequest::may_have(name.as_str()).then(|| (name.to_string(), value.to_owned()))
    });
    may_be.collect()
}

fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
