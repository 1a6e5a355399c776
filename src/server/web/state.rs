//! What all pages work with.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::feed::Feed;
use super::noting::Noting;
use crate::server::installation_keys::InstallationKeys;
use crate::server::public_url::PublicUrl;
use crate::server::reception::Callers;
use crate::server::store::{FleetPage, Installation};

/// What all pages work with.
pub(super) struct State {
    pub(super) store: Arc<dyn FleetPage>,
    pub(super) keys: Arc<InstallationKeys>,
    pub(super) public_url: Option<PublicUrl>,
    pub(super) answer_time: Duration,
    pub(super) callers: Arc<Callers>,
    pub(super) feed: Arc<Feed>,
    pub(super) noting: Noting,
    ending: watch::Sender<bool>,
}

impl State {
    pub(super) fn new(
        installation: &Installation,
        public_url: Option<&PublicUrl>,
        answer_time: Duration,
        callers: Arc<Callers>,
    ) -> Self {
        let store = Arc::clone(&installation.store) as Arc<dyn FleetPage>;
        Self {
            feed: Feed::new(Arc::clone(&store)),
            store,
            keys: Arc::clone(&installation.keys),
            public_url: public_url.cloned(),
            answer_time,
            callers,
            noting: Noting::default(),
            ending: watch::Sender::new(false),
        }
    }

    /// The path of the public address, without a slash at the end.
    pub(super) fn prefix(&self) -> &str {
        self.public_url.as_ref().map_or("", PublicUrl::path)
    }

    /// Tells the answers that go on that the server stops.
    pub(super) fn end_streams(&self) {
        self.ending.send_replace(true);
        self.feed.end();
    }

    /// Is done once the server stops: an answer that goes on until then ends with it.
    pub(super) fn ending(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ending = self.ending.subscribe();
        async move {
            // The sender is gone where the server is, too.
            let _ = ending.wait_for(|ending| *ending).await;
        }
    }
}
