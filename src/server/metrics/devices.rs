//! How many devices are in which state: counted at most twice a minute, however often somebody looks.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::seldom::Seldom;
use crate::server::store::{DeviceCount, Store};

/// How long a count holds. It looks at all devices.
const INTERVAL: Duration = Duration::from_secs(30);

/// The devices, as they were counted last.
#[derive(Default)]
pub(super) struct Devices {
    counted: Mutex<Option<(Instant, Arc<Vec<DeviceCount>>)>>,
    failed: Seldom,
}

impl Devices {
    /// Where they can't be counted, none is told rather than one that is not so any more.
    pub(super) async fn counted(&self, store: &dyn Store) -> Arc<Vec<DeviceCount>> {
        let mut counted = self.counted.lock().await;
        if let Some((when, counts)) = &*counted
            && when.elapsed() < INTERVAL
        {
            return Arc::clone(counts);
        }
        let counts = Arc::new(match store.device_counts().await {
            Ok(counts) => counts,
            Err(error) => {
                self.failed.count(|times| {
                    tracing::warn!(times, %error, advice = error.advice(), "the devices can't be counted for the metrics");
                });
                Vec::new()
            }
        });
        *counted = Some((Instant::now(), Arc::clone(&counts)));
        counts
    }
}
