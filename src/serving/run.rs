//! Accepts connections and serves them until it is told to stop.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::task::JoinSet;

use super::clock;
use super::descriptors;
use super::framing::Framing;
use super::head_timer::HeadTimer;
use super::limits::Limits;
use super::listener::Listener;
use super::memory::Memory;
use super::paced::{NotTaken, Paced};
use super::peer::Peer;
use super::places::{Place, Places};
use super::standing::Standing;
use super::stream::Stream;
use super::trim;
use super::trusted_proxies::TrustedProxies;
use crate::causes;
use crate::seldom::Seldom;

/// Pause after a connection could not be accepted, as when too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The part of the time to the end that is left for what follows on the last answer, as closing files.
const CLOSING: u32 = 10;

/// Serves until `shutdown` is done, and then finishes what was accepted. Each connection has a service
/// of its own, which is made for who is there and the address of ours it reached; one that fails has
/// its connection closed in place of an answer.
pub(crate) async fn serve<S, B>(
    listener: Listener,
    limits: Limits,
    trusted_proxies: TrustedProxies,
    service: impl Fn(Peer, Option<IpAddr>) -> S,
    shutdown: impl Future<Output = ()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let graceful = GracefulShutdown::new();
    let connections = descriptors::make_room(limits.connections);
    if connections < limits.connections {
        tracing::warn!(
            connections,
            wanted = limits.connections,
            advice = "raise the hard limit of open files (ulimit -Hn, LimitNOFILE=)",
            "the system allows too few open files for all connections"
        );
    }
    let places = Places::new(connections, trusted_proxies);
    let memory = Memory::new(limits.body_memory);
    let mut trimming = JoinSet::new();
    trimming.spawn(trim::after_crowds(Arc::clone(&places), Arc::clone(&memory)));
    let (not_accepted, not_taken) = (Seldom::default(), Arc::new(Seldom::default()));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = async {
            let (stream, peer) = listener.accept().await?;
            Ok((stream, peer, places.enter(peer).await))
        };
        let (stream, peer, place) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accepted => match accepted {
                Ok((stream, peer, Some(place))) => (stream, peer, place),
                Ok((_, _, None)) => continue,
                Err(error) => {
                    let error: std::io::Error = error;
                    not_accepted.count(|times| {
                        tracing::warn!(times, %error, "a connection can't be accepted");
                    });
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let connection = Connection {
            service: service(peer, stream.local_address()),
            limits,
            watcher: graceful.watcher(),
            memory: Arc::clone(&memory),
            not_taken: Arc::clone(&not_taken),
            place,
        };
        tokio::spawn(connection.serve(stream));
    }
    drop(listener);
    let closing = limits.stop_time / CLOSING;
    let finished = tokio::time::timeout(limits.stop_time - closing * 2, graceful.shutdown());
    if finished.await.is_err() {
        tracing::warn!("some requests were not done in time, or their answers not taken");
        places.end(closing).await;
    }
}

/// What serves one connection.
struct Connection<S> {
    service: S,
    limits: Limits,
    watcher: Watcher,
    memory: Arc<Memory>,
    not_taken: Arc<Seldom>,
    place: Place,
}

impl<S> Connection<S> {
    async fn serve<B>(self, stream: Stream)
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
        let Self {
            service,
            limits,
            memory,
            ..
        } = self;
        let occupant = &self.place.0;
        let stream = Paced::new(stream, &limits, Arc::clone(occupant));
        let answers = stream.answers();
        let standing = Standing {
            occupant: Arc::clone(occupant),
            memory,
            unknown_body: limits.unknown_body,
        };
        let service = service_fn(|mut request: Request<Incoming>| {
            let (service, standing, answers) = (&service, &standing, &answers);
            async move {
                // Else one that sends requests and takes no answer would have us keep all of them.
                answers.taken().await;
                request.extensions_mut().insert(standing.clone());
                let answer = service.call(request).await;
                standing.occupant.set_answering();
                answer
            }
        });
        let connection = http1::Builder::new()
            .timer(HeadTimer::default())
            .header_read_timeout(limits.head_time)
            .max_header_size(limits.head_size)
            .max_buf_size(limits.buffer)
            .serve_connection(TokioIo::new(Framing::new(stream)), service);
        let ended = tokio::select! {
            ended = self.watcher.watch(connection) => ended,
            () = occupant.told_to_go() => return,
        };
        // What fails on a connection concerns the caller, who sees it too.
        if let Err(error) = ended {
            if is_not_taken(&error) {
                self.not_taken.count(|times| {
                    tracing::warn!(
                        times,
                        "answers are not taken in time; a connection was closed"
                    );
                });
            }
            tracing::debug!(%error, "a connection broke");
        }
    }
}

/// Whether the caller did not read.
fn is_not_taken(error: &(dyn Error + 'static)) -> bool {
    causes::chain(error).any(|error| {
        let error = error.downcast_ref::<std::io::Error>();
        error.is_some_and(|error| error.get_ref().is_some_and(|inner| inner.is::<NotTaken>()))
    })
}
