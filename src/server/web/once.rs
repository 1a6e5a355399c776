//! What a form does once, however often it is sent: a double click, the back button, a connection that broke.
//!
//! The form has a random mark. Where it leads is kept under that, as the answers of the API are, in the transaction
//! of what it does.

use std::sync::Arc;

use jiff::Timestamp;

use super::fault::Fault;
use super::visit::Visit;
use crate::seal::SealingKey;
use crate::server::installation_keys::{KeptId, RetryScope};
use crate::server::store::{Decision, Keep, KeptAnswer, Terms, oldest_kept};
use crate::server::tokens;

/// What is kept is sealed for this.
const PURPOSE: &str = "where a form leads";

/// The field that holds the mark.
pub(super) const FIELD: &str = "once";

/// One sending of a form.
pub(super) struct Once {
    id: KeptId,
    key: Arc<SealingKey>,
    decision: Decision,
}

/// A mark for a form.
pub(super) fn mark() -> Result<String, Fault> {
    Ok(tokens::initialization_token()?.expose().to_owned())
}

impl Once {
    /// Of a form that was sent, for who is signed in alone.
    pub(super) fn of(visit: &Visit) -> Result<Self, Fault> {
        let mark = visit.sent(FIELD);
        if mark.is_empty() {
            return Err(Fault::Unreadable);
        }
        let (id, key) = visit.state.keys.kept_answer(&RetryScope {
            authorization: visit.who()?.secret.expose().as_bytes(),
            token: b"",
            key: mark.as_bytes(),
        });
        Ok(Self {
            id,
            key: Arc::new(key),
            decision: visit.decision.clone(),
        })
    }

    /// The terms of what it does: `leads` is the path that is shown then.
    pub(super) fn terms<T>(&self, leads: impl Fn(&T) -> String + Send + 'static) -> Terms<T> {
        let key = Arc::clone(&self.key);
        Terms {
            decision: self.decision.clone(),
            keep: Some(Keep {
                id: self.id,
                render: Box::new(move |done| {
                    Ok(KeptAnswer {
                        sealed: key.seal(PURPOSE, leads(done).as_bytes())?,
                        refused_to: None,
                        device: None,
                    })
                }),
            }),
            ..Terms::default()
        }
    }

    /// Where it led when it was sent before.
    pub(super) async fn led(&self, visit: &Visit) -> Result<Option<String>, Fault> {
        let since = oldest_kept(Timestamp::now());
        let Some(sealed) = visit.state.store.kept_answer(&self.id, since).await? else {
            return Ok(None);
        };
        let path = self.key.unseal(PURPOSE, &sealed);
        let path = path.map_err(|error| Fault::Internal(error.into()))?;
        Ok(Some(String::from_utf8_lossy(&path).into_owned()))
    }
}
