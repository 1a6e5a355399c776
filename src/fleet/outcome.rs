//! What became of each device.

use super::device::FleetDevice;
use super::error::FleetError;

/// What became of one device.
pub(crate) struct Outcome {
    pub(crate) name: String,
    /// As it is now, as far as that is known.
    pub(crate) device: Option<FleetDevice>,
    pub(crate) effect: Effect,
    /// What is to be known of it besides.
    pub(crate) note: Option<String>,
}

/// What was done.
pub(crate) enum Effect {
    /// What was asked for.
    Done,
    /// It was so before.
    Left,
    Failed(FleetError),
    /// It would be, if it was not only looked at.
    Would,
    /// What came before it failed in a way that it would have met too.
    NotTried,
}

impl Effect {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Left => "left",
            Self::Failed(_) => "failed",
            Self::Would => "would",
            Self::NotTried => "not-tried",
        }
    }
}

impl Outcome {
    pub(crate) fn of(device: FleetDevice, effect: Effect) -> Self {
        Self {
            name: device.device.name.clone(),
            device: Some(device),
            effect,
            note: None,
        }
    }
}

/// Does something to each device in turn, until what fails would fail for all.
pub(super) async fn each(
    devices: Vec<FleetDevice>,
    mut act: impl AsyncFnMut(FleetDevice) -> Result<(FleetDevice, Effect), FleetError>,
) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(devices.len());
    let mut is_over = false;
    for device in devices {
        if is_over {
            outcomes.push(Outcome::of(device, Effect::NotTried));
            continue;
        }
        outcomes.push(match act(device.clone()).await {
            Ok((device, effect)) => Outcome::of(device, effect),
            Err(error) => {
                is_over = error.is_of_all();
                Outcome::of(device, Effect::Failed(error))
            }
        });
    }
    outcomes
}
