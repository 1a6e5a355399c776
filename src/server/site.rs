//! All that is served on the port: probes, the API below its path, the page everywhere else.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::response::Response;
use hyper::Request;

use super::api;
use super::probes::Probes;
use super::public_url::PublicUrl;
use super::reception::{self, Callers, Destination, House, Withheld};
use super::web::Web;

/// The API and the page, behind one way in, and the probes beside it.
pub(super) struct Site {
    callers: Arc<Callers>,
    /// The path of the public address, without a slash at the end.
    prefix: String,
    probes: Probes,
    counts: Arc<api::Counts>,
    api: Arc<api::Served>,
    web: Arc<Web>,
}

impl Site {
    pub(super) fn new(
        callers: Arc<Callers>,
        public_url: Option<&PublicUrl>,
        probes: Probes,
        counts: Arc<api::Counts>,
        api: Arc<api::Served>,
        web: Arc<Web>,
    ) -> Arc<Self> {
        Arc::new(Self {
            callers,
            prefix: public_url.map_or("", PublicUrl::path).to_owned(),
            probes,
            counts,
            api,
            web,
        })
    }

    /// Answers one request. Probes name whatever host they reach the server by, and are neither logged nor counted.
    pub(super) async fn answer<B>(self: Arc<Self>, request: Request<B>) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Unpin + Send,
    {
        if let Some(probe) = self.probes.at(request.uri().path()) {
            return self.probes.answer(probe, request.method()).await;
        }
        let begun = Instant::now();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let site = &self;
        let response = reception::logged(&site.callers, request, |mut request| async move {
            let admitted = reception::check_host(&site.callers, &request);
            let destination = reception::destination(&mut request, &site.prefix);
            match (destination, admitted) {
                (Destination::Api, Ok(())) => Arc::clone(&site.api).answer(request).await,
                (Destination::Api, Err(refusal)) => site.api.refuse(refusal),
                (Destination::Page, Ok(())) => Arc::clone(&site.web).answer(request).await,
                (Destination::Page, Err(refusal)) => site.web.turn_away(&request, refusal),
            }
        })
        .await;
        let is_withheld = response.extensions().get::<Withheld>().is_some();
        let sent = (!is_withheld).then(|| response.status());
        let path = reception::api_path(uri.path(), &self.prefix);
        self.counts.answered(path, &method, begun, sent);
        response
    }

    /// The server stops: probes tell that no more callers are to be sent, and answers end that go on until somebody
    /// ends them.
    pub(super) fn is_stopping(&self) {
        self.probes.readiness().set_stopping();
        self.web.end_streams();
    }

    /// Follows what pages show that turn by themselves, for as long as the server runs.
    pub(super) async fn follow(&self) {
        self.web.follow().await;
    }
}
