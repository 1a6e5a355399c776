//! The keys for NFC media, which the server encrypts to the device's RSA key: that is made when it is
//! first needed, unless another app had one, and reported. While the server is away, those that it told last.

use jiff::Timestamp;

use super::info::info;
use crate::agent::access::access;
use crate::agent::clock;
use crate::agent::core::{Core, Sent, apart};
use crate::agent::error::AgentError;
use crate::agent::media_keys::{Encoded, MediaKey, MediaKeys, is_same_key};
use crate::agent::operate;
use crate::agent::record::{Device, Identity, KeySets, RecordError, media_key};
use crate::agent::state::{Operation, State};
use crate::vault::{Change, Vault};
use crate::wire::MediumKeySet;

/// A device's key sets for NFC media: as the server told them now, or last where it can't be asked.
pub struct MediaKeySets<Set> {
    /// Who the device is.
    pub identity: Identity,
    /// The sets.
    pub sets: Vec<Set>,
    /// When the server told them, by this device's clock.
    pub as_of: Timestamp,
    /// Why the server could not be asked, if these are of the vault.
    pub unasked: Option<AgentError>,
}

pub(in crate::agent) async fn media_keys(
    core: &Core,
) -> Result<MediaKeySets<MediaKeys>, AgentError> {
    let told = ask_or_recall(core, None).await?;
    apart(core, |core| async move { decrypt(&core, told) }).await
}

pub(in crate::agent) async fn encrypted_media_keys(
    core: &Core,
    public: &str,
) -> Result<MediaKeySets<MediumKeySet>, AgentError> {
    ask_or_recall(core, Some(public)).await
}

/// Asks the server for what is encrypted to the `given` public key, or to the device's own. Who can fall back
/// to what is kept does not wait long.
async fn ask_or_recall(
    core: &Core,
    given: Option<&str>,
) -> Result<MediaKeySets<MediumKeySet>, AgentError> {
    let has_kept = matches!(recalled(core, given).await, Ok(Some(_)));
    let asked = match has_kept {
        true => ask(&core.for_call(Some(core.clients.patience()), None), given).await,
        false => ask(core, given).await,
    };
    let error = match asked {
        Err(error) if has_kept && error.is_for_want_of_the_server() => error,
        told => return told,
    };
    // Read again, for it may have been destroyed meanwhile.
    match recalled(core, given).await? {
        Some((identity, kept)) => Ok(MediaKeySets {
            identity,
            sets: kept.sets,
            as_of: kept.as_of,
            unasked: Some(error),
        }),
        None => Err(error),
    }
}

async fn ask(core: &Core, given: Option<&str>) -> Result<MediaKeySets<MediumKeySet>, AgentError> {
    match given {
        Some(public) => report_given(core, public).await?,
        None => apart(core, |core| async move { make_media_key(&core).await }).await?,
    }
    let info = info(core).await?;
    let reported = info.identity.reported.as_ref();
    let reported = reported.and_then(|report| report.rsa_pubkey.as_deref());
    let is_given = |given: &str| reported.is_some_and(|reported| is_same_key(reported, given));
    if !given.is_none_or(is_given) {
        return Err(AgentError::OtherMediaKey {
            server: info.identity.server.to_string(),
        });
    }
    Ok(MediaKeySets {
        identity: info.identity,
        sets: info.medium_key_sets,
        as_of: clock::now(),
        unasked: None,
    })
}

async fn recalled(
    core: &Core,
    given: Option<&str>,
) -> Result<Option<(Identity, KeySets)>, AgentError> {
    let given = given.map(str::to_owned);
    apart(core, |core| async move { recall(&core, given.as_deref()) }).await
}

/// What is kept, encrypted to this key. What a server has refused, or is to refuse from now on, is not had by
/// cutting a cable.
fn recall(core: &Core, given: Option<&str>) -> Result<Option<(Identity, KeySets)>, AgentError> {
    let Some(vault) = Vault::look(&core.folder)? else {
        return Ok(None);
    };
    let device = Device::load(&vault)?;
    let is_refused = !matches!(device.standing.state, State::Enrolled | State::AnswerLost)
        || device.situation().pending == Some(Operation::Revoke);
    let (true, Some(identity)) = (device.has_key() && !is_refused, device.identity) else {
        return Ok(None);
    };
    let (Some(kept), Some(public)) = (
        KeySets::load(&vault, &identity)?,
        media_key::public(&vault)?,
    ) else {
        return Ok(None);
    };
    let is_openable = is_same_key(&kept.rsa_pubkey, &public)
        && given.is_none_or(|given| is_same_key(given, &public));
    Ok(is_openable.then_some((identity, kept)))
}

/// Makes the device's key pair, unless there is one, and has the server know it.
async fn make_media_key(core: &Core) -> Result<(), AgentError> {
    access(core, wherever).await?;
    // Before the lock, for it takes a while.
    let vault = Vault::look(&core.folder)?.ok_or(AgentError::NotEnrolled)?;
    if media_key::public(&vault)?.is_none() {
        let Encoded { private, public } = MediaKey::make()?.encode()?;
        keep_media_key(core, |change, identity| {
            media_key::store(change, identity, private.as_bytes(), &public)
        })
        .await?;
    }
    drop(vault);
    report_media_key(core).await
}

/// Has the server know a key whose private half is held elsewhere, unless the device has another one.
async fn report_given(core: &Core, public: &str) -> Result<(), AgentError> {
    let given = public.to_owned();
    apart(core, |core| async move {
        if access(&core, wherever).await?.rsa_pubkey.is_none() {
            keep_media_key(&core, |change, _| media_key::store_public(change, &given)).await?;
        }
        report_media_key(&core).await
    })
    .await
}

/// What was told of the device, decrypted with the key in the vault.
fn decrypt(
    core: &Core,
    told: MediaKeySets<MediumKeySet>,
) -> Result<MediaKeySets<MediaKeys>, AgentError> {
    let vault = Vault::look(&core.folder)?.ok_or(AgentError::NotEnrolled)?;
    let Some(private) = media_key::private(&vault, &told.identity)? else {
        return Err(AgentError::OtherMediaKey {
            server: told.identity.server.to_string(),
        });
    };
    let key = MediaKey::decode(&private)?;
    let decrypted = told.sets.into_iter().map(|set| key.decrypt(set));
    Ok(MediaKeySets {
        sets: decrypted.collect::<Result<_, _>>()?,
        identity: told.identity,
        as_of: told.as_of,
        unasked: told.unasked,
    })
}

/// The name of the device's key pair where that is held elsewhere and another app has made it.
pub(in crate::agent) fn media_key_held_as(core: &Core) -> Result<Option<String>, AgentError> {
    let Some(vault) = Vault::look(&core.folder)? else {
        return Ok(None);
    };
    match Identity::load(&vault)? {
        Some(identity) => Ok(media_key::held_as(&vault, &identity)?),
        None => Ok(None),
    }
}

/// For calls of the agent's own, which go to the device's server.
fn wherever(_: &Identity) -> Result<(), AgentError> {
    Ok(())
}

/// Tells the server the device's RSA key, if it does not know it yet.
async fn report_media_key(core: &Core) -> Result<(), AgentError> {
    let access = access(core, wherever).await?;
    let reported = access.identity.reported.as_ref();
    if reported.and_then(|report| report.rsa_pubkey.as_ref()) == access.rsa_pubkey.as_ref() {
        return Ok(());
    }
    match operate::report(core, |overrides| overrides, Sent::Never).await {
        Err(AgentError::Refused {
            server, problem, ..
        }) if problem.names("rsa_pubkey") => Err(AgentError::OtherMediaKey { server }),
        reported => reported.map(drop),
    }
}

/// Stores an RSA key if there is none yet.
async fn keep_media_key(
    core: &Core,
    store: impl FnOnce(&Change<'_>, &Identity) -> Result<(), RecordError>,
) -> Result<(), AgentError> {
    let _lock = core.lock().await?;
    let mut vault = Vault::open(&core.folder)?;
    let Some(identity) = Identity::load(&vault)? else {
        return Err(AgentError::NotEnrolled);
    };
    if media_key::public(&vault)?.is_none() {
        vault.change(|change| store(change, &identity))?;
    }
    Ok(())
}
