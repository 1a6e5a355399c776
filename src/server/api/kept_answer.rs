//! Answers that are kept for whoever asks again under the same idempotency key.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Bytes;
use hyper::header::{self, HeaderMap};
use hyper::http::request::Parts;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::body::Body;
use super::credentials::{authorization, has_credentials};
use super::problem::Problem;
use super::python;
use super::reply::Reply;
use super::state::Api;
use crate::seal::{SealError, SealingKey};
use crate::server::installation_keys::{KeptId, RetryScope};
use crate::server::store::{KeptAnswer, oldest_kept};
use crate::wire;

/// What an answer is sealed for.
const PURPOSE: &str = "kept answer";

/// A request that came with an idempotency key.
pub(super) struct Idempotent {
    pub(super) id: KeptId,
    key: SealingKey,
    address: Vec<u8>,
    /// What was asked for, where the answer is for that alone.
    request: Option<Fingerprint>,
    is_kept: AtomicBool,
    /// The row of the device that is answered, once that is known.
    device: OnceLock<i64>,
}

impl Idempotent {
    /// A request whose refusal counts as one of this address.
    pub(super) fn new(
        id: KeptId,
        key: SealingKey,
        address: Vec<u8>,
        request: Option<Fingerprint>,
    ) -> Self {
        Self {
            id,
            key,
            address,
            request,
            is_kept: AtomicBool::new(false),
            device: OnceLock::new(),
        }
    }

    /// The answer as it is kept.
    pub(super) fn kept(&self, reply: &Reply) -> Result<KeptAnswer, SealError> {
        let told = Told {
            reply: reply.clone(),
            request: self.request.clone(),
        };
        let plain = serde_json::to_vec(&told).unwrap_or_default();
        Ok(KeptAnswer {
            sealed: self.key.seal(PURPOSE, &plain)?,
            refused_to: (reply.status >= 300).then(|| self.address.clone()),
            device: self.device.get().copied(),
        })
    }

    /// It is a device that is answered: what it is told under a key goes with that key.
    pub(super) fn set_device(&self, row: i64) {
        self.device.get_or_init(|| row);
    }

    /// Whether its answer was kept together with what it changed, or needs not to be kept.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept.load(Ordering::Relaxed)
    }

    pub(super) fn set_kept(&self) {
        self.is_kept.store(true, Ordering::Relaxed);
    }

    /// It has changed nothing, and is answered anew each time.
    pub(super) fn keep_nothing(&self) {
        self.set_kept();
    }
}

/// Tells a request from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint(String);

impl Fingerprint {
    /// That of a request which the reference has not. There an answer is never taken for one to something else, as
    /// that a key was ended; the reference repeats what it has answered under a key to whatever comes under it.
    pub(super) fn of(parts: &Parts, body: &[u8]) -> Option<Self> {
        if !is_beyond_the_reference(parts.uri.path()) {
            return None;
        }
        let expected = parts.headers.get_all(header::IF_MATCH).iter();
        let expected: Vec<u8> = expected
            .flat_map(|value| value.as_bytes().to_vec())
            .collect();
        let mut hash = Sha256::new();
        for part in [
            parts.method.as_str().as_bytes(),
            parts.uri.path().as_bytes(),
            &expected,
            body,
        ] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let hash = hash.finalize();
        Some(Self(
            hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        ))
    }
}

/// Whether it is `…/devices/batch/`, or below one device.
fn is_beyond_the_reference(path: &str) -> bool {
    let Some((_, below)) = path.split_once("/devices/") else {
        return false;
    };
    match below.split_once('/') {
        Some(("batch", _)) => true,
        Some((_, rest)) => !rest.is_empty(),
        None => below == "batch",
    }
}

/// An answer, and to what it was one.
#[derive(Serialize, Deserialize)]
pub(super) struct Told {
    #[serde(flatten)]
    pub(super) reply: Reply,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<Fingerprint>,
}

impl Told {
    /// The answer to this request; refused if it was one to another.
    pub(super) fn to(self, request: Option<&Fingerprint>) -> Result<Reply, Problem> {
        match self.request.as_ref() == request {
            true => Ok(self.reply),
            false => Err(Problem::OtherRequest),
        }
    }
}

/// Who may have an answer again: whoever sends the same `Authorization` header. Where that names
/// nobody, and on `initialize`, which does not look at it, callers are told apart by the
/// initialization token they send.
pub(super) async fn scope(
    api: &Api,
    path: &str,
    headers: &HeaderMap,
    key: &[u8],
    body: &Bytes,
) -> (KeptId, SealingKey) {
    let mut token = String::new();
    if !has_credentials(headers) || path.ends_with(wire::path::INITIALIZE) {
        let content_type = headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        if let Ok(body) = Body::read(content_type.unwrap_or_default(), body).await {
            let sent = body.text("token").unwrap_or_default();
            token = python::strip(&sent).to_owned();
        }
    }
    api.keys.kept_answer(&RetryScope {
        authorization: &authorization(headers),
        token: token.as_bytes(),
        key,
    })
}

/// The answer that is kept under an id.
pub(super) async fn find(
    api: &Api,
    id: &KeptId,
    key: &SealingKey,
) -> Result<Option<Told>, Problem> {
    let since = oldest_kept(Timestamp::now());
    let Some(sealed) = api.store.kept_answer(id, since).await? else {
        return Ok(None);
    };
    // What it answers was done, perhaps.
    let plain = key.unseal(PURPOSE, &sealed);
    let plain = plain.map_err(|error| Problem::Internal(error.into()))?;
    Ok(Some(serde_json::from_slice(&plain)?))
}
