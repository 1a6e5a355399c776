//! All that is served on the port: the API below its path, the page everywhere else.

use std::sync::Arc;

use axum::body::Bytes;
use axum::response::Response;
use hyper::Request;

use super::api;
use super::public_url::PublicUrl;
use super::reception::{self, Callers, Destination, House};
use super::web::Web;

/// The API and the page, behind one way in.
pub(super) struct Site {
    callers: Arc<Callers>,
    /// The path of the public address, without a slash at the end.
    prefix: String,
    api: Arc<api::Served>,
    web: Arc<Web>,
}

impl Site {
    pub(super) fn new(
        callers: Arc<Callers>,
        public_url: Option<&PublicUrl>,
        api: Arc<api::Served>,
        web: Arc<Web>,
    ) -> Arc<Self> {
        Arc::new(Self {
            callers,
            prefix: public_url.map_or("", PublicUrl::path).to_owned(),
            api,
            web,
        })
    }

    /// Answers one request.
    pub(super) async fn answer<B>(self: Arc<Self>, request: Request<B>) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Unpin + Send,
    {
        let site = &self;
        reception::logged(&site.callers, request, |mut request| async move {
            let admitted = reception::check_host(&site.callers, &request);
            let destination = reception::destination(&mut request, &site.prefix);
            match (destination, admitted) {
                (Destination::Api, Ok(())) => Arc::clone(&site.api).answer(request).await,
                (Destination::Api, Err(refusal)) => site.api.refuse(refusal),
                (Destination::Page, Ok(())) => Arc::clone(&site.web).answer(request).await,
                (Destination::Page, Err(refusal)) => site.web.turn_away(&request, refusal),
            }
        })
        .await
    }

    /// Ends the answers that go on until somebody ends them: the server stops.
    pub(super) fn end_streams(&self) {
        self.web.end_streams();
    }

    /// Follows what pages show that turn by themselves, for as long as the server runs.
    pub(super) async fn follow(&self) {
        self.web.follow().await;
    }
}
