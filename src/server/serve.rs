//! Accepts connections and serves them until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::api::{Peer, Withheld};

/// Connections at once; more wait to be accepted.
const CONNECTIONS: usize = 8192;
/// How long a request's head may take to arrive, and a connection may idle.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Largest head of a request in bytes; with a larger one, or more than 100 headers, which is hyper's
/// own limit, it is refused with 431.
const HEAD_LIMIT: usize = 32 * 1024;
/// What is read from a connection at once, at most.
const BUFFER: usize = 64 * 1024;
/// How long requests may take that were accepted before the end.
const GRACE: Duration = Duration::from_secs(40);
/// Pause after a connection could not be accepted, as when too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` is done, and then finishes what was accepted.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (stream, address, place) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accepted => match accepted {
                (Ok((stream, address)), Ok(place)) => (stream, address, place),
                (Err(error), _) => {
                    tracing::warn!(%error, "a connection can't be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
                // Nobody closes the semaphore.
                (_, Err(_)) => break,
            },
        };
        let connection = connection(stream, Peer(address.ip()), router.clone());
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // What fails on a connection concerns the caller, who sees it too.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests were not done in time");
    }
}

/// Closes a connection in place of an answer.
#[derive(Debug, thiserror::Error)]
#[error("it is not known whether the request was done")]
struct Unanswered;

fn connection(
    stream: TcpStream,
    peer: Peer,
    router: Router,
) -> http1::Connection<
    TokioIo<TcpStream>,
    impl Service<
        hyper::Request<Incoming>,
        Response = axum::response::Response,
        Error = Unanswered,
        Future: Send,
    >,
> {
    // Answers are small and written at once: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let answer = router.call(request);
        async move {
            let Ok(response) = answer.await;
            match response.extensions().get::<Withheld>() {
                None => Ok(response),
                Some(_) => Err(Unanswered),
            }
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_header_size(HEAD_LIMIT)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service)
}
