//! The way of a request to its page: bounded, and handed to the function of its row.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use hyper::header::HeaderMap;
use hyper::http::Extensions;
use hyper::{Request, StatusCode, Version};
use jiff::Timestamp;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_service::Service;

use super::fault::Fault;
use super::frame::Frame;
use super::html::Compressible;
use super::pages;
use super::session::{self, Cookies};
use super::state::State;
use crate::server::public_url::PublicUrl;
use crate::server::reception::{self, Callers, House, Refusal};
use crate::server::store::{Installation, StoreError};

/// The page as it is served.
pub(in crate::server) struct Web {
    state: Arc<State>,
    routes: Router,
}

impl Web {
    pub(in crate::server) fn new(
        installation: &Installation,
        public_url: Option<&PublicUrl>,
        answer_time: Duration,
        callers: Arc<Callers>,
    ) -> Arc<Self> {
        let state = State::new(installation, public_url, answer_time, callers);
        let state = Arc::new(state);
        Arc::new(Self {
            routes: pages::routes()
                .with_state(Arc::clone(&state))
                // Of a table one tenth is left, and more effort takes off little of that.
                .layer(
                    CompressionLayer::new()
                        .quality(CompressionLevel::Fastest)
                        .compress_when(is_compressible),
                ),
            state,
        })
    }

    /// Answers one request that was let in.
    pub(in crate::server) async fn answer<B>(self: Arc<Self>, request: Request<B>) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Unpin + Send,
    {
        let door = Door {
            state: &self.state,
            frame: Frame::of(&self.state, request.uri(), request.headers()),
            cookies: Cookies::of(&self.state, &request),
        };
        let mut routes = self.routes.clone();
        let next = |request: Request<Body>| async move {
            let Ok(response) = routes.call(request).await;
            response
        };
        reception::bounded(&door, request, next).await
    }

    /// Answers one that is not let in.
    pub(in crate::server) fn turn_away<B>(
        &self,
        request: &Request<B>,
        refusal: Refusal,
    ) -> Response {
        let frame = Frame::of(&self.state, request.uri(), request.headers());
        Fault::from(refusal).told(&frame)
    }

    /// Ends the answers that go on: the server stops.
    pub(in crate::server) fn end_streams(&self) {
        self.state.end_streams();
    }

    /// Follows what is done to devices, for as long as the server runs.
    pub(in crate::server) async fn follow(&self) {
        self.state.feed.run().await;
    }
}

/// Pages alone say so of themselves: a stream of events would be kept back, and others are compressed already.
fn is_compressible(_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions) -> bool {
    extensions.get::<Compressible>().is_some()
}

/// What is behind the way in for one request: refusals are told in its language.
struct Door<'s> {
    state: &'s State,
    frame: Frame,
    cookies: Cookies,
}

impl House for Door<'_> {
    fn answer_time(&self) -> Duration {
        self.state.answer_time
    }

    async fn is_known(&self, headers: &HeaderMap) -> Result<bool, StoreError> {
        let found = session::find(self.state, headers, &self.cookies, Timestamp::now()).await?;
        Ok(found.is_some())
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        Fault::from(refusal).told(&self.frame)
    }
}
