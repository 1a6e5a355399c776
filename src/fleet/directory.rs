//! Where devices are looked up by what people call them: at the server where that searches, else in the list of all.

use super::device::FleetDevice;
use super::error::FleetError;
use super::filter::Filter;
use super::now::ONE_BY_ONE;
use super::resource::Resource;

pub(super) struct Directory<'r> {
    resource: &'r Resource,
    /// All devices, once they had to be read.
    all: Option<Vec<FleetDevice>>,
}

impl<'r> Directory<'r> {
    /// For so many look-ups.
    pub(super) async fn for_so_many(
        resource: &'r Resource,
        lookups: usize,
    ) -> Result<Self, FleetError> {
        let mut directory = Self {
            resource,
            all: None,
        };
        if lookups > ONE_BY_ONE {
            directory.read_all().await?;
        }
        Ok(directory)
    }

    /// The device of this number.
    pub(super) async fn numbered(&self, number: u64) -> Result<Option<FleetDevice>, FleetError> {
        match &self.all {
            Some(all) => Ok(all
                .iter()
                .find(|device| device.device.device_id == number)
                .cloned()),
            None => self.resource.device(number).await,
        }
    }

    /// The devices whose name or serial this is.
    pub(super) async fn called(&mut self, word: &str) -> Result<Vec<FleetDevice>, FleetError> {
        if self.all.is_none() {
            if let Some(found) = self.resource.called(word).await? {
                return Ok(found);
            }
            self.read_all().await?;
        }
        let all = self.all.iter().flatten();
        Ok(all.filter(|device| device.goes_by(word)).cloned().collect())
    }

    async fn read_all(&mut self) -> Result<(), FleetError> {
        self.all = Some(self.resource.devices(&Filter::default()).await?);
        Ok(())
    }
}
