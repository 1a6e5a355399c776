//! A device that another took the place of here. If it was asked for, its key is kept until its server
//! has ended its access, beside the new identity and never in its way.

use std::time::Duration;

use tokio::time::Instant;

use crate::agent::client::Client;
use crate::agent::core::{Core, is_same_server};
use crate::agent::error::AgentError;
use crate::agent::perform::{Afterlife, Kinship, Replaced, left_behind, send_unwritten};
use crate::agent::record::{Device, Identity, ToRevoke};
use crate::agent::state::{State, Word};
use crate::failpoint;
use crate::secret::Secret;
use crate::vault::{self, ChangeLock, Vault};
use crate::wire::DeviceIdentity;

/// How a revocation ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Revoked,
    /// Its server does not accept the key.
    InVain,
}

/// What became of the device that `new` took the place of, after another attempt to revoke it
/// if that was asked for.
pub(super) async fn settle_replaced(
    core: &Core,
    lock: &ChangeLock,
    device: &Device,
    new: &Identity,
    patience: Option<Duration>,
) -> Option<Replaced> {
    let tried = revoke_replaced(core, lock, patience).await;
    let (identity, kinship) = left_behind(device, new)?;
    let is_it = |one: &Identity| one.context() == identity.context();
    let still_to_revoke = Vault::look(&core.folder)
        .ok()
        .flatten()
        .and_then(|vault| ToRevoke::all(&vault).ok());
    let afterlife = match tried.iter().find(|(one, _)| is_it(one)) {
        _ if kinship == Kinship::Unclear => Afterlife::Unclear,
        Some((_, Ended::Revoked)) => Afterlife::Revoked,
        Some((_, Ended::InVain)) => Afterlife::Rejected,
        None if still_to_revoke
            .unwrap_or_default()
            .iter()
            .any(|one| is_it(&one.identity)) =>
        {
            Afterlife::ToRevoke
        }
        None if device.standing.state == State::Rejected => Afterlife::Rejected,
        None => Afterlife::Active,
    };
    Some(Replaced {
        identity: identity.clone(),
        afterlife,
    })
}

/// Goes on with what an earlier command could not end, if nobody else is about to.
pub(in crate::agent) async fn revoke_replaced_in_passing(core: &Core) {
    let is_due = match Vault::look(&core.folder) {
        Ok(Some(vault)) => ToRevoke::all(&vault).is_ok_and(|all| all.iter().any(ToRevoke::is_due)),
        _ => false,
    };
    if is_due && let Ok(lock) = vault::lock(&core.folder) {
        revoke_replaced(core, &lock, Some(core.clients.patience())).await;
    }
}

/// Revokes the replaced devices that are to be: all of them, or with `patience`, which is for all
/// together, those that are due. What fails is told, and stays for a later command.
/// Returns those with which it is over, and how.
pub(super) async fn revoke_replaced(
    core: &Core,
    _lock: &ChangeLock,
    patience: Option<Duration>,
) -> Vec<(Identity, Ended)> {
    let mut over = Vec::new();
    let all = Vault::look(&core.folder)
        .map_err(AgentError::from)
        .and_then(|vault| Ok(vault.map_or(Ok(Vec::new()), |vault| ToRevoke::all(&vault))?));
    let all = all.unwrap_or_else(|error| {
        error.warn();
        Vec::new()
    });
    let device = core.look().ok().flatten();
    let begun = Instant::now();
    for mut old in all {
        let left = patience.map(|patience| patience.saturating_sub(begun.elapsed()));
        if left.is_some_and(|left| left.is_zero() || !old.is_due()) {
            continue;
        }
        let which = old.identity.in_words();
        match revoke_one(core, &mut old, device.as_ref(), left).await {
            Ok(ended) => {
                if ended == Ended::InVain {
                    tracing::warn!(
                        "{which}, which is not this device any more, can't be revoked from here, as its server does not accept its key"
                    );
                }
                over.push((old.identity.clone(), ended));
            }
            Err(error) => {
                let why = error.reason();
                tracing::warn!(
                    "{which}, which is not this device any more, is not revoked yet, and a later command goes on with it: {why}"
                );
                old.was_tried_in_vain();
            }
        }
        let is_over = over.last().is_some_and(|(one, _)| *one == old.identity);
        let stored = change_replaced(core, |all| {
            all.retain(|one| !is_over || !one.is(&old));
            for one in all.iter_mut().filter(|one| one.is(&old)) {
                (one.tries, one.not_before) = (old.tries, old.not_before);
            }
        });
        if let Err(error) = stored {
            error.warn();
        }
    }
    over
}

async fn revoke_one(
    core: &Core,
    old: &mut ToRevoke,
    device: Option<&Device>,
    patience: Option<Duration>,
) -> Result<Ended, AgentError> {
    let client = client_for(core, old, device)?;
    if let Some(roll) = &old.roll {
        failpoint::reach("replaced: before sending");
        let (word, answer) = send_unwritten(&client, &old.identity, &old.key, roll, patience).await;
        match (word, answer) {
            (Word::Done, Ok(answer)) => has_rolled(core, old, answer.api_token),
            (Word::NotDone, _) => old.roll = None,
            (word, answer) => return ended(word, answer),
        }
    }
    failpoint::reach("replaced: before sending");
    let (word, answer) =
        send_unwritten(&client, &old.identity, &old.key, &old.revoke, patience).await;
    failpoint::reach("replaced: answer read");
    ended(word, answer)
}

/// The server of both may have another certificate by now. At one of its own, what the old device
/// trusted counts: what is given now is given for the new device's server.
fn client_for(core: &Core, old: &ToRevoke, device: Option<&Device>) -> Result<Client, AgentError> {
    let here = device.and_then(|device| Some((device.identity.as_ref()?, &device.trust)));
    match here {
        Some((identity, trust)) if is_same_server(&identity.server, &old.identity.server) => {
            Ok(core.clients.with_kept(trust)?)
        }
        _ => Ok(core.clients.trusting(&old.trust)?),
    }
}

/// The key is good for the revocation whether it can be stored or not.
fn has_rolled(core: &Core, old: &mut ToRevoke, key: Secret) {
    old.key = key;
    old.roll = None;
    let stored = change_replaced(core, |all| {
        for one in all.iter_mut().filter(|one| one.is(old)) {
            one.key.clone_from(&old.key);
            one.roll = None;
        }
    });
    if let Err(error) = stored {
        error.warn();
    }
}

fn change_replaced(core: &Core, work: impl FnOnce(&mut Vec<ToRevoke>)) -> Result<(), AgentError> {
    let mut vault = Vault::open(&core.folder)?;
    let mut all = ToRevoke::all(&vault)?;
    work(&mut all);
    vault.change(|change| ToRevoke::store(&all, change))?;
    failpoint::reach("replaced: stored");
    // A key was in it.
    vault.wipe_log();
    Ok(())
}

fn ended(word: Word, answer: Result<DeviceIdentity, AgentError>) -> Result<Ended, AgentError> {
    match (word, answer) {
        (Word::Done | Word::Revoked, _) => Ok(Ended::Revoked),
        (Word::KeyRejected, _) => Ok(Ended::InVain),
        (_, answer) => Err(answer.err().unwrap_or(AgentError::NotEnrolled)),
    }
}
