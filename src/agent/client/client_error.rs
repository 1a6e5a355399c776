//! Why there is no client.

use std::path::PathBuf;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file with further certificates can't be used.
    #[error("can't read the certificates in {path}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file begins as one in PEM form does, and is not whole.
    #[error("the file of certificates {path} is damaged: {damage}")]
    DamagedFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        damage: &'static str,
    },
    /// The file holds something else.
    #[error("{path} holds {kind}, and no certificate by itself")]
    NotCertificate {
        /// The file.
        path: PathBuf,
        /// What it holds, as `a private key`.
        kind: &'static str,
    },
    /// The file holds no certificate.
    #[error(
        "{path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----) and is none in DER form"
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file holds more than is kept.
    #[error(
        "the certificates in {path} are more than the {} KiB that a device keeps", .limit / 1024
    )]
    TooManyCertificates {
        /// The file.
        path: PathBuf,
        /// Most that is kept, in bytes.
        limit: usize,
    },
    /// One of the certificates is not one.
    #[error("a certificate in {path} can't be used")]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// One of the certificates that were given is not one, or of a form that is not taken.
    #[error("a certificate that was given to be trusted can't be used")]
    GivenCertificate(#[source] rustls::Error),
    /// More certificates were given than are kept.
    #[error("the certificates that were given are more than the {} KiB that a device keeps", .limit / 1024)]
    TooManyGiven {
        /// Most that is kept, in bytes.
        limit: usize,
    },
    /// No server could prove that it has the key of the certificate that was given for it.
    #[error("the certificate that was given for the server can't be used")]
    PinnedCertificate(#[source] webpki::Error),
    /// The proxy that was given can't be used.
    #[error("the address of the proxy can't be used")]
    GivenProxy(#[source] url::ParseError),
    /// The system's certificates can't be read.
    #[error("can't read this system's certificates")]
    SystemCertificates(#[source] rustls_native_certs::Error),
    /// The system has no certificates that could be used.
    #[error("this system has no certificates that can be used")]
    NoSystemCertificates,
    /// The proxy's address can't be read. It is not repeated, since it may hold a password.
    #[error("the proxy's address in {variable} can't be read")]
    Proxy {
        /// Variable of the environment.
        variable: &'static str,
        /// Why.
        #[source]
        source: url::ParseError,
    },
    /// The proxy is none for HTTP.
    #[error("the proxy in {variable} is none for HTTP")]
    ProxyKind {
        /// Variable of the environment.
        variable: &'static str,
    },
    /// The TLS library refused its settings.
    #[error("can't set up TLS")]
    Tls(#[source] rustls::Error),
    /// The TLS library refused the certificates to trust.
    #[error("can't set up the checking of certificates")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
    /// The HTTP library refused its settings.
    #[error("can't set up the HTTP client")]
    Http(#[source] reqwest::Error),
}
