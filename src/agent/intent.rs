//! The moment from which a server may have seen an operation: when a connection stands, the operation
//! is written down, and only then anything is sent. What never found a connection leaves no trace,
//! whenever the process ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::RequestBuilder;

use super::answer::ANSWER_LIMIT;
use super::client::{Ended, Repeat};
use super::{Agent, AgentError, Client};
use crate::vault::{Folder, Vault};

/// Whether the server may have seen an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Never,
    /// No, and what was asked for now is something else, which is not to wait long.
    NeverInPassing,
    /// By a command before this one.
    Before,
    /// The same, in passing.
    BeforeInPassing,
}

/// How long something else may wait for what is due or was begun before.
const IN_PASSING: Duration = Duration::from_secs(5);

impl Sent {
    pub(super) fn is_in_passing(self) -> bool {
        matches!(self, Self::NeverInPassing | Self::BeforeInPassing)
    }

    pub(super) fn before(self) -> bool {
        matches!(self, Self::Before | Self::BeforeInPassing)
    }
}

/// Writes a begun operation into the vault.
pub(super) type Begin = dyn Fn(&mut Vault) -> Result<(), AgentError> + Send + Sync;

/// How the sending of an operation ended.
pub(super) struct Sending {
    pub(super) ended: Ended,
    /// Whether the operation is in the vault; if not, nothing of it was sent.
    pub(super) is_begun: bool,
}

/// An operation that is not in the vault yet.
struct Intent {
    folder: Folder,
    begin: Box<Begin>,
    /// Whether it is by now, or why it can't be.
    begun: Mutex<Option<Result<(), AgentError>>>,
}

impl Intent {
    /// Writes it down, unless it is, and tells whether it is.
    fn is_begun(&self) -> bool {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let write = || (self.begin)(&mut Vault::open(&self.folder)?);
        begun.get_or_insert_with(write).is_ok()
    }

    /// What came of it.
    fn outcome(&self) -> Option<Result<(), AgentError>> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.take()
    }
}

impl Agent {
    /// How long something else may wait now: half of what is left at most, so that it gets its turn.
    pub(super) fn patience(&self) -> Duration {
        IN_PASSING.min(self.client.deadline() / 2)
    }

    pub(super) fn patience_for(&self, sent: Sent) -> Option<Duration> {
        sent.is_in_passing().then(|| self.patience())
    }

    /// Sends an operation's request; one that was not sent before is written down by `begin` first.
    pub(super) async fn send_operation(
        &self,
        client: &Client,
        request: RequestBuilder,
        sent: Sent,
        begin: Box<Begin>,
    ) -> Result<Sending, AgentError> {
        let send = async |client: Client| {
            let client = client.within(self.patience_for(sent));
            client.send(request, ANSWER_LIMIT, Repeat::Safe).await
        };
        if sent.before() {
            return Ok(Sending {
                ended: send(client.clone()).await,
                is_begun: true,
            });
        }
        let intent = Arc::new(Intent {
            folder: self.folder.clone(),
            begin,
            begun: Mutex::default(),
        });
        let asked = Arc::clone(&intent);
        let held = client.sending_after(Arc::new(move || asked.is_begun()))?;
        let ended = send(held).await;
        let is_begun = intent.outcome().transpose()?.is_some();
        Ok(Sending { ended, is_begun })
    }
}
