//! The way of a request to its endpoint: bounded and logged, answered again if it was done before.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hyper::Request;
use tower_service::Service;

use super::endpoints::ENDPOINTS;
use super::reply::Reply;
use super::state::Api;
use super::{admission, idempotency, limits, no_endpoint, openapi, verify};

/// All that is served.
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

    /// Answers one request.
    pub(in crate::server) async fn answer<B>(self: Arc<Self>, request: Request<B>) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Unpin + Send,
    {
        let served = &self;
        let api = &served.api;
        limits::logged(api, request, |request| async move {
            let request = match admission::admitted(api, request) {
                Ok(request) => request,
                Err(problem) => return Reply::refusal(problem).into_response(),
            };
            limits::bounded(api, request, |request| Arc::clone(served).route(request)).await
        })
        .await
    }

    /// Hands a request that is there as a whole to its endpoint.
    async fn route(self: Arc<Self>, request: Request<Body>) -> Response {
        if request.uri().path() == verify::PATH {
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
