//! Puts what is served behind the connections.

use std::sync::Arc;

use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};

use super::reception::{Connection, Withheld};
use super::site::Site;
use crate::serving::{self, Limits, Listener, Traffic, TrustedProxies};

/// Closes a connection in place of an answer.
#[derive(Debug, thiserror::Error)]
#[error("it is not known whether the request was done")]
struct Unanswered;

/// Serves until `shutdown` is done, and then finishes what was accepted.
pub(super) async fn serve(
    listener: Listener,
    limits: Limits,
    trusted_proxies: TrustedProxies,
    traffic: Arc<Traffic>,
    site: Arc<Site>,
    shutdown: impl Future<Output = ()>,
) {
    let is_secure = listener.is_secure();
    let service = |peer, reached| {
        let connection = Connection {
            peer,
            reached,
            is_secure,
        };
        service(Arc::clone(&site), connection)
    };
    let shutdown = async {
        shutdown.await;
        site.is_stopping();
    };
    serving::serve(
        listener,
        limits,
        trusted_proxies,
        traffic,
        service,
        shutdown,
    )
    .await;
}

fn service(
    site: Arc<Site>,
    connection: Connection,
) -> impl Service<Request<Incoming>, Response = Response, Error = Unanswered, Future: Send + 'static>
+ Send
+ Sync
+ 'static {
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(connection);
        let answer = Arc::clone(&site).answer(request);
        async move {
            let response = answer.await;
            match response.extensions().get::<Withheld>() {
                None => Ok(response),
                Some(_) => Err(Unanswered),
            }
        }
    })
}
