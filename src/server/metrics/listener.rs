//! `/metrics`, on a listener of its own.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

use super::Metrics;
use crate::serving::{self, Address, Limits, Listener, TrustedProxies};

const PATH: &str = "/metrics";

/// Who collects metrics comes with one connection or two.
const CONNECTIONS: usize = 16;

/// Answers who asks for metrics until `shutdown` is done.
pub(in crate::server) async fn serve(
    listener: Listener,
    metrics: Arc<Metrics>,
    shutdown: impl Future<Output = ()>,
) {
    let limits = Limits {
        connections: CONNECTIONS,
        ..Limits::default()
    };
    let service = |_, _| {
        let metrics = Arc::clone(&metrics);
        service_fn(move |request: Request<Incoming>| {
            let metrics = Arc::clone(&metrics);
            async move {
                Ok::<_, Infallible>(answer(&metrics, request.method(), request.uri().path()).await)
            }
        })
    };
    let (proxies, traffic) = (TrustedProxies::default(), Arc::default());
    serving::serve(listener, limits, proxies, traffic, service, shutdown).await;
}

async fn answer(metrics: &Metrics, method: &Method, path: &str) -> Response<Body> {
    let text = |status, text: &'static str| (status, text.to_owned());
    let (status, body) = match (method, path) {
        (_, path) if path != PATH => text(StatusCode::NOT_FOUND, "see /metrics\n"),
        (&Method::GET | &Method::HEAD, _) => match metrics.text().await {
            Ok(metrics) => (StatusCode::OK, metrics),
            Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "they can't be written\n"),
        },
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "this is asked with GET\n"),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Warns where strangers may be able to connect: what is told there names organizers and counts their devices.
pub(in crate::server) fn warn_of_strangers(address: &Address) {
    let Address::Tcp(socket) = address else {
        return;
    };
    if !is_at_home(socket.ip()) {
        tracing::warn!(
            %address,
            "anybody who can connect to the address for metrics reads how many devices each organizer has; \
             let only the machine that collects them, with a firewall, or listen on 127.0.0.1 or a Unix socket"
        );
    }
}

/// Whether only this machine or a private network reaches an address.
fn is_at_home(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_strangers_may_reach_is_told_from_others() {
        for (address, at_home) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:10.1.2.3", true),
            ("192.168.1.1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("0.0.0.0", false),
            ("::", false),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_at_home(address.parse().unwrap()), at_home, "{address}");
        }
    }
}
