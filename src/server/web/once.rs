//! A form is done once, however often it is sent: it holds a name that is drawn for it, under which what was done is
//! kept with where it leads, as the API keeps the answers to requests with an idempotency key.

use axum::response::Response;
use jiff::Timestamp;

use super::fault::Fault;
use super::html;
use super::visit::Visit;
use crate::seal::SealingKey;
use crate::server::installation_keys::{KeptId, RetryScope};
use crate::server::model::Expected;
use crate::server::store::{Keep, KeptAnswer, Terms, oldest_kept};
use crate::server::tokens;

/// What the name of a form is sealed for.
const PURPOSE: &str = "kept page";

/// The field that holds the name.
const FIELD: &str = "once";

/// Names are not shorter than those that are drawn.
const SHORTEST: usize = 16;

/// A form that is done once.
pub(super) struct Once {
    id: KeptId,
    key: SealingKey,
}

/// Draws the name of a form.
pub(super) fn draw() -> Result<String, Fault> {
    Ok(tokens::initialization_token()?.expose().to_owned())
}

impl Once {
    /// The form that was sent. One without a name is none of ours.
    pub(super) fn of(visit: &Visit) -> Result<Self, Fault> {
        let name = visit.sent(FIELD);
        if name.len() < SHORTEST {
            return Err(Fault::Unreadable);
        }
        let token = visit.who()?.session.caller.token;
        let (id, key) = visit.state.keys.kept_answer(&RetryScope {
            authorization: format!("page {token}").as_bytes(),
            token: visit.uri().path().as_bytes(),
            key: name.as_bytes(),
        });
        Ok(Self { id, key })
    }

    /// Where it led when it was done before.
    pub(super) async fn before(&self, visit: &Visit) -> Result<Option<String>, Fault> {
        let since = oldest_kept(Timestamp::now());
        let Some(sealed) = visit.state.store.kept_answer(&self.id, since).await? else {
            return Ok(None);
        };
        let plain = self.key.unseal(PURPOSE, &sealed);
        let plain = plain.map_err(|error| Fault::Internal(error.into()))?;
        Ok(Some(String::from_utf8_lossy(&plain).into_owned()))
    }

    /// Where it led, if the same form was done meanwhile: of two that come at once, the later one finds what it is
    /// about changed.
    pub(super) async fn meanwhile(visit: &Visit) -> Result<Option<Response>, Fault> {
        let path = Self::of(visit)?.before(visit).await?;
        Ok(path.map(|path| html::see_other(&path)).transpose()?)
    }

    /// What goes with the change: it may be given up as long as the visitor waits, and where it leads to, a path as
    /// a browser asks for it, is kept with it.
    pub(super) fn terms<T>(
        self,
        visit: &Visit,
        expected: Expected,
        leads_to: impl Fn(&T) -> String + Send + 'static,
    ) -> Terms<T> {
        Terms {
            decision: visit.decision.clone(),
            expected,
            keep: Some(Keep {
                id: self.id,
                render: Box::new(move |done| {
                    Ok(KeptAnswer {
                        sealed: self.key.seal(PURPOSE, leads_to(done).as_bytes())?,
                        refused_to: None,
                        device: None,
                    })
                }),
            }),
        }
    }
}
