//! All that is answered on one address: which part of the server a path belongs to.

use std::sync::Arc;

use axum::body::Bytes;
use axum::response::Response;
use hyper::Request;

use super::api::Served;
use super::probes::Probes;

/// All that is answered.
pub(super) struct Site {
    api: Arc<Served>,
    probes: Probes,
}

impl Site {
    pub(super) fn new(api: Arc<Served>, probes: Probes) -> Self {
        Self { api, probes }
    }

    /// From now on probes tell that no more callers are to be sent.
    pub(super) fn is_stopping(&self) {
        self.probes.readiness().set_stopping();
    }

    /// Answers one request. Probes name whatever host they reach the server by, and are not logged.
    pub(super) async fn answer<B>(self: Arc<Self>, request: Request<B>) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Unpin + Send,
    {
        match self.probes.at(request.uri().path()) {
            Some(probe) => self.probes.answer(probe, request.method()).await,
            None => Arc::clone(&self.api).answer(request).await,
        }
    }
}
