//! Why the try before failed, for whoever shows that there is another one.

use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    static SHOWN: LastFailure;
}

/// Why the last try of a call failed, while it is waited for the next.
#[derive(Clone, Default)]
pub struct LastFailure(Arc<Mutex<Option<String>>>);

impl LastFailure {
    /// Does `work`, of whose calls this tells.
    pub async fn of<T>(&self, work: impl Future<Output = T>) -> T {
        SHOWN.scope(self.clone(), work).await
    }

    /// What tells of the calls of this task, to be told of those that are made for it elsewhere.
    pub(in crate::agent) fn of_this_task() -> Option<Self> {
        SHOWN.try_with(Self::clone).ok()
    }

    /// In a few words.
    pub fn words(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Sets it for whom it is shown, if for anyone.
    pub(super) fn set(words: Option<String>) {
        let _ = SHOWN.try_with(|shown| {
            *shown.0.lock().unwrap_or_else(PoisonError::into_inner) = words;
        });
    }
}
