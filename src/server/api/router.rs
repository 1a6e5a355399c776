//! The way of a request to its endpoint: bounded and logged, answered again if it was done before.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::any;

use super::endpoints::ENDPOINTS;
use super::state::Api;
use super::{idempotency, limits, no_endpoint};

/// All paths that are served: at the root, and under the path of the public address if it has one,
/// so that a proxy may take that path away or leave it.
pub(in crate::server) fn router(api: Arc<Api>) -> Router {
    let routes = match api.prefix() {
        "" => routes(),
        prefix => routes().nest(prefix, routes()),
    };
    routes
        .fallback(async || no_endpoint::not_found())
        .layer(from_fn_with_state(
            Arc::clone(&api),
            idempotency::repeat_or_keep,
        ))
        .layer(from_fn_with_state(Arc::clone(&api), limits::bounded))
        .layer(from_fn(limits::logged))
        .with_state(api)
}

fn routes() -> Router<Arc<Api>> {
    let routes = ENDPOINTS.iter();
    routes.fold(Router::new(), |routes, endpoint| {
        let routes = routes.route(endpoint.path, endpoint.serve());
        match endpoint.path.strip_suffix('/') {
            Some(path) => routes.route(path, any(no_endpoint::append_slash)),
            None => routes,
        }
    })
}
