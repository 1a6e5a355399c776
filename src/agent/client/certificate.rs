//! Why a server's certificate is not trusted, told apart by who can do something about it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::agent::clock;
use crate::shown;

/// Names of a certificate that are told at most.
const NAMES: usize = 5;

/// Why a certificate is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It is signed by itself, as a login page's or that of a proxy which looks into connections.
    SelfSigned {
        /// Whom it names.
        name: String,
    },
    /// The server sends it alone, and whose signature it bears is not known.
    IssuerMissing {
        /// Who issued it.
        issuer: String,
    },
    /// The authority at the end of what the server sends is not known.
    UnknownAuthority {
        /// Its name.
        authority: String,
    },
    /// It is for other names than the server was called by.
    OtherName {
        /// The name or address that was called.
        called: String,
        /// Those it is for.
        names: Vec<String>,
    },
    /// Its time is over, or this device's clock is ahead.
    Expired {
        /// Since when.
        since: Timestamp,
        /// What this device's clock shows.
        now: Timestamp,
    },
    /// Its time has not begun, or this device's clock is behind.
    NotYetValid {
        /// From when on it is valid.
        from: Timestamp,
        /// What this device's clock shows.
        now: Timestamp,
    },
    /// Another reason, in the TLS library's words.
    Other(String),
}

impl Distrust {
    /// Of what the TLS library says.
    pub(super) fn of(error: &CertificateError) -> Self {
        match error {
            CertificateError::ExpiredContext { time, not_after } => Self::Expired {
                since: timestamp(*not_after),
                now: timestamp(*time),
            },
            CertificateError::NotValidYetContext { time, not_before } => Self::NotYetValid {
                from: timestamp(*not_before),
                now: timestamp(*time),
            },
            CertificateError::NotValidForNameContext {
                expected,
                presented,
            } => Self::OtherName {
                called: expected.to_str().into_owned(),
                names: presented.iter().map(|name| plain_name(name)).collect(),
            },
            CertificateError::Other(OtherError(error)) => match error.downcast_ref::<Unknown>() {
                Some(Unknown(distrust)) => distrust.clone(),
                None => Self::Other(error.to_string()),
            },
            error => Self::Other(error.to_string()),
        }
    }
}

impl Distrust {
    /// What this device's clock shows, where that is a part of it.
    pub(super) fn clock(&self) -> Option<Timestamp> {
        match self {
            Self::Expired { now, .. } | Self::NotYetValid { now, .. } => Some(*now),
            _ => None,
        }
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SelfSigned { name } => write!(f, "{name} has signed it itself"),
            Self::IssuerMissing { issuer } => write!(
                f,
                "the server does not send the certificate of {issuer}, which issued its own"
            ),
            Self::UnknownAuthority { authority } => {
                write!(
                    f,
                    "it comes from {authority}, which this device does not know"
                )
            }
            Self::OtherName { called, names } if names.is_empty() => {
                write!(f, "it is for no name, and so not for {called}")
            }
            Self::OtherName { called, names } => {
                let listed: Vec<&str> = names.iter().take(NAMES).map(String::as_str).collect();
                let more = match names.len().saturating_sub(NAMES) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                write!(f, "it is for {}{more}, not for {called}", listed.join(", "))
            }
            Self::Expired { since, .. } => write!(f, "it expired on {}", date(*since)),
            Self::NotYetValid { from, .. } => {
                write!(f, "it is valid from {} on", date(*from))
            }
            Self::Other(words) => f.write_str(words),
        }
    }
}

fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

fn timestamp(time: UnixTime) -> Timestamp {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or_else(|_| clock::now())
}

/// As `DnsName("tickets.example")`, which is how the library writes it.
fn plain_name(name: &str) -> String {
    let inner = name.split_once('(').map_or(name, |(_, rest)| rest);
    shown::line(inner.trim_end_matches(')').trim_matches('"'))
}

/// What the verifier adds to an issuer that is not known.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unknown(Distrust);

/// Verifies as the TLS library does, and looks closer at a chain that leads to nobody.
#[derive(Debug)]
pub(super) struct ExplainingVerifier(Arc<WebPkiServerVerifier>);

impl ExplainingVerifier {
    pub(super) fn new(
        roots: RootCertStore,
        provider: &Arc<rustls::crypto::CryptoProvider>,
    ) -> Result<Self, rustls::client::VerifierBuilderError> {
        let inner =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        inner.build().map(Self)
    }
}

impl ServerCertVerifier for ExplainingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                Err(match look_closer(end_entity, intermediates) {
                    Some(distrust) => {
                        CertificateError::Other(OtherError(Arc::new(Unknown(distrust))))
                    }
                    None => CertificateError::UnknownIssuer,
                }
                .into())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Whom a certificate names, and who issued it.
#[derive(PartialEq, Eq)]
struct Link {
    subject: String,
    issuer: String,
}

impl Link {
    fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let certificate = Certificate::from_der(certificate).ok()?;
        let certificate = certificate.tbs_certificate();
        Some(Self {
            subject: shown::line(&certificate.subject().to_string()),
            issuer: shown::line(&certificate.issuer().to_string()),
        })
    }

    fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }
}

/// Follows the chain as far as the server sends it.
fn look_closer(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> Option<Distrust> {
    let own = Link::of(end_entity)?;
    if own.is_self_issued() {
        return Some(Distrust::SelfSigned { name: own.subject });
    }
    if intermediates.is_empty() {
        return Some(Distrust::IssuerMissing { issuer: own.issuer });
    }
    let mut sent: Vec<Link> = intermediates.iter().filter_map(Link::of).collect();
    let mut issuer = own.issuer;
    while let Some(next) = sent.iter().position(|link| link.subject == issuer) {
        issuer = sent.swap_remove(next).issuer;
    }
    Some(Distrust::UnknownAuthority { authority: issuer })
}
