//! The trust that was given with a call is kept once it has led to the device's server.

use crate::agent::client::{Client, Trust};
use crate::agent::core::Core;
use crate::agent::device_api::{self, Asked};
use crate::agent::error::AgentError;
use crate::agent::record::{Identity, RecordError, kept_trust};
use crate::secret::Secret;
use crate::vault::Vault;
use crate::wire::DeviceIdentity;

/// Keeps what was given, if it has led to the device's server. Only a server that knows the device
/// shows that: a login page on the way answers, too.
pub(in crate::agent) async fn keep_given_if_known(
    core: &Core,
    client: &Client,
    identity: &Identity,
    key: &Secret,
    kept: &Trust,
) {
    let Some(given) = core.clients.newly_given(kept) else {
        return;
    };
    let is_ours = |device: &DeviceIdentity| identity.is(device);
    match device_api::ask_info(client, &identity.server, key, is_ours).await {
        Asked::Info(_) => keep(core, given, identity),
        Asked::Unauthorized(_) | Asked::Unclear(_) => tracing::warn!(
            "the certificates that were given are not kept: what answers at {} does not know this device",
            identity.server
        ),
    }
}

/// Keeps what was given, which has led to the device's server.
pub(in crate::agent) fn keep_given(core: &Core, identity: &Identity, kept: &Trust) {
    if let Some(given) = core.clients.newly_given(kept) {
        keep(core, given, identity);
    }
}

/// It is not what was asked for: where it can't be stored, that is told, and the answer counts.
fn keep(core: &Core, given: &Trust, identity: &Identity) {
    let stored = Vault::open(&core.folder)
        .map_err(RecordError::from)
        .and_then(|mut vault| {
            vault.change(|change| match identity.is_in(change)? {
                true => kept_trust::store(given, change, identity),
                false => Ok(()),
            })
        });
    if let Err(error) = stored {
        AgentError::from(error).warn();
    }
}
