//! A form is done once, however often it is sent: it holds a name that is drawn for it, under which what was done is
//! kept with where it leads, as the API keeps the answers to requests with an idempotency key. Sent with other contents
//! under the same name, it is another form, which was not done.

use std::collections::BTreeMap;

use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fault::Fault;
use super::html;
use super::visit::Visit;
use crate::seal::SealingKey;
use crate::server::api::{Body, FormValue};
use crate::server::installation_keys::{KeptId, RetryScope};
use crate::server::model::Expected;
use crate::server::store::{Keep, KeptAnswer, StoreError, Terms, oldest_kept};
use crate::server::tokens;

/// What the name of a form is sealed for.
const PURPOSE: &str = "kept page";

/// The field that holds the name.
const FIELD: &str = "once";

/// The field that differs each time a page is shown.
const SHOWN_FIELD: &str = "csrf";

/// Names are not shorter than those that are drawn.
const SHORTEST: usize = 16;

/// A form that is done once.
pub(super) struct Once {
    id: KeptId,
    key: SealingKey,
    contents: String,
}

/// What is kept of a form that was done.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Tells its contents from others.
    contents: String,
    leads_to: String,
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
        Ok(Self {
            id,
            key,
            contents: contents(visit),
        })
    }

    /// Where it led when it was done before.
    pub(super) async fn before(&self, visit: &Visit) -> Result<Option<Response>, Fault> {
        let since = oldest_kept(Timestamp::now());
        let Some(sealed) = visit.state.store.kept_answer(&self.id, since).await? else {
            return Ok(None);
        };
        let plain = self.key.unseal(PURPOSE, &sealed);
        let plain = plain.map_err(|error| Fault::Internal(error.into()))?;
        let kept: Kept =
            serde_json::from_slice(&plain).map_err(|error| Fault::Internal(error.into()))?;
        match kept.contents == self.contents {
            true => Ok(Some(html::see_other(&kept.leads_to)?)),
            false => Err(Fault::OtherForm(kept.leads_to)),
        }
    }

    /// Where it led, if this is why it can't be done: the same form was done meanwhile. Of two that come at once, the
    /// later one finds that, or what it is about changed.
    pub(super) async fn meanwhile(visit: &Visit, error: StoreError) -> Result<Response, Fault> {
        let done = match error {
            StoreError::AlreadyKept | StoreError::Outdated => {
                Self::of(visit)?.before(visit).await?
            }
            _ => None,
        };
        done.ok_or(Fault::Store(error))
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
                    let kept = Kept {
                        contents: self.contents.clone(),
                        leads_to: leads_to(done),
                    };
                    // Two texts are written in any case.
                    let plain = serde_json::to_vec(&kept).unwrap_or_default();
                    Ok(KeptAnswer {
                        sealed: self.key.seal(PURPOSE, &plain)?,
                        refused_to: None,
                        device: None,
                    })
                }),
            }),
        }
    }
}

/// Tells what a form holds, and to what it was sent, from others.
fn contents(visit: &Visit) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    add(visit.uri().query().unwrap_or_default().as_bytes());
    if let Body::Form(fields) = &visit.form {
        let fields: BTreeMap<_, _> = fields.iter().collect();
        let told = fields
            .into_iter()
            .filter(|(name, _)| ![FIELD, SHOWN_FIELD].contains(&name.as_str()));
        for (name, values) in told {
            add(name.as_bytes());
            add(&values.len().to_be_bytes());
            for value in values {
                match value {
                    FormValue::Text(text) => add(text.as_bytes()),
                    FormValue::File(content) => add(content),
                }
            }
        }
    }
    let hash = hash.finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
