//! What comes before every call: what was begun is finished, the report is kept true, and the key is
//! read from the vault.

use std::ops::Deref;
use std::sync::Arc;

use super::core::{Core, Known, Last, Reported, Sent};
use super::describe;
use super::device_api::{self, Asked};
use super::error::AgentError;
use super::learn::{doubt, hear_info};
use super::operate;
use super::record::{Device, Identity, media_key};
use super::state::State;
use crate::mask::Mask;
use crate::vault::{self, Vault, Watch};
use crate::wire::DeviceReport;

/// What a call is made with.
pub(super) struct Access {
    pub(super) known: Arc<Known>,
    /// Why something that was begun is not finished; it may be about to replace the key.
    pub(super) unfinished: Option<AgentError>,
}

impl Deref for Access {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.known
    }
}

/// What the vault held when it was looked into.
enum Seen {
    Ready(Box<Access>),
    Unfinished { has_key: bool },
}

impl Access {
    fn load(vault: &Vault, device: Device) -> Result<Self, AgentError> {
        if !device.has_key() {
            return Err(AgentError::unusable(&device));
        }
        let state = device.standing.state;
        let identity = device.identity.ok_or(AgentError::NotEnrolled)?;
        let key = identity.key(vault)?;
        let known = Known {
            mask: Arc::new(Mask::new(&key)),
            key,
            rsa_pubkey: media_key::public(vault)?,
            identity,
            state,
            trust: device.trust,
            last: Last::default(),
            reported: Reported::default(),
        };
        Ok(Self {
            known: Arc::new(known),
            unfinished: None,
        })
    }
}

/// Who the device is and its key, of what is remembered; nothing if something is due before.
pub(super) fn at_hand(core: &Core, known: Arc<Known>) -> Result<Option<Access>, AgentError> {
    let unfinished = None;
    let access = Access { known, unfinished };
    let version = core.describe.version();
    let find = || Ok(!access.identity.is_outdated(&report(core, &access)?));
    let is_reported = access.reported.is_all::<AgentError>(version, find)?;
    let is_due = access.state == State::AnswerLost || !is_reported;
    Ok((!is_due).then_some(access))
}

/// Who the device is and its key, after what is due was done, which `allow` may refuse once it is known who
/// the device is. Waits for the disk.
///
/// What can't be done now does not keep a key that is there from being used: a report that some
/// server does not take must not stop a gate.
pub(super) async fn access(
    core: &Core,
    allow: impl FnOnce(&Identity) -> Result<(), AgentError>,
) -> Result<Access, AgentError> {
    let mut access = match read(core, allow)? {
        Seen::Ready(access) => *access,
        Seen::Unfinished { has_key } => {
            let unfinished = resume_in_passing(core, has_key).await?;
            let mut access = read_access(core)?;
            access.unfinished = unfinished;
            access
        }
    };
    if access.state == State::AnswerLost {
        try_lost_key(core, &access).await?;
        access = read_access(core)?;
    }
    if access.unfinished.is_none() && access.identity.is_outdated(&report(core, &access)?) {
        let reported = operate::report(core, |overrides| overrides, Sent::NeverInPassing);
        match reported.await {
            Err(error) if !error.is_in_the_way() => error.warn(),
            reported => drop(reported?),
        }
        access = read_access(core)?;
    }
    Ok(access)
}

/// Finishes what was begun, if that is possible now; else the error, if the device can do without.
async fn resume_in_passing(core: &Core, has_key: bool) -> Result<Option<AgentError>, AgentError> {
    if !has_key {
        if let Some(resumed) = operate::resume(core).await? {
            resumed.tell();
        }
        return Ok(None);
    }
    let resumed = match vault::lock(&core.folder) {
        Ok(lock) => operate::resume_under(core, lock, Sent::BeforeInPassing).await,
        // Whoever has the lock is about to finish what was begun.
        Err(error) => Err(error.into()),
    };
    match resumed {
        Err(error) if !error.is_in_the_way() => {
            error.warn();
            Ok(Some(error))
        }
        resumed => {
            if let Some(resumed) = resumed? {
                resumed.tell();
            }
            Ok(None)
        }
    }
}

/// Reads identity and key as they are, if there are any.
fn read_access(core: &Core) -> Result<Access, AgentError> {
    let vault = Vault::look(&core.folder)?.ok_or(AgentError::NotEnrolled)?;
    let device = Device::load(&vault)?;
    core.refuse_copied(&device)?;
    Access::load(&vault, device)
}

/// The same, unless something was begun that has to be finished first.
fn read(
    core: &Core,
    allow: impl FnOnce(&Identity) -> Result<(), AgentError>,
) -> Result<Seen, AgentError> {
    if let Some(known) = core.recall() {
        allow(&known.identity)?;
        let unfinished = None;
        return Ok(Seen::Ready(Box::new(Access { known, unfinished })));
    }
    let watch = match core.memory {
        Some(_) => Watch::begin(&core.folder)?,
        None => None,
    };
    let vault = Vault::look(&core.folder)?.ok_or(AgentError::NotEnrolled)?;
    let device = Device::load(&vault)?;
    device.identity.as_ref().map_or(Ok(()), allow)?;
    core.refuse_copied(&device)?;
    if device.situation().unfinished().is_some() {
        return Ok(Seen::Unfinished {
            has_key: device.has_key(),
        });
    }
    let access = Access::load(&vault, device)?;
    if let (Some(memory), Some(watch)) = (&core.memory, watch) {
        memory.remember(watch, &access.known);
    }
    Ok(Seen::Ready(Box::new(access)))
}

/// The old key may work after all, if the lost answer was none.
async fn try_lost_key(core: &Core, access: &Access) -> Result<(), AgentError> {
    let identity = &access.identity;
    let client = core.clients.with_kept(&access.trust)?;
    match device_api::ask_info(&client, &identity.server, &access.key, |device| {
        identity.is(device)
    })
    .await
    {
        Asked::Info(info) => hear_info(core, access, &info).await.map(drop),
        Asked::Unauthorized(problem) => doubt(core, &access.key, &problem).await.map(drop),
        Asked::Unclear(error) => Err(error),
    }
}

/// What the device would report now, without diagnostics.
fn report(core: &Core, access: &Access) -> Result<DeviceReport, AgentError> {
    let overrides = &access.identity.overrides;
    Ok(describe::report(
        &*core.describe,
        overrides,
        access.rsa_pubkey.clone(),
    )?)
}
