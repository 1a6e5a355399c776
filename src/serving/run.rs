//! Accepts connections and serves them until it is told to stop.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::clock;
use super::framing::Framing;
use super::limits::Limits;
use super::listener::{Listener, Stream};
use super::peer::Peer;

/// Pause after a connection could not be accepted, as when too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` is done, and then finishes what was accepted. Each connection has a service
/// of its own, which is made for who is there and the address of ours it reached; one that fails has
/// its connection closed in place of an answer.
pub(crate) async fn serve<S, B>(
    listener: Listener,
    limits: Limits,
    service: impl Fn(Peer, Option<IpAddr>) -> S,
    shutdown: impl Future<Output = ()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (stream, peer, place) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accepted => match accepted {
                (Ok((stream, peer)), Ok(place)) => (stream, peer, place),
                (Err(error), _) => {
                    tracing::warn!(%error, "a connection can't be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
                // Nobody closes the semaphore.
                (_, Err(_)) => break,
            },
        };
        let connection = Connection {
            service: service(peer, stream.local_address()),
            limits,
            watcher: graceful.watcher(),
            place,
        };
        match stream {
            Stream::Tcp(stream) => drop(tokio::spawn(connection.serve(stream))),
            Stream::Unix(stream) => drop(tokio::spawn(connection.serve(stream))),
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.grace, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests were not done in time");
    }
}

/// What serves one connection.
struct Connection<S> {
    service: S,
    limits: Limits,
    watcher: Watcher,
    place: OwnedSemaphorePermit,
}

impl<S> Connection<S> {
    async fn serve<B>(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static)
    where
        S: Service<Request<Incoming>, Response = Response<B>>,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        if !clock::is_fit() {
            // The caller may have gone, and sees to that.
            let _ = clock::refuse(stream).await;
            return;
        }
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_time)
            .max_header_size(self.limits.head_size)
            .max_buf_size(self.limits.buffer)
            .serve_connection(TokioIo::new(Framing::new(stream)), self.service);
        // What fails on a connection concerns the caller, who sees it too.
        if let Err(error) = self.watcher.watch(connection).await {
            tracing::debug!(%error, "a connection broke");
        }
        drop(self.place);
    }
}
