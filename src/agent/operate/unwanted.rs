//! A code that led to a device of an organizer that is not allowed here: that device's access is ended,
//! and the code is not sent again.

use std::time::Duration;

use super::replaced::{Ended, revoke_replaced};
use crate::agent::core::Core;
use crate::agent::error::AgentError;
use crate::agent::record::{Identity, ToRevoke, TurnedAway};
use crate::enrolment::Enrolment;
use crate::vault::{ChangeLock, Vault};

/// What is told of an enrolment that failed, once a device that is not wanted here was revoked.
pub(super) async fn revoked(
    core: &Core,
    lock: &ChangeLock,
    error: AgentError,
    patience: Option<Duration>,
) -> AgentError {
    let AgentError::OtherOrganizer { device, .. } = error else {
        return error;
    };
    let over = revoke_replaced(core, lock, patience).await;
    let is_it = |one: &Identity| one.context() == device.context();
    let is_revoked = over
        .iter()
        .any(|(one, ended)| is_it(one) && *ended == Ended::Revoked);
    AgentError::OtherOrganizer { device, is_revoked }
}

/// An error if this code was turned away before. A revocation that is left to do is tried again.
pub(super) async fn refuse_turned_away(
    core: &Core,
    enrolment: &Enrolment,
) -> Result<(), AgentError> {
    // What is wrong with a vault is found where it may be replaced.
    let Ok(Some(vault)) = Vault::look(&core.folder) else {
        return Ok(());
    };
    let all = TurnedAway::all(&vault).unwrap_or_default();
    let Some(known) = all.into_iter().find(|one| one.is_for(enrolment)) else {
        return Ok(());
    };
    let is_it = |one: &ToRevoke| one.identity.context() == known.identity.context();
    let is_left = ToRevoke::all(&vault).is_ok_and(|all| all.iter().any(is_it));
    let error = AgentError::OtherOrganizer {
        is_revoked: !is_left,
        device: Box::new(known.identity.clone()),
    };
    match is_left {
        true => {
            let lock = core.lock().await?;
            Err(revoked(core, &lock, error, None).await)
        }
        false => Err(error),
    }
}
