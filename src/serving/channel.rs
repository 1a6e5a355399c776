//! What is read and written on a connection: plain, or secured. One type, so that what serves it is compiled once.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::paced::Paced;
use super::stream::Stream;

/// A connection whose answers have to be taken. What secures it is above that, so that what it keeps back counts too.
pub(super) enum Channel {
    Plain(Paced<Stream>),
    Secured(Pin<Box<dyn Secured>>),
}

/// A connection that something secures.
pub(super) trait Secured: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Secured for T {}

/// What secures connections. Behind this, so that it is in no program that serves plain ones only, as the agent.
pub(super) trait Secures: Send + Sync {
    /// Agrees on it with whoever connects.
    fn secure(&self, stream: Paced<Stream>) -> Later<io::Result<Channel>>;

    /// Keeps it as it is to be, as long as connections are served.
    fn keep_current(self: Arc<Self>) -> Later<()>;
}

pub(super) type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl AsyncRead for Channel {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Secured(stream) => stream.as_mut().poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Channel {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Secured(stream) => stream.as_mut().poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, pieces),
            Self::Secured(stream) => stream.as_mut().poll_write_vectored(context, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Secured(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Secured(stream) => stream.as_mut().poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secured(stream) => stream.as_mut().poll_shutdown(context),
        }
    }
}
