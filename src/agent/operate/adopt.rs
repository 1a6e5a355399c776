//! Enrolment without a token: taking over a device that another app enrolled.

use super::given_media_key::{have_taken, is_there};
use super::initialize::{Course, InitializeOptions, Initialized, done_before, open_for_newcomer};
use super::replaced::settle_replaced;
use crate::agent::core::Core;
use crate::agent::describe;
use crate::agent::device_api;
use crate::agent::error::AgentError;
use crate::agent::media_keys::GivenMediaKey;
use crate::agent::perform::Replacement;
use crate::agent::record::{Device, Identity, Newcomer, Outcome, Revoker};
use crate::agent::state::{Operation, Secrets, State, Step};
use crate::enrolment::ServerUrl;
use crate::failpoint;
use crate::secret::Secret;
use crate::vault::Vault;

/// What another app kept of a device that it enrolled.
#[derive(Clone)]
pub struct ExistingIdentity {
    /// The server it is enrolled at.
    pub server: ServerUrl,
    /// Its API key.
    pub key: Secret,
    /// Its serial, by which the server's answer is recognized; without it any device is taken.
    pub unique_serial: Option<String>,
    /// Its RSA key for NFC media, if it has reported one.
    pub media_key: Option<GivenMediaKey>,
}

pub(in crate::agent) async fn adopt(
    core: &Core,
    existing: &ExistingIdentity,
    options: &InitializeOptions,
) -> Result<Initialized, AgentError> {
    existing.server.check_transport(options.allow_http)?;
    // What can't be reported is found before anything is stored.
    describe::report(&*core.describe, &options.overrides, None)?;
    if adopted(core, existing, options).is_none() {
        core.folder.refuse_if_volatile()?;
    }
    let lock = core.lock().await?;
    if let Some(identity) = adopted(core, existing, options) {
        return match add_media_key(core, existing, &identity).await? {
            Some(identity) => Ok(Initialized {
                course: Course::Done,
                ..done_before(core, &lock, identity).await
            }),
            None => Ok(done_before(core, &lock, identity).await),
        };
    }
    // The folder was made with the lock: only now is it sure where it is.
    core.folder.refuse_if_volatile()?;
    let (mut vault, device) = open_for_newcomer(core, options)?;
    let trust = core.clients.trust_at(&existing.server, &device);
    let client = core.clients.trusting(&trust)?;
    let info = device_api::find_device(
        &client,
        &existing.server,
        &existing.key,
        existing.unique_serial.as_deref(),
    )
    .await?;
    failpoint::reach("adopt: before storing");
    let mut identity = Identity::new(existing.server.clone(), info.device.clone());
    identity.learn_info(&info);
    identity.overrides = options.overrides.clone();
    let media_key = match &existing.media_key {
        Some(given) => {
            let taken = have_taken(core, &client, &mut identity, &existing.key, given).await?;
            failpoint::reach("adopt: media key taken");
            Some(taken)
        }
        None => None,
    };
    let step = Step {
        standing: State::Enrolled,
        ends: true,
        secrets: Secrets::Replace,
    };
    let replacement = Replacement::of(&vault, &device, &identity, options.revoke_old);
    vault.change(|change| {
        replacement.store(change)?;
        let outcome = Outcome {
            new: Some(Newcomer {
                identity: &identity,
                key: &existing.key,
                trust: &trust,
            }),
            lost: None,
            revoked_by: Revoker::Server,
        };
        device
            .standing
            .store(change, Some(Operation::Initialize), step, outcome)?;
        core.bind_new(change)?;
        match &media_key {
            Some(media_key) => media_key.store(change, &identity),
            None => Ok(()),
        }
    })?;
    failpoint::reach("adopt: stored");
    core.tell(&device, State::Enrolled, None, None);
    Ok(Initialized {
        vault: vault.path(),
        course: Course::Done,
        replaced: settle_replaced(core, &lock, &device, &identity, None).await,
        given_up: device.enrolment.as_ref().map(|begun| begun.server.clone()),
        identity,
    })
}

/// Takes over the RSA key of a device that was adopted without it. Nothing if there is none to take over.
async fn add_media_key(
    core: &Core,
    existing: &ExistingIdentity,
    identity: &Identity,
) -> Result<Option<Identity>, AgentError> {
    let Some(given) = &existing.media_key else {
        return Ok(None);
    };
    let mut vault = Vault::open(&core.folder)?;
    if is_there(&vault, identity, given)? {
        return Ok(None);
    }
    let device = Device::load(&vault)?;
    let client = core.clients.with_kept(&device.trust)?;
    let mut known = identity.clone();
    let media_key = have_taken(core, &client, &mut known, &existing.key, given).await?;
    vault.change(|change| {
        media_key.store(change, identity)?;
        identity.edit(change, |stored| stored.clone_from(&known))
    })?;
    core.tell_identity(identity, &known);
    Ok(Some(known))
}

/// The identity if it is just the one to adopt, as for an app that ended before it had removed
/// its own copy of the key.
fn adopted(
    core: &Core,
    existing: &ExistingIdentity,
    options: &InitializeOptions,
) -> Option<Identity> {
    // What is wrong with a vault is found where it may be replaced.
    let vault = Vault::look(&core.folder).ok()??;
    let device = Device::load(&vault).ok()?;
    if device.enrolment.is_some() || device.standing.state != State::Enrolled {
        return None;
    }
    let identity = device.identity?;
    let serial = existing.unique_serial.as_ref();
    let is_same = identity.server == existing.server
        && serial.is_none_or(|serial| *serial == identity.unique_serial)
        && identity.overrides == options.overrides
        && identity.key(&vault).ok()?.expose() == existing.key.expose();
    is_same.then_some(identity)
}
