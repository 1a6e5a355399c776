//! Answers requests over connections: where it listens, what a connection may cost, and how it ends.
//!
//! What is answered is a [`Service`](hyper::service::Service) of whoever serves; one that fails has
//! its connection closed in place of an answer.

mod activation;
mod address;
mod channel;
mod clock;
mod descriptors;
mod framing;
mod head_timer;
mod limits;
mod listen_error;
mod listener;
mod memory;
mod paced;
mod peer;
mod places;
mod refusal;
mod run;
mod standing;
mod stream;
mod tls;
mod traffic;
mod trim;
mod trusted_proxies;
mod unix_socket;

pub use activation::PassedSocket;
pub use address::{Address, AddressError};
#[cfg(feature = "door")]
pub(crate) use descriptors::make_room;
pub use limits::Limits;
pub use listen_error::ListenError;
pub use listener::Listener;
pub(crate) use memory::Share;
pub use peer::Peer;
pub(crate) use run::serve;
pub(crate) use standing::Standing;
pub use tls::{Tls, TlsError, TlsFiles};
pub(crate) use traffic::Traffic;
#[cfg(feature = "server")]
pub(crate) use traffic::TrafficFigures;
pub use trusted_proxies::{TrustedProxies, TrustedProxy, TrustedProxyError};
