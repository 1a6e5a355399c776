//! Accepts connections and serves them until it is told to stop.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::channel::{self, Channel, Secures};
use super::clock;
use super::descriptors;
use super::framing::Framing;
use super::head_timer::HeadTimer;
use super::limits::Limits;
use super::listener::Listener;
use super::memory::Memory;
use super::paced::{Answers, NotTaken, Paced};
use super::peer::Peer;
use super::places::{Occupant, Place, Places};
use super::refusal;
use super::standing::Standing;
use super::stream::{self, Stream};
use super::traffic::Traffic;
use super::trim;
use super::trusted_proxies::TrustedProxies;
use crate::causes;

/// Pause after a connection could not be accepted, as when too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The part of the time to the end that is left for what follows on the last answer, as closing files.
const CLOSING: u32 = 10;

/// To one that asks without TLS where it is spoken.
const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    content-type: application/json\r\n\
    content-length: 69\r\n\
    connection: close\r\n\
    \r\n\
    {\"detail\":\"This port speaks https: begin its address with https://.\"}";

/// Serves until `shutdown` is done, and then finishes what was accepted. Each connection has a service
/// of its own, which is made for who is there and the address of ours it reached; one that fails has
/// its connection closed in place of an answer.
pub(crate) async fn serve<S, B>(
    listener: Listener,
    limits: Limits,
    trusted_proxies: TrustedProxies,
    traffic: Arc<Traffic>,
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
    traffic.begins(&places, &memory);
    let mut beside = JoinSet::new();
    beside.spawn(trim::after_crowds(Arc::clone(&places), Arc::clone(&memory)));
    if let Some(secures) = listener.secures() {
        beside.spawn(Arc::clone(secures).keep_current());
    }
    // Those that have asked for nothing yet end with it.
    let (stop, stopping) = watch::channel(());
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
                    traffic.not_accepted.count(|times| {
                        tracing::warn!(times, %error, "a connection can't be accepted");
                    });
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        traffic.accepted.fetch_add(1, Ordering::Relaxed);
        let connection = Connection {
            service: service(peer, stream::local_address(&stream)),
            limits,
            secures: listener.secures().cloned(),
            watcher: graceful.watcher(),
            stopping: stopping.clone(),
            memory: Arc::clone(&memory),
            traffic: Arc::clone(&traffic),
            place,
        };
        tokio::spawn(connection.serve(stream));
    }
    drop((listener, stop));
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
    secures: Option<Arc<dyn Secures>>,
    watcher: Watcher,
    stopping: watch::Receiver<()>,
    memory: Arc<Memory>,
    traffic: Arc<Traffic>,
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
        let Self {
            service,
            limits,
            memory,
            mut stopping,
            ..
        } = self;
        let occupant = &self.place.0;
        let opened = open(stream, self.secures, &limits, occupant);
        let opened = tokio::time::timeout(limits.head_time, opened);
        let (channel, answers) = tokio::select! {
            opened = opened => match opened {
                Ok(Ok(Some(opened))) => opened,
                not_opened => {
                    self.traffic.not_opened.fetch_add(1, Ordering::Relaxed);
                    if let Ok(Err(error)) = not_opened {
                        tracing::debug!(%error, "TLS was not agreed on");
                    }
                    return;
                }
            },
            () = occupant.told_to_go() => return,
            _ = stopping.changed() => return,
        };
        if !clock::is_fit() {
            // The caller may have gone, and sees to that.
            let _ = clock::refuse(channel).await;
            return;
        }
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
            .serve_connection(TokioIo::new(Framing::new(channel)), service);
        let ended = tokio::select! {
            ended = self.watcher.watch(connection) => ended,
            () = occupant.told_to_go() => return,
        };
        // What fails on a connection concerns the caller, who sees it too.
        if let Err(error) = ended {
            if is_not_taken(&error) {
                self.traffic.not_taken.count(|times| {
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

/// What is read and written on a connection, and whether its answers are taken; nothing if it was refused.
async fn open(
    stream: Stream,
    secures: Option<Arc<dyn Secures>>,
    limits: &Limits,
    occupant: &Arc<Occupant>,
) -> io::Result<Option<(Channel, Answers)>> {
    let is_plain = secures.is_some() && !stream::begins_tls(&stream).await?;
    let stream = Paced::new(stream, limits, Arc::clone(occupant));
    let answers = stream.answers();
    let channel = match secures {
        None => channel::plain(stream),
        Some(_) if is_plain => {
            refusal::refuse(stream, NO_TLS).await?;
            return Ok(None);
        }
        Some(secures) => {
            let channel = secures.secure(stream).await?;
            occupant.set_opened();
            channel
        }
    };
    Ok(Some((channel, answers)))
}

/// Whether the caller did not read.
fn is_not_taken(error: &(dyn Error + 'static)) -> bool {
    causes::chain(error).any(|error| {
        let error = error.downcast_ref::<std::io::Error>();
        error.is_some_and(|error| error.get_ref().is_some_and(|inner| inner.is::<NotTaken>()))
    })
}
