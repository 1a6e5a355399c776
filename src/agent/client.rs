//! Talking to a server: one HTTPS client with the limits that every call needs.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, NoProxy, Proxy, RequestBuilder, Response, StatusCode, redirect};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig as TlsConfig, RootCertStore};
use zeroize::Zeroizing;

use super::clock;

/// Largest answer that is read, in bytes.
pub(super) const ANSWER_LIMIT: usize = 1024 * 1024;

/// How to reach servers.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Sent as `User-Agent`, as `gatehand/1.0`.
    pub user_agent: String,
    /// Certificates in PEM that are trusted besides Mozilla's.
    pub ca_file: Option<PathBuf>,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest time for a call as a whole.
    pub timeout: Duration,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            user_agent: concat!("gatehand/", env!("CARGO_PKG_VERSION")).to_owned(),
            ca_file: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
        }
    }
}

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
        source: rustls::pki_types::pem::Error,
    },
    /// The file holds no certificate.
    #[error("{path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")]
    NoCertificate {
        /// The file.
        path: PathBuf,
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
    /// The TLS library refused its settings.
    #[error("can't set up TLS")]
    Tls(#[source] rustls::Error),
    /// The HTTP library refused its settings.
    #[error("can't set up the HTTP client")]
    Http(#[source] reqwest::Error),
}

/// What the network said: the root of the HTTP library's chain of causes, whose upper links only
/// name its own layers.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The host's name has no address.
    #[error("can't find the server {origin}: check its address and this device's network")]
    UnknownHost {
        /// Scheme, host and port.
        origin: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// No connection.
    #[error("can't connect to {origin}")]
    NoConnection {
        /// Scheme, host and port.
        origin: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// This device's clock shows a time before 1970.
    #[error(
        "this device's clock shows a time before 1970, and so no certificate can be checked: set it"
    )]
    Clock,
    /// The server's certificate is not valid.
    #[error("the certificate of {origin} is not valid{}", clock_hint(.clock))]
    Certificate {
        /// Scheme, host and port.
        origin: String,
        /// If this device's clock can't be right: what it shows, and when gatehand was built.
        clock: Option<(Timestamp, Timestamp)>,
        /// Why.
        #[source]
        source: Cause,
    },
    /// No answer in time.
    #[error("{origin} did not answer in time")]
    TimedOut {
        /// Scheme, host and port.
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
        /// Scheme, host and port.
        origin: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The answer is longer than any of the API's.
    #[error("the answer of {origin} is larger than {} KiB: this is not the device API", ANSWER_LIMIT / 1024)]
    TooLarge {
        /// Scheme, host and port.
        origin: String,
    },
}

impl SendError {
    /// Whether the server can't have seen the request.
    pub fn is_unsent(&self) -> bool {
        matches!(
            self,
            Self::UnknownHost { .. }
                | Self::NoConnection { .. }
                | Self::Clock
                | Self::Certificate { .. }
                | Self::TimedOut {
                    connecting: true,
                    ..
                }
        )
    }
}

fn clock_hint(clock: &Option<(Timestamp, Timestamp)>) -> String {
    clock.map_or_else(String::new, |(now, built)| {
        format!(
            "; this device's clock shows {}, which is before gatehand was built ({}), so the clock is the likely cause: set it",
            now.strftime("%Y-%m-%d %H:%M UTC"),
            built.strftime("%Y-%m-%d"),
        )
    })
}

/// An answer as it came.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) is_json: bool,
    pub(super) location: Option<String>,
    /// It may hold the API key.
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// The client for all calls; keeps connections open between them.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
}

impl Client {
    /// A client that trusts Mozilla's certificates and those of the configuration, follows no
    /// redirect, and uses the environment's proxy for https only.
    pub fn new(config: &ClientConfig) -> Result<Self, ClientError> {
        let mut http = reqwest::Client::builder()
            .user_agent(&config.user_agent)
            .tls_backend_preconfigured(tls(config)?)
            .redirect(redirect::Policy::none())
            .connect_timeout(config.connect_timeout)
            .timeout(config.timeout)
            .no_proxy();
        if let Some(proxy) = environment_proxy() {
            http = http.proxy(proxy.map_err(ClientError::Http)?);
        }
        http.build()
            .map(|http| Self { http })
            .map_err(ClientError::Http)
    }

    /// A request to be made, with nothing added to it.
    pub(crate) fn request(&self, method: Method, url: url::Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        _limit: usize,
        _repeat: Repeat,
    ) -> Ended {
        Ended {
            result: self.attempt(request).await,
            seen_before: false,
        }
    }

    /// Sends the request and reads its answer, whatever it says.
    pub(super) async fn attempt(&self, request: RequestBuilder) -> Result<Answer, SendError> {
        // The TLS library can't count back from there.
        if Timestamp::now() < Timestamp::UNIX_EPOCH {
            return Err(SendError::Clock);
        }
        let request = request
            .build()
            .map_err(|source| explain("the server", source))?;
        let origin = request.url().origin().ascii_serialization();
        let response = self
            .http
            .execute(request)
            .await
            .map_err(|source| explain(&origin, source))?;
        let status = response.status();
        let is_json = is_json(response.headers());
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|to| to.to_str().ok());
        let location = location.map(str::to_owned);
        let headers = response.headers().clone();
        let body = read(response, &origin).await?;
        Ok(Answer {
            status,
            headers,
            is_json,
            location,
            body,
        })
    }
}

async fn read(mut response: Response, origin: &str) -> Result<Zeroizing<Vec<u8>>, SendError> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|source| explain(origin, source))?
    {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            return Err(SendError::TooLarge {
                origin: origin.to_owned(),
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn is_json(headers: &HeaderMap<HeaderValue>) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn tls(config: &ClientConfig) -> Result<TlsConfig, ClientError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = &config.ca_file {
        let failed = |source| ClientError::CaFile {
            path: path.clone(),
            source,
        };
        for certificate in CertificateDer::pem_file_iter(path).map_err(failed)? {
            roots.add(certificate.map_err(failed)?).map_err(|source| {
                ClientError::BadCertificate {
                    path: path.clone(),
                    source,
                }
            })?;
        }
        if roots.len() == webpki_roots::TLS_SERVER_ROOTS.len() {
            return Err(ClientError::NoCertificate { path: path.clone() });
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = TlsConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ClientError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// Never for plain http, which is for this machine and trusted networks.
fn environment_proxy() -> Option<reqwest::Result<Proxy>> {
    let address = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        .iter()
        .find_map(|name| {
            std::env::var(name)
                .ok()
                .filter(|address| !address.is_empty())
        })?;
    Some(Proxy::https(address).map(|proxy| proxy.no_proxy(NoProxy::from_env())))
}

fn explain(origin: &str, error: reqwest::Error) -> SendError {
    let origin = origin.to_owned();
    let source = Cause(
        chain(&error)
            .last()
            .map_or_else(String::new, ToString::to_string),
    );
    if error.is_timeout() {
        SendError::TimedOut {
            origin,
            connecting: error.is_connect(),
            source,
        }
    } else if has_bad_certificate(&error) {
        SendError::Certificate {
            origin,
            clock: clock::impossible(Timestamp::now()),
            source,
        }
    } else if error.is_connect() && chain(&error).any(|cause| cause.to_string() == "dns error") {
        SendError::UnknownHost { origin, source }
    } else if error.is_connect() {
        SendError::NoConnection { origin, source }
    } else {
        SendError::Broken { origin, source }
    }
}

fn has_bad_certificate(error: &reqwest::Error) -> bool {
    chain(error).any(|cause| matches!(tls_error(cause), Some(rustls::Error::InvalidCertificate(_))))
}

/// The TLS stream hands its errors on inside I/O errors, which hide them from the chain of causes.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    error
        .downcast_ref()
        .or_else(|| tls_error(error.downcast_ref::<io::Error>()?.get_ref()?))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

pub(super) enum Repeat {
    Safe,
    #[allow(dead_code)]
    No,
}
pub(super) struct Ended {
    pub(super) result: Result<Answer, SendError>,
    pub(super) seen_before: bool,
}
pub(super) fn device_authorization(
    key: &crate::secret::Secret,
) -> Result<HeaderValue, super::AgentError> {
    let mut value = HeaderValue::from_str(&format!("Device {}", key.expose()))
        .map_err(|_| super::AgentError::Header("key"))?;
    value.set_sensitive(true);
    Ok(value)
}
