//! Talking to a server: one client with the limits, the trust and the patience that every call
//! needs.

mod certificate;
mod connecting;
mod error;
mod hold;
mod last_failure;
mod proxy;
mod retry;
mod retry_after;
mod route;
mod tls;
pub(super) mod trust;
mod user_agent;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{
    CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue, LOCATION,
};
use reqwest::{ClientBuilder, Method, Request, RequestBuilder, Response, StatusCode, redirect};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::clock;
use crate::mask;
use crate::secret::Secret;
use crate::shown;
use error::{Cause, explain};
use hold::Hold;
use proxy::EnvironmentProxy;
use retry::Limits;
use route::Route;
use trust::Trust;

pub use certificate::{Distrust, Flaw, Signer};
pub use error::{ClientError, SendError};
pub(super) use hold::BeforeSending;
pub use last_failure::LastFailure;
pub use proxy::ProxyRefusal;
pub(super) use retry::{Ended, Repeat};
pub(super) use retry_after::RetryAfter;
pub use user_agent::App;

/// Longest time for a call whose body is read piece by piece.
const LONGEST_STREAM: Duration = Duration::from_secs(24 * 60 * 60);

/// How to reach servers.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The app on top, which is named to the server after gatehand.
    pub app: Option<App>,
    /// Which authorities are trusted, instead of those that are kept in the vault.
    pub trust: Option<Trust>,
    /// Longest wait for a connection; half of `attempt_timeout` if that is less.
    pub connect_timeout: Duration,
    /// Longest time for one attempt as a whole.
    pub attempt_timeout: Duration,
    /// Longest time for all attempts with the waits between.
    pub deadline: Duration,
    /// Whether all calls together have that time, which begins with the first; else each has it.
    pub is_deadline_shared: bool,
    /// How long a connection may be silent while an answer is awaited before it is tried, and how
    /// long its sign of life may then take; a third of `attempt_timeout` if that is less.
    pub keep_alive: Duration,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            app: None,
            trust: None,
            connect_timeout: Duration::from_secs(10),
            attempt_timeout: Duration::from_secs(30),
            deadline: Duration::from_secs(60),
            is_deadline_shared: false,
            keep_alive: Duration::from_secs(10),
        }
    }
}

impl ClientConfig {
    fn limits(&self) -> Limits {
        Limits {
            connect: self.connect_timeout,
            attempt: self.attempt_timeout,
            deadline: self.deadline,
        }
    }

    /// Silence and the wait for a sign of life fit into an attempt, so that the next one finds a
    /// dead connection gone.
    fn keep_alive(&self) -> Duration {
        self.keep_alive
            .min(self.attempt_timeout.min(self.deadline) / 3)
    }
}

/// An answer as it came.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) is_json: bool,
    pub(super) redirect: Option<Redirect>,
    /// When the server wants to be asked again.
    pub(super) retry_after: Option<RetryAfter>,
    /// The proxy that it came through, or from.
    pub(super) proxy: Option<String>,
    /// It may hold the API key.
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// Where an answer sends its reader.
pub(super) struct Redirect {
    pub(super) location: String,
    /// Whether that may be a page to log in to a network at.
    pub(super) may_be_login: bool,
}

impl Redirect {
    fn read(asked: &url::Url, headers: &HeaderMap) -> Option<Self> {
        let location = text(headers, LOCATION)?;
        // What is no address leads to nobody else.
        let may_be_login = asked.join(location).is_ok_and(|target| {
            let is_same_host = target.host() == asked.host();
            let is_encrypted_now = (asked.scheme(), target.scheme()) == ("http", "https");
            let is_same_server =
                is_same_host && (is_encrypted_now || target.origin() == asked.origin());
            !is_same_server || is_like_a_login(&target)
        });
        Some(Self {
            location: location.to_owned(),
            may_be_login,
        })
    }
}

/// Whether an address on the same host is like that of a page to log in at: by its words, or because
/// it hands on the address that was asked for.
fn is_like_a_login(target: &url::Url) -> bool {
    const WORDS: [&str; 6] = ["auth", "captive", "login", "logon", "portal", "signin"];
    let path = target.path().to_lowercase().replace(['-', '_'], "");
    WORDS.iter().any(|word| path.contains(word)) || target.query().is_some_and(hands_on)
}

fn hands_on(query: &str) -> bool {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.any(|(_, value)| value.starts_with('/') || value.contains("://"))
}

/// The client for all calls; keeps connections open between them.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    limits: Limits,
    setup: Arc<Setup>,
    given_trust: Option<Arc<Trust>>,
    /// When the time began that all calls share, if they do.
    begun: Option<Arc<OnceLock<Instant>>>,
}

/// What a client is made of.
#[derive(Clone)]
struct Setup {
    user_agent: String,
    tls: rustls::ClientConfig,
    proxy: Option<EnvironmentProxy>,
    keep_alive: Duration,
}

impl Setup {
    fn builder(&self) -> ClientBuilder {
        let keep_alive = self.keep_alive;
        let mut http = reqwest::Client::builder()
            .user_agent(&self.user_agent)
            .tls_backend_preconfigured(self.tls.clone())
            .redirect(redirect::Policy::none())
            .connector_layer(connecting::Limited)
            .http2_keep_alive_interval(keep_alive)
            .http2_keep_alive_timeout(keep_alive)
            .tcp_keepalive(keep_alive)
            .tcp_keepalive_interval(keep_alive)
            .tcp_keepalive_retries(1)
            .no_proxy();
        // Without it the kernel goes on sending into a network that is gone.
        #[cfg(any(target_os = "android", target_os = "linux"))]
        {
            http = http.tcp_user_timeout(keep_alive * 2);
        }
        match &self.proxy {
            Some(proxy) => http.proxy(proxy.setting()),
            None => http,
        }
    }
}

impl Client {
    /// A client that trusts whom the configuration does, follows no redirect, and uses the
    /// environment's proxy for https to other machines only.
    pub fn new(config: &ClientConfig) -> Result<Self, ClientError> {
        let setup = Setup {
            user_agent: user_agent::user_agent(config.app.as_ref()),
            tls: tls::config(config.trust.as_ref().unwrap_or(&Trust::default()))?,
            proxy: EnvironmentProxy::read()?,
            keep_alive: config.keep_alive(),
        };
        let http = setup.builder().build().map_err(ClientError::Http)?;
        Ok(Self {
            http,
            limits: config.limits(),
            setup: Arc::new(setup),
            given_trust: config.trust.clone().map(Arc::new),
            begun: config.is_deadline_shared.then(Arc::default),
        })
    }

    /// Whom it was told to trust, if it was.
    pub(super) fn given_trust(&self) -> Option<&Trust> {
        self.given_trust.as_deref()
    }

    /// A client with connections of its own, which trusts just these.
    pub(super) fn trusting(&self, trust: &Trust) -> Result<Self, ClientError> {
        let setup = Setup {
            tls: tls::config(trust)?,
            ..Setup::clone(&self.setup)
        };
        Ok(Self {
            http: setup.builder().build().map_err(ClientError::Http)?,
            setup: Arc::new(setup),
            ..self.clone()
        })
    }

    /// A client with connections of its own, on none of which anything is sent before `ready` has
    /// agreed: each time a connection stands, and so never if none comes about.
    pub(super) fn sending_after(&self, ready: BeforeSending) -> Result<Self, ClientError> {
        let http = self.setup.builder().connector_layer(Hold(ready));
        Ok(Self {
            http: http.build().map_err(ClientError::Http)?,
            ..self.clone()
        })
    }

    /// A request to be made, with nothing added to it.
    pub(crate) fn request(&self, method: Method, url: url::Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    fn route(&self, request: &Request) -> Route {
        Route::to(request.url(), self.setup.proxy.as_ref())
    }

    /// Longest time for all attempts of a call that begins now.
    pub(super) fn deadline(&self) -> Duration {
        let begun = self.begun.as_ref();
        let spent = begun.map(|begun| begun.get_or_init(Instant::now).elapsed());
        self.limits
            .deadline
            .saturating_sub(spent.unwrap_or_default())
    }

    /// The limits of a call that begins now.
    fn limits(&self) -> Limits {
        Limits {
            deadline: self.deadline(),
            ..self.limits
        }
    }

    /// The same client for one call with another deadline, if that is sooner.
    pub(super) fn within(&self, deadline: Option<Duration>) -> Self {
        let mut limited = self.clone();
        if let Some(deadline) = deadline {
            limited.limits.deadline = deadline.min(self.deadline());
            limited.begun = None;
        }
        limited
    }

    /// Sends once and returns when the answer begins.
    pub(super) async fn open(&self, request: RequestBuilder) -> Result<Incoming, SendError> {
        let mut request = request
            .build()
            .map_err(|source| explain(&Route::unknown(), source))?;
        let route = self.route(&request);
        // The body may take long, as long as it comes.
        *request.timeout_mut() = Some(LONGEST_STREAM);
        let now = certifiable_now()?;
        let limits = self.limits();
        let deadline = limits.deadline;
        if deadline.is_zero() {
            return Err(retry::no_time(&route.to_string()));
        }
        let execute = self.execute(request, &route, deadline);
        let execute = connecting::within(limits.connect_in(deadline), execute);
        let begun = tokio::time::timeout(deadline, execute).await;
        let response = begun.map_err(|_| silence(&route))??;
        Ok(Incoming {
            response,
            now,
            route,
            patience: limits.attempt.min(deadline),
        })
    }

    /// Sends until there is an answer worth reading, of at most `limit` bytes and whatever it says,
    /// or the deadline is over.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        limit: usize,
        repeat: Repeat,
    ) -> Ended {
        let request = match request.build() {
            Ok(request) => request,
            Err(source) => {
                return Ended {
                    result: Err(explain(&Route::unknown(), source)),
                    seen_before: false,
                };
            }
        };
        let route = self.route(&request);
        let limits = self.limits();
        retry::until_answered(limits, repeat, &route.to_string(), |time| {
            let copy = request.try_clone();
            let route = &route;
            async move {
                let mut request = copy.ok_or_else(|| SendError::Broken {
                    origin: route.to_string(),
                    source: Cause::from("the request's body can be sent once only"),
                })?;
                *request.timeout_mut() = Some(time);
                let attempt = self.attempt(request, route, limit, time);
                connecting::within(limits.connect_in(time), attempt).await
            }
        })
        .await
    }

    /// Sends within this time until an answer begins, and finds out why if none does.
    async fn execute(
        &self,
        request: Request,
        route: &Route,
        time: Duration,
    ) -> Result<Response, SendError> {
        let (url, begun) = (request.url().clone(), Instant::now());
        let source = match self.http.execute(request).await {
            Ok(response) => return Ok(response),
            Err(source) => source,
        };
        let mut error = explain(route, source);
        if let (SendError::Proxy { source, .. }, Some(proxy)) = (&mut error, &self.setup.proxy)
            && *source == ProxyRefusal::Unknown
        {
            let left = time.saturating_sub(begun.elapsed());
            let asking = tokio::time::timeout(left, proxy.ask_why(&url));
            *source = asking.await.unwrap_or(ProxyRefusal::Unknown);
        }
        Err(error)
    }

    async fn attempt(
        &self,
        request: Request,
        route: &Route,
        limit: usize,
        time: Duration,
    ) -> Result<Answer, SendError> {
        let now = certifiable_now()?;
        tracing::debug!(
            "asking: {} {route}{}",
            request.method(),
            shown::line(&mask::path(request.url().path()))
        );
        let begun = Instant::now();
        let response = self.execute(request, route, time).await;
        let response = response.inspect_err(|error| {
            tracing::debug!("no answer after {:?}: {error}", begun.elapsed());
        })?;
        tracing::debug!(
            "answered with status {} after {:?}",
            response.status(),
            begun.elapsed()
        );
        let incoming = Incoming {
            response,
            now,
            route: route.clone(),
            patience: self.limits.attempt,
        };
        incoming.read(limit).await
    }
}

/// An answer whose body is still to be read.
pub(super) struct Incoming {
    response: Response,
    /// When it was asked for.
    now: Timestamp,
    route: Route,
    /// Longest wait for the next piece.
    patience: Duration,
}

impl Incoming {
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next piece of the body, unpacked; `None` at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, SendError> {
        match tokio::time::timeout(self.patience, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece.map(Vec::from)),
            Ok(Err(source)) => Err(explain(&self.route, source)),
            Err(_) => Err(silence(&self.route)),
        }
    }

    /// Reads all of it. Piece by piece as they come out of the decompression, so that the limit holds
    /// for what a small answer may grow to.
    pub(super) async fn read(mut self, limit: usize) -> Result<Answer, SendError> {
        let mut body = Zeroizing::new(Vec::new());
        while let Some(piece) = self.next().await?.map(Zeroizing::new) {
            if body.len() + piece.len() > limit {
                return Err(SendError::TooLarge {
                    origin: self.route.to_string(),
                    limit,
                });
            }
            body.extend_from_slice(&piece);
        }
        let headers = self.response.headers().clone();
        Ok(Answer {
            status: self.response.status(),
            is_json: is_json(&headers),
            redirect: Redirect::read(self.response.url(), &headers),
            retry_after: RetryAfter::read(&headers, self.now),
            headers,
            proxy: self.route.proxy,
            body,
        })
    }
}

/// The time, if the TLS library can count with it.
fn certifiable_now() -> Result<Timestamp, SendError> {
    let now = clock::now();
    let is_countable = now >= Timestamp::UNIX_EPOCH && now < Timestamp::MAX;
    is_countable.then_some(now).ok_or(SendError::Clock)
}

fn silence(route: &Route) -> SendError {
    SendError::TimedOut {
        origin: route.to_string(),
        connecting: false,
        source: Cause::from("it fell silent"),
    }
}

/// The value of `Authorization` for a device, marked as one that is neither shown nor kept in a
/// table of headers.
pub(super) fn device_authorization(key: &Secret) -> Result<HeaderValue, InvalidHeaderValue> {
    let text = Zeroizing::new(format!("Device {}", key.expose()));
    let mut value = HeaderValue::from_str(&text)?;
    value.set_sensitive(true);
    Ok(value)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = text(headers, CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_key_is_never_shown_with_its_header() {
        let key = Secret::new("s3cret".to_owned());
        let value = device_authorization(&key).unwrap();
        assert_eq!(value.to_str().unwrap(), "Device s3cret");
        assert!(value.is_sensitive());
        assert!(!format!("{value:?}").contains("s3cret"));
        let broken = Secret::new("a\nb".to_owned());
        assert!(device_authorization(&broken).is_err());
    }

    #[test]
    fn connecting_and_signs_of_life_fit_into_an_attempt() {
        for seconds in [1, 15, 60, 600] {
            let config = ClientConfig {
                deadline: Duration::from_secs(seconds),
                ..ClientConfig::default()
            };
            let limits = config.limits();
            let attempt = limits.attempt.min(limits.deadline);
            assert!(limits.connect_in(attempt) < attempt, "{limits:?}");
            assert!(config.keep_alive() * 2 < attempt, "{limits:?}");
        }
    }

    #[tokio::test]
    async fn a_call_that_never_got_a_connection_shows_it_however_short_its_time_is() {
        // It takes connections and never answers to TLS.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let client = client(false).within(Some(Duration::from_millis(300)));
        let request = || client.request(Method::GET, url.parse().unwrap());
        let ended = client.send(request(), 1, Repeat::No).await;
        assert!(ended.result.is_err_and(|error| error.is_unsent()));
        let opened = client.open(request()).await;
        assert!(opened.is_err_and(|error| error.is_unsent()));
    }

    fn client(is_deadline_shared: bool) -> Client {
        let config = ClientConfig {
            is_deadline_shared,
            ..ClientConfig::default()
        };
        Client::new(&config).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_share_a_deadline_have_what_the_ones_before_left() {
        let (wait, passing) = (Duration::from_secs(25), Duration::from_secs(5));
        for (client, left) in [(client(false), 60), (client(true), 10)] {
            tokio::time::sleep(wait).await; // before the first call, as for a person's answer
            assert_eq!(client.deadline(), Duration::from_secs(60));
            tokio::time::sleep(wait).await;
            assert_eq!(client.within(Some(passing)).deadline(), passing);
            tokio::time::sleep(wait).await;
            assert_eq!(client.within(None).deadline(), client.deadline());
            assert_eq!(client.deadline(), Duration::from_secs(left));
            let request = || client.request(Method::GET, "http://127.0.0.1:9".parse().unwrap());
            tokio::time::sleep(wait).await;
            if left == 10 {
                let ended = client.send(request(), 1, Repeat::Safe).await;
                assert!(ended.result.is_err_and(|error| error.is_unsent()));
                assert!(
                    client
                        .open(request())
                        .await
                        .is_err_and(|error| error.is_unsent())
                );
            }
        }
    }
}
