//! The moment from which a server may have seen an operation: when a connection stands, the operation
//! is written down, and only then anything is sent. What never found a connection leaves no trace,
//! whenever the process ends.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::RequestBuilder;

use crate::agent::answer::ANSWER_LIMIT;
use crate::agent::client::{Client, Ended, Repeat};
use crate::agent::core::{Core, Sent};
use crate::agent::error::AgentError;
use crate::vault::{Folder, Vault};

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
    folder: Arc<Folder>,
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

/// Sends an operation's request; one that was not sent before is written down by `begin` first.
pub(super) async fn send(
    core: &Core,
    client: &Client,
    request: RequestBuilder,
    sent: Sent,
    begin: Box<Begin>,
) -> Result<Sending, AgentError> {
    let send = async |client: Client| {
        let client = client.within(core.clients.patience_for(sent));
        client.send(request, ANSWER_LIMIT, Repeat::Safe).await
    };
    if sent.before() {
        return Ok(Sending {
            ended: send(client.clone()).await,
            is_begun: true,
        });
    }
    let intent = Arc::new(Intent {
        folder: core.folder.clone(),
        begin,
        begun: Mutex::default(),
    });
    let asked = Arc::clone(&intent);
    let held = client.sending_after(Arc::new(move || asked.is_begun()))?;
    let ended = send(held).await;
    let is_begun = intent.outcome().transpose()?.is_some();
    Ok(Sending { ended, is_begun })
}
