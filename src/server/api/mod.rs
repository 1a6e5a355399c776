//! The API: for each endpoint one function that authorizes, validates, calls the store and renders.

mod authentication;
mod body;
mod device;
mod devices;
mod endpoint;
mod event_selection;
mod html;
mod idempotency;
mod limits;
mod pages;
mod problem;
mod python;
mod request;
mod validation;
mod version;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::any;
use url::Url;

pub(super) use endpoint::Withheld;

use super::installation_keys::InstallationKeys;
use super::store::{Installation, Store};
use crate::wire::ServerVersion;

/// What all endpoints work with.
pub(super) struct Api {
    pub(super) store: Arc<dyn Store>,
    pub(super) keys: Arc<InstallationKeys>,
    pub(super) public_url: Option<Url>,
    pub(super) version: ServerVersion,
    answer_time: Duration,
    running: idempotency::Running,
}

/// Who is at the other end of the connection; an extension of each request.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

impl Api {
    pub(super) fn new(
        installation: &Installation,
        public_url: Option<Url>,
        version: ServerVersion,
        answer_time: Duration,
    ) -> Self {
        Self {
            store: Arc::clone(&installation.store) as Arc<dyn Store>,
            keys: Arc::clone(&installation.keys),
            public_url,
            version,
            answer_time,
            running: idempotency::Running::default(),
        }
    }

    /// The path of the public address, without a slash at the end.
    fn prefix(&self) -> &str {
        let path = self.public_url.as_ref().map_or("", Url::path);
        path.trim_end_matches('/')
    }
}

/// All paths that are served: at the root, and under the path of the public address if it has one,
/// so that a proxy may take that path away or leave it.
pub(super) fn router(api: Arc<Api>) -> Router {
    let routes = match api.prefix() {
        "" => routes(),
        prefix => routes().nest(prefix, routes()),
    };
    routes
        .fallback(async || html::not_found())
        .layer(from_fn_with_state(
            Arc::clone(&api),
            idempotency::repeat_or_keep,
        ))
        .layer(from_fn_with_state(Arc::clone(&api), limits::bounded))
        .layer(from_fn(limits::logged))
        .with_state(api)
}

fn routes() -> Router<Arc<Api>> {
    let devices = "/api/v1/organizers/{organizer}/devices";
    let device = "/api/v1/organizers/{organizer}/devices/{device_id}";
    Router::new()
        .route(&format!("{devices}/"), devices::LIST.serve(devices::list))
        .route(&format!("{device}/"), devices::ONE.serve(devices::one))
        .route(devices, any(html::append_slash))
        .route(device, any(html::append_slash))
        .route(
            "/api/v1/device/initialize",
            device::INITIALIZE.serve(device::initialize),
        )
        .route(
            "/api/v1/device/update",
            device::UPDATE.serve(device::update),
        )
        .route("/api/v1/device/roll", device::ROLL.serve(device::roll))
        .route(
            "/api/v1/device/revoke",
            device::REVOKE.serve(device::revoke),
        )
        .route("/api/v1/device/info", device::INFO.serve(device::info))
        .route(
            "/api/v1/device/eventselection",
            event_selection::SELECTION.serve(event_selection::selection),
        )
        .route("/api/v1/version", version::VERSION.serve(version::version))
        .route(
            "/api/v1/idempotency_query",
            idempotency::QUERY.serve(idempotency::query),
        )
}
