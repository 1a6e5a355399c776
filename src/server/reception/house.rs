//! What the way in asks of what is behind it.

use std::time::Duration;

use axum::response::Response;
use hyper::header::HeaderMap;

use super::refusal::Refusal;
use crate::server::store::StoreError;

/// What answers the requests that were let in.
pub(in crate::server) trait House: Send + Sync {
    /// How long an answer may take, once the request is there.
    fn answer_time(&self) -> Duration;

    /// Whether these headers show someone who may be let in.
    fn is_known(
        &self,
        headers: &HeaderMap,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// How a refusal is told.
    fn refuse(&self, refusal: Refusal) -> Response;
}
