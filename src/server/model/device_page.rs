//! A page of devices.

use std::sync::OnceLock;

use serde_json::value::RawValue;

use crate::wire::Device;

/// Devices that follow each other, and what was sent of them: as long as they are remembered, that is made once.
pub struct DevicePage {
    devices: Vec<Device>,
    to_writers: OnceLock<Box<RawValue>>,
    to_readers: OnceLock<Box<RawValue>>,
}

impl DevicePage {
    /// A page of which nothing was sent.
    pub fn of(devices: Vec<Device>) -> Self {
        Self {
            devices,
            to_writers: OnceLock::new(),
            to_readers: OnceLock::new(),
        }
    }

    /// Its devices, by number.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// What is sent of them to who may change devices, or to who may not, as `make` makes it.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub fn sent<E>(
        &self,
        to_writers: bool,
        make: impl FnOnce(&[Device]) -> Result<Box<RawValue>, E>,
    ) -> Result<&RawValue, E> {
        let sent = match to_writers {
            true => &self.to_writers,
            false => &self.to_readers,
        };
        if let Some(sent) = sent.get() {
            return Ok(sent);
        }
        let made = make(&self.devices)?;
        Ok(sent.get_or_init(|| made))
    }
}
