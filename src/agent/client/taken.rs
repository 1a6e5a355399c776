//! How a request's body is taken off: while the network takes it, the other side is not silent.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::Request;
use tokio::time::{Instant, timeout_at};

/// What the kernel and HTTP/2 take at once, in bytes. A body of no more is left as it is, so that the HTTP
/// library can send it again where a server said that it did not look at it.
const AT_ONCE: usize = 64 * 1024;
/// In which pieces a larger one goes.
const PIECE: usize = 16 * 1024;

/// How far a request's body is.
#[derive(Clone)]
pub(super) struct Taken(Arc<Mutex<Progress>>);

#[derive(Clone, Copy)]
struct Progress {
    /// When something was last taken.
    last: Instant,
    /// Whether the next piece is not there yet: then whoever writes the body takes their time, not the other side.
    is_awaited: bool,
}

impl Taken {
    /// Watches the body of a request that is about to be sent.
    pub(super) fn watch(request: &mut Request) -> Self {
        let taken = Self(Arc::new(Mutex::new(Progress {
            last: Instant::now(),
            is_awaited: false,
        })));
        let Some(body) = request.body_mut() else {
            return taken;
        };
        // Only what is in memory says how long it is.
        match body.as_bytes().map(<[u8]>::len) {
            Some(length) if length > AT_ONCE => {
                let watched = Watched {
                    body: std::mem::take(body),
                    rest: Bytes::new(),
                    left: length as u64,
                    taken: taken.clone(),
                };
                *body = reqwest::Body::wrap(watched);
            }
            Some(_) => {}
            None => {
                let written = Written {
                    body: std::mem::take(body),
                    taken: taken.clone(),
                };
                *body = reqwest::Body::wrap(written);
            }
        }
        taken
    }

    fn progress(&self) -> Progress {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn now(&self) {
        self.set(|progress| {
            *progress = Progress {
                last: Instant::now(),
                is_awaited: false,
            }
        });
    }

    /// Does `work`, unless the other side does nothing for this long, or it is not done `within` this time. One timer
    /// does for both.
    pub(super) async fn unless_silent<T>(
        &self,
        patience: Duration,
        within: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let mut work = std::pin::pin!(work);
        let mut since = self.progress().last;
        let end = since + within;
        loop {
            let until = end.min(since + patience);
            if let Ok(done) = timeout_at(until, &mut work).await {
                return Some(done);
            }
            if until == end {
                return None;
            }
            since = match self.progress() {
                Progress { last, .. } if last > since => last,
                Progress {
                    is_awaited: true, ..
                } => Instant::now(),
                _ => return None,
            };
        }
    }
}

/// A body that tells of each piece that is taken.
struct Watched {
    body: reqwest::Body,
    /// What came of the body and was not taken yet.
    rest: Bytes,
    /// In bytes, with what did not come yet.
    left: u64,
    taken: Taken,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => self.rest = frame.into_data().unwrap_or_default(),
                end => return Poll::Ready(end),
            }
        }
        self.taken.now();
        let length = self.rest.len().min(PIECE);
        self.left = self.left.saturating_sub(length as u64);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A body that is written while it is sent.
struct Written {
    body: reqwest::Body,
    taken: Taken,
}

impl Body for Written {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match polled {
            Poll::Ready(_) => self.taken.now(),
            Poll::Pending => self.taken.set(|progress| progress.is_awaited = true),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
