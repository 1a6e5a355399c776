//! Giving devices a new code, for scanners that were reset or replaced.

use super::device::{FleetDevice, Standing};
use super::error::FleetError;
use super::now::{Undoing, expect_as_shown};
use super::offered::Offer;
use super::outcome::{Effect, Outcome, each};
use super::resource::Resource;

/// How devices are reconnected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reconnecting {
    /// Its key is worthless at once, and not only as soon as the code is used.
    pub(crate) now: bool,
    /// Those that have a code which is not used yet get another one, too.
    pub(crate) again: bool,
}

impl Reconnecting {
    /// Whether a device gets a new code by that. One that has been handed out stays good where it does all that is asked for.
    pub(crate) fn concerns(self, device: &FleetDevice) -> bool {
        match device.standing() {
            Standing::Revoked => false,
            Standing::Waiting => self.again,
            Standing::Reconnecting => self.again || self.now && device.more.has_key.unwrap_or(true),
            Standing::Initialized | Standing::CodeEnded => true,
        }
    }
}

/// Gives each that is concerned a new code.
pub(crate) async fn reconnect(
    resource: &Resource,
    devices: Vec<FleetDevice>,
    how: Reconnecting,
) -> Result<Vec<Outcome>, FleetError> {
    let concerned = devices.iter().filter(|device| how.concerns(device));
    let concerned: Vec<FleetDevice> = concerned.cloned().collect();
    let versions = expect_as_shown(resource, &concerned, Undoing::Impossible).await?;
    let each = each(devices, async |device: FleetDevice| {
        let number = device.device.device_id;
        if device.device.revoked {
            return Err(FleetError::Revoked { number });
        }
        if !how.concerns(&device) {
            return Ok((device, Effect::Left));
        }
        let version = versions.of(number);
        let given = resource.reconnect(number, how.now, version).await?;
        let given = given.ok_or_else(|| resource.lacks(Offer::Reconnection))?;
        if given.device.initialization_token.is_none() {
            return Err(resource.ignored("its code"));
        }
        match resource.again(number).await {
            Ok(now) if now.device.initialization_token.is_some() && now.is_awaited() => {
                Ok((now, Effect::Done))
            }
            // A server that does not tell of codes tells it as before.
            Ok(now) if now.more.code.is_none() => Ok((given, Effect::Done)),
            Ok(_) => Err(resource.ignored("its code")),
            // The code is worth more than to know that.
            Err(error) => {
                tracing::warn!("device {number} could not be read back: {error}");
                Ok((given, Effect::Done))
            }
        }
    });
    Ok(each.await)
}
