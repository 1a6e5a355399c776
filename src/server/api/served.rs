//! The way of a request to its endpoint: bounded and logged, answered again if it was done before.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::any;

use super::endpoints::ENDPOINTS;
use super::state::Api;
use super::{admission, idempotency, limits, no_endpoint};

/// All that is served.
pub(in crate::server) fn router(api: Arc<Api>) -> Router {
    // Before the routes, as it says by which path a request goes.
    Router::new()
        .fallback_service(routes().with_state(Arc::clone(&api)))
        .layer(from_fn_with_state(
            Arc::clone(&api),
            idempotency::repeat_or_keep,
        ))
        .layer(from_fn_with_state(Arc::clone(&api), limits::bounded))
        .layer(from_fn_with_state(Arc::clone(&api), admission::admitted))
        .layer(from_fn_with_state(Arc::clone(&api), limits::logged))
        .with_state(api)
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
