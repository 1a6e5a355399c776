//! The way of a request to its endpoint: bounded, answered again if it was done before.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hyper::Request;
use hyper::header::HeaderMap;
use tower_service::Service;

use super::endpoints::ENDPOINTS;
use super::reply::Reply;
use super::state::Api;
use super::{authentication, idempotency, no_endpoint, openapi, verify};
use crate::server::reception::{self, House, Refusal, VERIFY};
use crate::server::store::StoreError;

/// All that the API serves.
pub(in crate::server) struct Served {
    api: Arc<Api>,
    routes: Router,
}

impl Served {
    pub(in crate::server) fn new(api: Api) -> Arc<Self> {
        let document = openapi::document(&ENDPOINTS, api.prefix());
        // It is the same whoever asks, and made once.
        let _ = api.openapi.set(document);
        let api = Arc::new(api);
        Arc::new(Self {
            routes: routes().with_state(Arc::clone(&api)),
            api,
        })
    }

    /// Answers one request that was let in.
    pub(in crate::server) async fn answer<B>(self: Arc<Self>, request: Request<B>) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Unpin + Send,
    {
        reception::bounded(&*self, request, |request| Arc::clone(&self).route(request)).await
    }

    /// Hands a request that is there as a whole to its endpoint.
    async fn route(self: Arc<Self>, request: Request<Body>) -> Response {
        if request.uri().path() == VERIFY {
            // Not among the endpoints: it judges requests that go elsewhere.
            return verify::verify(&self.api, request).await.into_response();
        }
        let mut routes = self.routes.clone();
        idempotency::repeat_or_keep(&self.api, request, |request| async move {
            let Ok(response) = routes.call(request).await;
            response
        })
        .await
    }
}

impl House for Served {
    fn answer_time(&self) -> Duration {
        self.api.answer_time
    }

    async fn is_known(&self, headers: &HeaderMap) -> Result<bool, StoreError> {
        authentication::is_known(&self.api, headers).await
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        Reply::refusal(refusal.into()).into_response()
    }
}

fn routes() -> Router<Arc<Api>> {
    let routes = ENDPOINTS.iter();
    let none = Router::new().fallback(no_endpoint::none);
    routes.fold(none, |routes, endpoint| {
        let routes = routes.route(endpoint.path, endpoint.serve());
        match endpoint.path.strip_suffix('/') {
            Some(path) => routes.route(path, any(no_endpoint::append_slash)),
            None => routes,
        }
    })
}
