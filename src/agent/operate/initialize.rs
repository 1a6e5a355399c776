//! Enrolment: redeeming an initialization token.

use std::path::PathBuf;
use std::sync::Arc;

use super::replaced::{revoke_replaced, settle_replaced};
use super::unwanted;
use crate::agent::core::{Core, Sent};
use crate::agent::describe;
use crate::agent::error::AgentError;
use crate::agent::perform::{Replaced, finish_enrolment};
use crate::agent::record::{BegunEnrolment, Device, Identity, Redeemed};
use crate::agent::state::{Hindrance, Operation, State};
use crate::enrolment::{Enrolment, ServerUrl};
use crate::facts::Overrides;
use crate::vault::{ChangeLock, Vault};

/// How to enrol.
#[derive(Clone, Debug, Default)]
pub struct InitializeOptions {
    /// Give up the device, the unfinished enrolment or the unusable vault that is there.
    pub replace: bool,
    /// Send the token or key unencrypted to another machine.
    pub allow_http: bool,
    /// What to report instead of what is found, now and later.
    pub overrides: Overrides,
    /// Revoke the device that is given up, once the new one is in the vault.
    pub revoke_old: bool,
    /// The slugs of the organizers whose device this may become; without them, of any. A device of
    /// another organizer is revoked at once, and this one stays what it was.
    pub allowed_organizers: Option<Vec<String>>,
}

/// How what was asked for came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It was begun and done.
    Done,
    /// It was begun before, and this has finished it.
    WentOn,
    /// It was done before, and nothing was done now.
    DoneBefore,
}

/// What an enrolment led to.
pub struct Initialized {
    /// Who this device is now.
    pub identity: Identity,
    /// The vault.
    pub vault: PathBuf,
    /// How it came about. What was begun before is finished with what was to be reported then.
    pub course: Course,
    /// The device that was here before.
    pub replaced: Option<Replaced>,
    /// The server of an unfinished enrolment that was given up: its token may have been redeemed.
    pub given_up: Option<ServerUrl>,
}

/// An enrolment that is about to be sent.
struct Started {
    vault: Vault,
    device: Device,
    begun: Arc<BegunEnrolment>,
    went_on: bool,
}

pub(in crate::agent) async fn initialize(
    core: &Core,
    enrolment: &Enrolment,
    options: &InitializeOptions,
) -> Result<Initialized, AgentError> {
    enrolment.url().check_transport(options.allow_http)?;
    unwanted::refuse_turned_away(core, enrolment).await?;
    // What was begun is to be finished, wherever it is kept.
    if !has_begun(core, enrolment) && redeemed(core, enrolment)?.is_none() {
        core.folder.refuse_if_volatile()?;
    }
    let lock = core.lock().await?;
    if let Some(identity) = redeemed(core, enrolment)? {
        return Ok(done_before(core, &lock, identity).await);
    }
    // The folder was made with the lock: only now is it sure where it is.
    if !has_begun(core, enrolment) {
        core.folder.refuse_if_volatile()?;
    }
    let Started {
        mut vault,
        device,
        begun,
        went_on,
    } = setting_aside(core, options.replace, || start(core, enrolment, options))?;
    let sent = match went_on {
        true => Sent::Before,
        false => Sent::Never,
    };
    let identity = match finish_enrolment(core, &mut vault, &device, &begun, sent).await {
        Ok(identity) => identity,
        Err(error) => return Err(unwanted::revoked(core, &lock, error, None).await),
    };
    let course = match went_on {
        true => Course::WentOn,
        false => Course::Done,
    };
    Ok(Initialized {
        vault: vault.path(),
        course,
        replaced: settle_replaced(core, &lock, &device, &identity, None).await,
        given_up: device.enrolment.as_ref().map(|begun| begun.server.clone()),
        identity,
    })
}

pub(in crate::agent) async fn initialize_first_known<'e>(
    core: &Core,
    first: &'e Enrolment,
    others: impl IntoIterator<Item = &'e Enrolment>,
    options: &InitializeOptions,
) -> Result<Initialized, AgentError> {
    let mut initialized = initialize(core, first, options).await;
    for other in others {
        match &initialized {
            Err(error) if error.is_token_unknown() => {}
            _ => break,
        }
        initialized = initialize(core, other, options).await;
    }
    initialized
}

/// What may be left to do is to revoke the device that was here before.
pub(super) async fn done_before(core: &Core, lock: &ChangeLock, identity: Identity) -> Initialized {
    revoke_replaced(core, lock, None).await;
    Initialized {
        identity,
        vault: core.folder.vault_path(),
        course: Course::DoneBefore,
        replaced: None,
        given_up: None,
    }
}

/// Whether an enrolment with this very token was begun, and perhaps sent, before.
fn has_begun(core: &Core, enrolment: &Enrolment) -> bool {
    // What is wrong with a vault is found where it may be replaced.
    let device = core.look().ok().flatten();
    let begun = device.and_then(|device| device.enrolment);
    begun.is_some_and(|begun| begun.is_for(enrolment))
}

/// The identity that this very token has led to, if another command finished its enrolment.
pub(in crate::agent) fn redeemed(
    core: &Core,
    enrolment: &Enrolment,
) -> Result<Option<Identity>, AgentError> {
    // What is wrong with a vault is found where it may be replaced.
    let Ok(Some(vault)) = Vault::look(&core.folder) else {
        return Ok(None);
    };
    let Ok(device) = Device::load(&vault) else {
        return Ok(None);
    };
    if device.enrolment.is_some() || device.standing.state != State::Enrolled {
        return Ok(None);
    }
    match device.identity {
        Some(identity)
            if Redeemed::is_by(&vault, &identity, enrolment) && identity.key(&vault).is_ok() =>
        {
            Ok(Some(identity))
        }
        _ => Ok(None),
    }
}

/// Does `work`; if the vault is past use and it was said to be replaced, sets it aside first.
fn setting_aside<T>(
    core: &Core,
    replace: bool,
    work: impl Fn() -> Result<T, AgentError>,
) -> Result<T, AgentError> {
    let is_lost = |result: &Result<T, AgentError>| {
        replace && matches!(result, Err(error) if error.is_beyond_use())
    };
    let first = work();
    if !is_lost(&first) {
        return first;
    }
    // A bad contact of the storage looks like damage, but hardly twice.
    match work() {
        again if is_lost(&again) => {
            if let Some(path) = core.folder.set_aside()? {
                tracing::warn!(
                    "the vault that can't be used was kept as {}; a device in it may still be active on its server: revoke it there",
                    path.display()
                );
            }
            work()
        }
        result => result,
    }
}

/// The vault for a device that comes into it with its key, if that may be.
pub(super) fn open_for_newcomer(
    core: &Core,
    options: &InitializeOptions,
) -> Result<(Vault, Device), AgentError> {
    setting_aside(core, options.replace, || {
        let vault = Vault::open(&core.folder)?;
        let device = Device::load(&vault)?;
        refuse_to_revoke_another(core, &device, options)?;
        begin(&device, options.replace)?;
        Ok((vault, device))
    })
}

/// In a vault that was copied here it is the device that the other machine is.
fn refuse_to_revoke_another(
    core: &Core,
    device: &Device,
    options: &InitializeOptions,
) -> Result<(), AgentError> {
    match options.revoke_old {
        true => core.refuse_copied(device),
        false => Ok(()),
    }
}

/// What is to be sent: the enrolment with this code that was begun before, or a new one.
fn start(
    core: &Core,
    enrolment: &Enrolment,
    options: &InitializeOptions,
) -> Result<Started, AgentError> {
    let mut vault = Vault::open(&core.folder)?;
    let mut device = Device::load(&vault)?;
    refuse_to_revoke_another(core, &device, options)?;
    let (mut begun, went_on) = match device.enrolment.take() {
        Some(begun) if begun.is_for(enrolment) => (begun, true),
        there => {
            device.enrolment = there;
            begin(&device, options.replace)?;
            let mut report = describe::report(&*core.describe, &options.overrides, None)?;
            report.info = core.describe.info();
            let trust = core.clients.trust_at(enrolment.url(), &device);
            let overrides = options.overrides.clone();
            let begun = BegunEnrolment::new(enrolment, report, overrides, trust)?;
            (Arc::new(begun), false)
        }
    };
    let is_news = options.revoke_old && !begun.revoke_old
        || options.allowed_organizers.is_some()
            && begun.allowed_organizers != options.allowed_organizers;
    if is_news {
        let before = BegunEnrolment::clone(&begun);
        let allowed = options.allowed_organizers.clone();
        let changed = BegunEnrolment {
            revoke_old: options.revoke_old || before.revoke_old,
            allowed_organizers: allowed.or(before.allowed_organizers.clone()),
            ..before
        };
        if went_on {
            vault.change(|change| changed.store(change))?;
        }
        begun = Arc::new(changed);
    }
    Ok(Started {
        vault,
        device,
        begun,
        went_on,
    })
}

/// Nothing, or why no enrolment can begin.
fn begin(device: &Device, replace: bool) -> Result<(), AgentError> {
    match (
        device.situation().begin(Operation::Initialize, replace),
        &device.enrolment,
        &device.identity,
    ) {
        (Ok(()), _, _) => Ok(()),
        (Err(Hindrance::Unfinished(_)), Some(begun), _) => Err(AgentError::Unfinished {
            server: begun.server.to_string(),
        }),
        (Err(Hindrance::AlreadyEnrolled), _, Some(identity)) => {
            Err(AgentError::AlreadyEnrolled(Box::new(identity.clone())))
        }
        (Err(_), _, _) => Err(AgentError::unusable(device)),
    }
}
