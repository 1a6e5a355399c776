//! The keys for NFC media, which the server encrypts to the device's RSA key: that is made when it is
//! first needed, and reported.

use super::info::{Info, info};
use crate::agent::access::access;
use crate::agent::core::{Core, Sent, apart};
use crate::agent::error::AgentError;
use crate::agent::media_keys::{Encoded, MediaKey, MediaKeys};
use crate::agent::operate;
use crate::agent::record::{Identity, RecordError, media_key};
use crate::vault::{Change, Vault};
use crate::wire::MediumKeySet;

pub(in crate::agent) async fn media_keys(
    core: &Core,
) -> Result<(Identity, Vec<MediaKeys>), AgentError> {
    apart(core, |core| async move { make_media_key(&core).await }).await?;
    let info = info(core).await?;
    apart(core, |core| async move { decrypt(&core, info) }).await
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

/// What was told of the device, decrypted with the key in the vault.
fn decrypt(core: &Core, info: Info) -> Result<(Identity, Vec<MediaKeys>), AgentError> {
    let vault = Vault::look(&core.folder)?.ok_or(AgentError::NotEnrolled)?;
    let Some(private) = media_key::private(&vault, &info.identity)? else {
        return Err(AgentError::OtherMediaKey {
            server: info.identity.server.to_string(),
        });
    };
    let key = MediaKey::decode(&private)?;
    let decrypted = info.medium_key_sets.into_iter().map(|set| key.decrypt(set));
    Ok((info.identity, decrypted.collect::<Result<_, _>>()?))
}

pub(in crate::agent) async fn encrypted_media_keys(
    core: &Core,
    public: &str,
) -> Result<Vec<MediumKeySet>, AgentError> {
    let given = public.to_owned();
    apart(core, |core| async move {
        if access(&core, wherever).await?.rsa_pubkey.is_none() {
            keep_media_key(&core, |change, _| media_key::store_public(change, &given)).await?;
        }
        report_media_key(&core).await
    })
    .await?;
    let info = info(core).await?;
    let reported = info.identity.reported.as_ref();
    if reported.and_then(|report| report.rsa_pubkey.as_deref()) != Some(public) {
        return Err(AgentError::OtherMediaKey {
            server: info.identity.server.to_string(),
        });
    }
    Ok(info.medium_key_sets)
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
