//! A connection whose answers have to be taken.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::limits::Limits;
use super::places::Occupant;

/// A connection that fails if what is written is not taken in time, by progress and in all. It tells
/// the occupant of its place what it does.
pub(super) struct Paced<S> {
    stream: S,
    stall_time: Duration,
    taking_time: Duration,
    occupant: Arc<Occupant>,
    answers: Answers,
    /// When an answer is late that can't be written.
    deadline: Option<Deadline>,
}

struct Deadline {
    /// When it is late, however much of it is taken.
    whole: Instant,
    next: Pin<Box<Sleep>>,
}

/// Whether answers wait to be taken.
#[derive(Clone, Default)]
pub(super) struct Answers(Arc<AtomicBool>);

impl Answers {
    /// Waits until none does. Only for the task that drives the connection, which is woken then.
    pub(super) async fn taken(&self) {
        std::future::poll_fn(|_| match self.0.load(Ordering::Relaxed) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        })
        .await;
    }
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, limits: &Limits, occupant: Arc<Occupant>) -> Self {
        Self {
            stream,
            stall_time: limits.stall_time,
            taking_time: limits.taking_time,
            occupant,
            answers: Answers::default(),
            deadline: None,
        }
    }

    pub(super) fn answers(&self) -> Answers {
        self.answers.clone()
    }

    /// What a write came to, or that it comes too late.
    fn in_time(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            if let Some(deadline) = &mut self.deadline {
                let next = Instant::now() + self.stall_time;
                deadline.next.as_mut().reset(next.min(deadline.whole));
            }
            return written;
        }
        let deadline = self.deadline.get_or_insert_with(|| {
            let whole = Instant::now() + self.taking_time;
            let next = Instant::now() + self.stall_time;
            self.answers.0.store(true, Ordering::Relaxed);
            Deadline {
                whole,
                next: Box::pin(sleep_until(next.min(whole))),
            }
        });
        ready!(deadline.next.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, NotTaken)))
    }
}

/// The caller does not read what it asked for.
#[derive(Debug, thiserror::Error)]
#[error("an answer was not taken in time")]
pub(super) struct NotTaken;

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.occupant.set_sending();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Is called once all has been written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.occupant.set_taken();
        if self.deadline.take().is_some() {
            self.answers.0.store(false, Ordering::Relaxed);
            // For the request that waits for it.
            context.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;
    use crate::serving::peer::Peer;
    use crate::serving::places::Places;
    use crate::serving::trusted_proxies::TrustedProxies;

    const LIMITS: fn() -> Limits = || Limits {
        stall_time: Duration::from_secs(10),
        taking_time: Duration::from_secs(60),
        ..Limits::default()
    };

    /// What comes of an answer of this many bytes that is taken one byte at a time, after such pauses.
    async fn written(bytes: usize, pause: Duration) -> io::Result<()> {
        let places = Places::new(1, TrustedProxies::default());
        let place = places.enter(Peer::Local).await.unwrap();
        let (ours, mut theirs) = duplex(1);
        let mut paced = Paced::new(ours, &LIMITS(), Arc::clone(&place.0));
        let reader = tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                if theirs.read_u8().await.is_err() {
                    return;
                }
            }
        });
        let written = async {
            paced.write_all(&vec![b'a'; bytes]).await?;
            paced.flush().await
        };
        let written = written.await;
        drop(paced);
        reader.abort();
        written
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_has_to_be_taken_by_progress_and_in_all() {
        let seconds = Duration::from_secs;
        assert!(written(10, seconds(5)).await.is_ok());
        assert!(written(2, seconds(9)).await.is_ok());
        let slow = written(3, seconds(11)).await.unwrap_err();
        assert_eq!(slow.kind(), ErrorKind::TimedOut);
        let long = written(20, seconds(5)).await.unwrap_err();
        assert_eq!(long.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_for_one_answer_is_not_that_of_the_next() {
        let places = Places::new(1, TrustedProxies::default());
        let place = places.enter(Peer::Local).await.unwrap();
        let (ours, mut theirs) = duplex(1);
        let mut paced = Paced::new(ours, &LIMITS(), Arc::clone(&place.0));
        let reader = tokio::spawn(async move {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_secs(5)).await;
                theirs.read_u8().await.unwrap();
            }
        });
        for _ in 0..5 {
            paced.write_all(b"four").await.unwrap();
            paced.flush().await.unwrap();
        }
        reader.await.unwrap();
    }
}
