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
use x509_cert::der::oid::ObjectIdentifier;

use crate::agent::clock;
use crate::shown;

/// Names of a certificate that are told at most.
const NAMES: usize = 5;
/// The extension with a certificate's entries in the public logs (RFC 6962).
const LOG_ENTRIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// Why a certificate is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// Nobody who is trusted has signed it.
    Unknown {
        /// Who has signed it.
        signer: Signer,
        /// Who is trusted besides the built-in authorities and the system's.
        own: Vec<String>,
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
    /// It is another one than the one that was given for this server.
    NotPinned,
    /// It was made in a way that no device takes.
    Flawed(Flaw),
}

/// Who has signed a certificate that leads to nobody who is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Itself, as a login page's or that of a proxy which looks into connections.
    Itself(String),
    /// One whose certificate is not sent: an authority of one's own, which need not be, or one between.
    NotSent(String),
    /// One between, below a public authority, whose certificate is not sent.
    BetweenNotSent(String),
    /// The authority at the end of what the server sends.
    Authority(String),
}

/// What is wrong with a certificate wherever it is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// As `openssl req -x509` makes them.
    #[error("it is the certificate of an authority (CA:TRUE), used as the server's own")]
    AuthorityAsServer,
    /// As `openssl x509 -req` makes them.
    #[error("it is of an old form (X.509 version 1 or 2) that is not taken any more")]
    OldForm,
    /// Its names stand where nobody looks any more.
    #[error(
        "it has no name in its subjectAltName, and so is not for {0}; a name in CN does not count"
    )]
    NoName(String),
    /// It is for mail, clients or code.
    #[error("it is not for servers (its extendedKeyUsage is without serverAuth)")]
    NotForServers,
    /// A signature does not fit the key that it is said to be by.
    #[error(
        "a signature does not fit: it is by another key than that of the authority it names, or by an RSA key of fewer than 2048 bits"
    )]
    Signature,
    /// As SHA-1.
    #[error("it is signed in a way that is not taken any more, as with SHA-1, or not known")]
    Algorithm,
    /// Its issuer is itself none.
    #[error("it was issued with a certificate that is none of an authority (no CA:TRUE)")]
    IssuerIsNoAuthority,
    /// As other domains, or one authority less between.
    #[error("it is beyond what the authorities above it may issue")]
    BeyondLimits,
    /// Its authority has taken it back.
    #[error("its authority has revoked it")]
    Revoked,
    /// It is damaged.
    #[error("it can't be read")]
    Unreadable,
    /// Another reason, in the TLS library's words.
    #[error("the TLS library does not take it ({0})")]
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
            } if presented.is_empty() => Self::Flawed(Flaw::NoName(expected.to_str().into_owned())),
            CertificateError::NotValidForNameContext {
                expected,
                presented,
            } => Self::OtherName {
                called: expected.to_str().into_owned(),
                names: presented.iter().map(|name| plain_name(name)).collect(),
            },
            CertificateError::Other(OtherError(other)) => match other.downcast_ref::<Ours>() {
                Some(Ours(distrust)) => distrust.clone(),
                None => Self::Flawed(Flaw::of(error)),
            },
            error => Self::Flawed(Flaw::of(error)),
        }
    }
}

impl Flaw {
    fn of(error: &CertificateError) -> Self {
        match error {
            CertificateError::BadEncoding => Self::Unreadable,
            CertificateError::Revoked => Self::Revoked,
            CertificateError::BadSignature => Self::Signature,
            #[expect(deprecated, reason = "the library still says it of some keys")]
            CertificateError::UnsupportedSignatureAlgorithm => Self::Algorithm,
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                Self::Algorithm
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::NotForServers
            }
            CertificateError::Other(OtherError(error)) => match error.downcast_ref() {
                Some(error) => Self::of_library(error),
                None => Self::Other(error.to_string()),
            },
            error => Self::Other(error.to_string()),
        }
    }

    /// What has no word of its own in the TLS library's errors.
    fn of_library(error: &webpki::Error) -> Self {
        match error {
            webpki::Error::CaUsedAsEndEntity => Self::AuthorityAsServer,
            webpki::Error::UnsupportedCertVersion => Self::OldForm,
            webpki::Error::EmptyEkuExtension => Self::NotForServers,
            webpki::Error::EndEntityUsedAsCa => Self::IssuerIsNoAuthority,
            webpki::Error::SignatureAlgorithmMismatch => Self::Algorithm,
            webpki::Error::NameConstraintViolation
            | webpki::Error::PathLenConstraintViolated
            | webpki::Error::MaximumPathDepthExceeded => Self::BeyondLimits,
            webpki::Error::ExtensionValueInvalid
            | webpki::Error::InvalidSerialNumber
            | webpki::Error::MalformedDnsIdentifier
            | webpki::Error::MalformedExtensions
            | webpki::Error::MalformedNameConstraint => Self::Unreadable,
            error => Self::Other(error.to_string()),
        }
    }
}

impl Distrust {
    /// For the TLS library.
    pub(super) fn into_error(self) -> Error {
        CertificateError::Other(OtherError(Arc::new(Ours(self)))).into()
    }

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
            Self::Unknown { signer, own } => {
                write!(f, "{signer}")?;
                match own.is_empty() {
                    true => Ok(()),
                    false => write!(
                        f,
                        "; besides the built-in authorities it knows {}",
                        listed(own)
                    ),
                }
            }
            Self::OtherName { called, names } => {
                write!(f, "it is for {}, not for {called}", listed(names))
            }
            Self::Expired { since, .. } => write!(f, "it expired on {}", date(*since)),
            Self::NotYetValid { from, .. } => {
                write!(f, "it is valid from {} on", date(*from))
            }
            Self::NotPinned => {
                f.write_str("it is another one than this device was given for this server")
            }
            Self::Flawed(flaw) => write!(f, "{flaw}"),
        }
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Itself(name) => {
                write!(
                    f,
                    "{name} has signed it itself, and this device does not know it"
                )
            }
            Self::NotSent(name) => write!(
                f,
                "it was issued by {name}, which this device does not know, and whose certificate the server does not send"
            ),
            Self::BetweenNotSent(name) => write!(
                f,
                "the server does not send the certificate of {name}, which issued its own"
            ),
            Self::Authority(name) => {
                write!(f, "it comes from {name}, which this device does not know")
            }
        }
    }
}

/// The first of some names, and how many there are besides.
fn listed(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(NAMES).map(String::as_str).collect();
    match names.len().saturating_sub(NAMES) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
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

/// What a verifier of ours says, inside the TLS library's error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Ours(Distrust);

/// Verifies as the TLS library does, and looks closer at a chain that leads to nobody.
#[derive(Debug)]
pub(super) struct ExplainingVerifier {
    verifier: Arc<WebPkiServerVerifier>,
    /// Names of those that are trusted besides the built-in authorities and the system's.
    own: Vec<String>,
}

impl ExplainingVerifier {
    pub(super) fn new(
        roots: RootCertStore,
        own: Vec<String>,
        provider: &Arc<rustls::crypto::CryptoProvider>,
    ) -> Result<Self, rustls::client::VerifierBuilderError> {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let verifier = verifier.build()?;
        Ok(Self { verifier, own })
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
        let verified = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                Err(match signer(end_entity, intermediates) {
                    Some(signer) => {
                        let own = self.own.clone();
                        Distrust::Unknown { signer, own }.into_error()
                    }
                    None => CertificateError::UnknownIssuer.into(),
                })
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
        self.verifier
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// Whom a certificate names, and who issued it.
struct Link {
    subject: String,
    issuer: String,
    /// Whether it is in the public logs, where only certificates below public authorities are.
    is_logged: bool,
}

impl Link {
    fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let certificate = Certificate::from_der(certificate).ok()?;
        let certificate = certificate.tbs_certificate();
        let mut extensions = certificate.extensions().into_iter().flatten();
        Some(Self {
            subject: shown::line(&certificate.subject().to_string()),
            issuer: shown::line(&certificate.issuer().to_string()),
            is_logged: extensions.any(|extension| extension.extn_id == LOG_ENTRIES),
        })
    }
}

/// Follows the chain as far as the server sends it.
fn signer(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Option<Signer> {
    let own = Link::of(end_entity)?;
    if own.subject == own.issuer {
        return Some(Signer::Itself(own.subject));
    }
    let mut sent: Vec<Link> = intermediates.iter().filter_map(Link::of).collect();
    let mut issuer = own.issuer;
    let mut is_sent = false;
    while let Some(next) = sent.iter().position(|link| link.subject == issuer) {
        issuer = sent.swap_remove(next).issuer;
        is_sent = true;
    }
    Some(match (is_sent, own.is_logged) {
        (true, _) => Signer::Authority(issuer),
        // Public authorities issue through one between.
        (false, true) => Signer::BetweenNotSent(issuer),
        (false, false) => Signer::NotSent(issuer),
    })
}
