//! Puts the API behind the connections that are served.

use std::sync::Arc;

use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};

use super::api::{Connection, Served, Withheld};
use crate::serving::{self, Limits, Listener, TrustedProxies};

/// Closes a connection in place of an answer.
#[derive(Debug, thiserror::Error)]
#[error("it is not known whether the request was done")]
struct Unanswered;

/// Serves until `shutdown` is done, and then finishes what was accepted.
pub(super) async fn serve(
    listener: Listener,
    limits: Limits,
    trusted_proxies: TrustedProxies,
    served: Arc<Served>,
    shutdown: impl Future<Output = ()>,
) {
    let service = |peer, reached| service(Arc::clone(&served), Connection { peer, reached });
    serving::serve(listener, limits, trusted_proxies, service, shutdown).await;
}

fn service(
    served: Arc<Served>,
    connection: Connection,
) -> impl Service<Request<Incoming>, Response = Response, Error = Unanswered, Future: Send + 'static>
+ Send
+ Sync
+ 'static {
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(connection);
        let answer = Arc::clone(&served).answer(request);
        async move {
            let response = answer.await;
            match response.extensions().get::<Withheld>() {
                None => Ok(response),
                Some(_) => Err(Unanswered),
            }
        }
    })
}
