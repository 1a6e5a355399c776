//! What is read and written on a connection: plain, or secured. One type, so that what serves it is compiled once.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::either::Either;

use super::paced::Paced;
use super::stream::Stream;

/// A connection whose answers have to be taken, plain or secured. What secures it is above that, so that what it keeps
/// back counts too.
pub(super) type Channel = Either<Paced<Stream>, Pin<Box<dyn Secured>>>;

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

/// Plain.
pub(super) fn plain(stream: Paced<Stream>) -> Channel {
    Either::Left(stream)
}

/// Secured by what is above the plain connection.
pub(super) fn secured(stream: impl Secured + 'static) -> Channel {
    Either::Right(Box::pin(stream))
}
