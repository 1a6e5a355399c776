//! Whether callers can be answered now: the database is asked, however many want to know, by one look a second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::store::Store;
use crate::causes;
use crate::seldom::Seldom;

/// How long a look counts.
const FRESH: Duration = Duration::from_secs(1);
/// How long one is waited for. A database that answers later than this is of no use to callers.
const PATIENCE: Duration = Duration::from_secs(5);

/// How it stands with answering callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ready,
    /// It was told to stop, and finishes what it has begun.
    Stopping,
    /// The database was restored from a backup, and nobody has confirmed that.
    Unconfirmed,
    NoDatabase,
}

/// Tells whether callers can be answered.
pub(super) struct Readiness {
    store: Arc<dyn Store>,
    is_stopping: AtomicBool,
    look: Mutex<Option<Look>>,
    failed: Seldom,
}

/// The last look at the database, which may not be done yet.
#[derive(Clone)]
struct Look {
    begun: Instant,
    found: watch::Receiver<Option<Verdict>>,
}

impl Readiness {
    pub(super) fn of(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            is_stopping: AtomicBool::new(false),
            look: Mutex::default(),
            failed: Seldom::new(),
        }
    }

    /// From now on no more callers are to be sent.
    pub(super) fn set_stopping(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    pub(super) async fn ask(self: &Arc<Self>) -> Verdict {
        if self.is_stopping.load(Ordering::Relaxed) {
            return Verdict::Stopping;
        }
        let Look { begun, mut found } = self.look();
        let in_time = tokio::time::timeout_at(begun + PATIENCE, found.wait_for(Option::is_some));
        match in_time.await {
            // It ends without a verdict only where it has panicked.
            Ok(found) => found
                .ok()
                .and_then(|found| *found)
                .unwrap_or(Verdict::NoDatabase),
            Err(_) => Verdict::NoDatabase,
        }
    }

    /// The look that counts now. One that is not done is the only one: on a disk that does not answer it takes a thread
    /// for as long as that lasts.
    fn look(self: &Arc<Self>) -> Look {
        let mut last = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = |look: &Look| {
            let is_done = look.found.borrow().is_some() || look.found.has_changed().is_err();
            !is_done || look.begun.elapsed() < FRESH
        };
        if let Some(look) = last.as_ref().filter(|look| counts(look)) {
            return look.clone();
        }
        let (tell, found) = watch::channel(None);
        let asking = Arc::clone(self);
        tokio::spawn(async move {
            let verdict = asking.verdict().await;
            tell.send_replace(Some(verdict));
        });
        let look = Look {
            begun: Instant::now(),
            found,
        };
        *last = Some(look.clone());
        look
    }

    async fn verdict(&self) -> Verdict {
        match self.store.may_be_served().await {
            Ok(true) => Verdict::Ready,
            Ok(false) => Verdict::Unconfirmed,
            Err(error) => {
                self.failed.count(|times| {
                    tracing::warn!(
                        times,
                        %error,
                        causes = ?causes::of(&error),
                        advice = error.advice(),
                        "the database does not answer a probe"
                    );
                });
                Verdict::NoDatabase
            }
        }
    }
}
