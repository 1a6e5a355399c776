//! What is read and written on a connection: plain, or by TLS. One type, so that what serves it is compiled once.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::paced::Paced;
use super::stream::Stream;

/// A connection whose answers have to be taken, plain or by TLS. That is above it, so that what it keeps back counts too.
pub(super) type Channel = Either<Paced<Stream>, Box<TlsStream<Paced<Stream>>>>;

/// Plain.
pub(super) fn plain(stream: Paced<Stream>) -> Channel {
    Either::Left(stream)
}

/// By TLS, once that is agreed on.
pub(super) async fn by_tls(stream: Paced<Stream>, shown: Arc<ServerConfig>) -> io::Result<Channel> {
    let stream = TlsAcceptor::from(shown).accept(stream).await?;
    Ok(Either::Right(Box::new(stream)))
}
