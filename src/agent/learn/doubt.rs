//! A 401 to the device's key. It is believed only when `device/info` says it too, and the key in the
//! vault is still the one it was said of.

use super::info::{believe, if_writable, take_in};
use crate::agent::core::Core;
use crate::agent::device_api::{self, KeyVerdict};
use crate::agent::error::AgentError;
use crate::agent::record::Device;
use crate::agent::state::{KeyWord, Operation, State};
use crate::secret::Secret;
use crate::vault::Vault;
use crate::wire::Problem;

/// What is known after a 401 was looked into.
pub(in crate::agent) enum AfterDoubt {
    /// The vault holds another key than the one that was refused.
    OtherKey,
    /// The server takes the key, and so the 401 was about something else.
    KeyWorks,
}

/// Looks into a 401 that a call with `key` got. What is believed is the error, and in the vault
/// afterwards, if that can be written.
pub(in crate::agent) async fn doubt(
    core: &Core,
    key: &Secret,
    problem: &Problem,
) -> Result<AfterDoubt, AgentError> {
    let _lock = if_writable(core.lock().await)?;
    let vault = Vault::look(&core.folder)?.ok_or(AgentError::NotEnrolled)?;
    let device = Device::load(&vault)?;
    let Some(identity) = device.identity.as_ref().filter(|_| device.has_key()) else {
        return Err(AgentError::unusable(&device));
    };
    // Another process may have replaced it, or may have been about to.
    let may_be_replaced = device.situation().pending == Some(Operation::Roll);
    if may_be_replaced || identity.key(&vault)?.expose() != key.expose() {
        return Ok(AfterDoubt::OtherKey);
    }
    // A reader would keep the log from being emptied.
    drop(vault);
    let client = core.clients.with_kept(&device.trust)?;
    let (word, error) = match device_api::check_key(&client, identity, key, Some(problem)).await {
        KeyVerdict::Works(info) => {
            if_writable(take_in(core, &device, identity, &info))?;
            return Ok(AfterDoubt::KeyWorks);
        }
        KeyVerdict::Revoked => (
            KeyWord::Revoked,
            AgentError::Revoked(Box::new(identity.clone())),
        ),
        KeyVerdict::Rejected(problem) => (
            KeyWord::Rejected,
            AgentError::Rejected {
                server: identity.server.to_string(),
                problem,
            },
        ),
        KeyVerdict::Unclear(error) => return Err(error),
    };
    if_writable(believe(core, &device, word))?;
    match device.situation().heard(word).standing {
        State::AnswerLost => Err(AgentError::unusable(&device)),
        _ => Err(error),
    }
}
