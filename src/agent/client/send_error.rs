//! Why a call got no answer.

use std::error::Error;
use std::io;

use jiff::Timestamp;

use super::certificate::Distrust;
use super::hold::HeldBack;
use super::proxy::ProxyRefusal;
use super::route::Route;
use crate::agent::clock;
use crate::causes::chain;

/// What the network said: the root of the HTTP library's chain of causes, whose upper links only
/// name its own layers.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

impl From<&str> for Cause {
    fn from(words: &str) -> Self {
        Self(words.to_owned())
    }
}

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The host's name has no address.
    #[error("can't find the server {origin}: check its address and this device's network")]
    UnknownHost {
        /// Scheme, host and port, and the proxy on the way.
        origin: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// No connection.
    #[error("can't connect to {origin}")]
    NoConnection {
        /// Scheme, host and port, and the proxy on the way.
        origin: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The proxy on the way makes none.
    #[error("can't connect to {origin}")]
    Proxy {
        /// Scheme, host and port, and the proxy on the way.
        origin: String,
        /// Why.
        #[source]
        source: ProxyRefusal,
    },
    /// The server does not know TLS.
    #[error(
        "can't connect to {origin}: it answers without encryption, as a server at an http:// address does"
    )]
    NotEncrypted {
        /// Scheme, host and port, and the proxy on the way.
        origin: String,
    },
    /// The server was called without TLS, and answers with something else than HTTP.
    #[error("{origin} answers with no HTTP, as a server at an https:// address does")]
    NotHttp {
        /// Scheme, host and port.
        origin: String,
    },
    /// This device's clock shows a time that can't be counted with.
    #[error(
        "this device's clock shows a time before 1970 or after 9999, and so no certificate can be checked: set it"
    )]
    Clock,
    /// The server's certificate is not valid.
    #[error("the certificate of {origin} is not valid: {distrust}{}", clock_words(.distrust, .clock))]
    Certificate {
        /// Scheme, host and port, and the proxy on the way.
        origin: String,
        /// Why.
        distrust: Box<Distrust>,
        /// If this device's clock can't be right: what it shows, and when gatehand was built.
        clock: Option<(Timestamp, Timestamp)>,
    },
    /// There was a connection, and it was not used.
    #[error("nothing was sent to {origin}, since it could not be written down first")]
    HeldBack {
        /// Scheme, host and port, and the proxy on the way.
        origin: String,
    },
    /// No answer in time.
    #[error("{origin} did not answer in time")]
    TimedOut {
        /// Scheme, host and port, and the proxy on the way.
        origin: String,
        /// Whether the time was up before there was a connection.
        connecting: bool,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The connection broke before the answer was there.
    #[error("the connection to {origin} broke")]
    Broken {
        /// Scheme, host and port, and the proxy on the way.
        origin: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The answer is longer than any of the API's.
    #[error("the answer of {origin} is larger than {} KiB: this is not the device API", .limit / 1024)]
    TooLarge {
        /// Scheme, host and port, and the proxy on the way.
        origin: String,
        /// Largest answer that is read, in bytes.
        limit: usize,
    },
}

impl SendError {
    /// Whether the server can't have seen the request.
    pub fn is_unsent(&self) -> bool {
        matches!(
            self,
            Self::UnknownHost { .. }
                | Self::NoConnection { .. }
                | Self::Proxy { .. }
                | Self::NotEncrypted { .. }
                | Self::Clock
                | Self::Certificate { .. }
                | Self::HeldBack { .. }
                | Self::TimedOut {
                    connecting: true,
                    ..
                }
        )
    }

    /// Whether another attempt within a minute may end better.
    pub(super) fn may_heal(&self) -> bool {
        match self {
            Self::UnknownHost { .. }
            | Self::NoConnection { .. }
            | Self::TimedOut { .. }
            | Self::Broken { .. } => true,
            Self::Proxy { source, .. } => source.may_heal(),
            Self::NotEncrypted { .. }
            | Self::NotHttp { .. }
            | Self::Clock
            | Self::Certificate { .. }
            | Self::HeldBack { .. }
            | Self::TooLarge { .. } => false,
        }
    }
}

fn clock_words(distrust: &Distrust, impossible: &Option<(Timestamp, Timestamp)>) -> String {
    let time = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M UTC").to_string();
    match (impossible, distrust.clock()) {
        (Some((now, built)), _) => format!(
            "; this device's clock shows {}, which is before gatehand was built ({}), so the clock is the likely cause: set it",
            time(*now),
            built.strftime("%Y-%m-%d"),
        ),
        (None, Some(now)) => format!(", and this device's clock shows {}", time(now)),
        (None, None) => String::new(),
    }
}

pub(super) fn explain(route: &Route, error: reqwest::Error) -> SendError {
    let origin = route.to_string();
    let is_unknown_name = chain(&error).any(|cause| cause.to_string() == "dns error");
    let is_proxy_unknown = is_unknown_name && route.proxy.is_some();
    if let Some(source) = refusal(route, &error) {
        return SendError::Proxy { origin, source };
    }
    if speaks_no_tls(&error) {
        return SendError::NotEncrypted { origin };
    }
    if route.is_plain() && says(&error, "invalid HTTP version parsed") {
        return SendError::NotHttp { origin };
    }
    let source = if is_proxy_unknown {
        Cause::from("the proxy's name has no address")
    } else if says(&error, "tunnel error: unexpected end of file") {
        Cause::from("the proxy hung up")
    } else if route.is_plain() && hangs_up(&error) {
        Cause::from("it hangs up without an answer, as a server at an https:// address may do")
    } else {
        Cause(
            chain(&error)
                .last()
                .map(ToString::to_string)
                .unwrap_or_default(),
        )
    };
    if chain(&error).any(|cause| cause.is::<HeldBack>()) {
        SendError::HeldBack { origin }
    } else if error.is_timeout() {
        SendError::TimedOut {
            origin,
            connecting: error.is_connect(),
            source,
        }
    } else if let Some(distrust) = distrust(&error) {
        SendError::Certificate {
            origin,
            distrust: Box::new(distrust),
            clock: clock::impossible(clock::now()),
        }
    } else if error.is_connect() && is_unknown_name && !is_proxy_unknown {
        SendError::UnknownHost { origin, source }
    } else if error.is_connect() {
        SendError::NoConnection { origin, source }
    } else {
        SendError::Broken { origin, source }
    }
}

fn distrust(error: &reqwest::Error) -> Option<Distrust> {
    chain(error).find_map(|cause| match tls_error(cause) {
        Some(rustls::Error::InvalidCertificate(error)) => Some(Distrust::of(error)),
        _ => None,
    })
}

/// Why a proxy makes no connection, as far as the HTTP library tells, which hides the type.
fn refusal(route: &Route, error: &reqwest::Error) -> Option<ProxyRefusal> {
    if says(error, "tunnel error: proxy authorization required") {
        return Some(match route.has_login {
            true => ProxyRefusal::LoginRefused,
            false => ProxyRefusal::LoginWanted,
        });
    }
    says(error, "tunnel error: unsuccessful").then_some(ProxyRefusal::Unknown)
}

fn says(error: &reqwest::Error, words: &str) -> bool {
    chain(error).any(|cause| cause.to_string() == words)
}

fn hangs_up(error: &reqwest::Error) -> bool {
    let is_reset = |cause: &(dyn Error + 'static)| {
        let error = cause.downcast_ref::<io::Error>();
        error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
    };
    error.is_request()
        && !error.is_connect()
        && (says(error, "connection closed before message completed") || chain(error).any(is_reset))
}

fn speaks_no_tls(error: &reqwest::Error) -> bool {
    let no_tls = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
    chain(error).any(|cause| tls_error(cause) == Some(&no_tls))
}

/// The TLS stream hands its errors on inside I/O errors, which hide them from the chain of causes.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    error
        .downcast_ref()
        .or_else(|| tls_error(error.downcast_ref::<io::Error>()?.get_ref()?))
}
