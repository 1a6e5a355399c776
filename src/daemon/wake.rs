//! What ends a wait before its time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

/// What comes together is looked at once.
const SETTLING: Duration = Duration::from_millis(200);

/// Something may be otherwise than it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The vault was written, or a source may have an enrolment.
    Files,
    /// An address or a route was added or removed.
    Network,
}

#[derive(Clone, Default)]
pub(super) struct Wake {
    files: Arc<Notify>,
    network: Arc<Notify>,
}

impl Wake {
    pub(super) fn tell(&self, news: News) {
        match news {
            News::Files => self.files.notify_one(),
            News::Network => self.network.notify_one(),
        }
    }

    /// Waits for news.
    pub(super) async fn news(&self) -> News {
        let news = tokio::select! {
            () = self.files.notified() => News::Files,
            () = self.network.notified() => News::Network,
        };
        tokio::time::sleep(SETTLING).await;
        news
    }
}
