//! `/healthz` and `/readyz`: what a proxy, a service manager or an orchestrator asks to know how this process is doing.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use hyper::header::{self, HeaderValue};
use hyper::{Method, StatusCode};

use super::readiness::{Readiness, Verdict};

/// The probes, which whoever can connect may ask: they tell nothing but how it is doing.
pub(super) struct Probes {
    readiness: Arc<Readiness>,
    prefix: String,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// Whether the process lives.
    Health,
    /// Whether it answers callers.
    Readiness,
}

impl Probes {
    /// They are at the root, and below the path of the public address too.
    pub(super) fn new(readiness: Arc<Readiness>, prefix: &str) -> Self {
        Self {
            readiness,
            prefix: prefix.to_owned(),
        }
    }

    /// The probe that is at a path.
    pub(super) fn at(&self, path: &str) -> Option<Probe> {
        let below = path.strip_prefix(&*self.prefix);
        below.into_iter().chain([path]).find_map(named)
    }

    pub(super) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(super) async fn answer(&self, probe: Probe, method: &Method) -> Response {
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut refused = text(
                StatusCode::METHOD_NOT_ALLOWED,
                "this is asked with GET or HEAD",
            );
            let allowed = HeaderValue::from_static("GET, HEAD");
            refused.headers_mut().insert(header::ALLOW, allowed);
            return refused;
        }
        let verdict = match probe {
            Probe::Health => Verdict::Ready,
            Probe::Readiness => self.readiness.ask().await,
        };
        match verdict {
            Verdict::Ready => text(StatusCode::OK, "ok"),
            Verdict::Stopping => text(StatusCode::SERVICE_UNAVAILABLE, "shutting down"),
            Verdict::Unconfirmed => text(
                StatusCode::SERVICE_UNAVAILABLE,
                "a restored backup waits to be confirmed",
            ),
            Verdict::NoDatabase => text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer",
            ),
        }
    }
}

fn named(path: &str) -> Option<Probe> {
    match path {
        "/healthz" => Some(Probe::Health),
        "/readyz" => Some(Probe::Readiness),
        _ => None,
    }
}

/// A line for people; `HEAD` gets it without the body from the connection.
fn text(status: StatusCode, line: &str) -> Response {
    let mut response = Response::new(Body::from(format!("{line}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
