//! Talking to a server: one client with the limits, the trust and the patience that every call
//! needs.

mod answer;
mod certificate;
mod certificate_file;
mod client_error;
mod connecting;
mod headers;
mod hold;
mod incoming;
mod last_failure;
#[cfg(feature = "cli")]
mod look;
mod pinned;
mod proxy;
mod retry;
mod retry_after;
mod route;
mod send_error;
mod taken;
mod tls;
mod trust;
mod user_agent;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{ClientBuilder, Method, Request, RequestBuilder, Response, redirect};
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;

use super::clock;
use crate::mask;
use crate::shown;
use hold::Hold;
use incoming::silence;
use proxy::HttpProxy;
use retry::Limits;
use route::Route;
use send_error::{Cause, explain};
use taken::Taken;
use tls::SystemStore;

pub(crate) use answer::Answer;
#[cfg(fuzzing)]
pub(super) use answer::Redirect;
pub use certificate::{Distrust, Flaw, Signer};
pub use client_error::ClientError;
pub(crate) use headers::idempotency_header;
#[cfg(all(feature = "cli", feature = "server"))]
pub(crate) use headers::team_authorization;
pub(super) use headers::{NO_BODY, device_authorization};
pub(super) use hold::BeforeSending;
pub(super) use incoming::Incoming;
pub use last_failure::LastFailure;
#[cfg(feature = "cli")]
pub(super) use look::{LookError, look};
#[cfg(feature = "cli")]
pub use look::{Looked, ShownCertificate};
#[cfg(feature = "cli")]
pub use proxy::ProxyOnTheWay;
pub use proxy::{ProxyChoice, ProxyRefusal};
pub(crate) use retry::{Ended, Repeat};
pub use send_error::SendError;
pub use trust::{OwnAuthority, Trust};
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
    /// This system's certificates, each in DER, where the program on top finds them, as on Android; without it
    /// they are read from where the system has them. Of use where they are trusted.
    pub system_certificates: Option<Vec<Vec<u8>>>,
    /// The proxy for https to other machines.
    pub proxy: ProxyChoice,
    /// Longest wait for a connection; half of `read_timeout` if that is less.
    pub connect_timeout: Duration,
    /// Longest silence of a server: before its answer begins, not counting while it takes what is sent or
    /// more of that is awaited, and between two pieces of it. As long as pieces come, an attempt may take all of `deadline`.
    pub read_timeout: Duration,
    /// Longest time for all attempts with the waits between.
    pub deadline: Duration,
    /// Whether all calls together have that time, which begins with the first; else each has it.
    pub is_deadline_shared: bool,
    /// How long a connection may be silent while an answer is awaited before it is tried, and how
    /// long its sign of life may then take; a third of `read_timeout` if that is less.
    pub keep_alive: Duration,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            app: None,
            trust: None,
            system_certificates: None,
            proxy: ProxyChoice::default(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
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
            read: self.read_timeout,
            deadline: self.deadline,
        }
    }

    /// Silence and the wait for a sign of life fit into the shortest attempt, so that the next one finds
    /// a dead connection gone.
    fn keep_alive(&self) -> Duration {
        self.keep_alive
            .min(self.read_timeout.min(self.deadline) / 3)
    }
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
    proxy: Option<HttpProxy>,
    system: SystemStore,
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
    /// A client that trusts whom the configuration does, follows no redirect, and uses a proxy for https to
    /// other machines only.
    pub fn new(config: &ClientConfig) -> Result<Self, ClientError> {
        let system = config.system_certificates.as_ref().map(|given| {
            let given = given.iter().cloned().map(CertificateDer::from);
            Arc::new(given.collect())
        });
        let trust = config.trust.clone().unwrap_or_default();
        let setup = Setup {
            user_agent: user_agent::user_agent(config.app.as_ref()),
            tls: tls::config(&trust, &system)?,
            proxy: HttpProxy::chosen(&config.proxy)?,
            system,
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

    /// The proxy on the way to this address, if there is one.
    #[cfg(feature = "cli")]
    pub fn proxy_to(&self, url: &url::Url) -> Option<ProxyOnTheWay> {
        self.setup.proxy.as_ref()?.on_the_way_to(url)
    }

    /// The proxy for https to other machines, on the way or not.
    #[cfg(feature = "cli")]
    pub fn proxy(&self) -> Option<String> {
        self.setup.proxy.as_ref().map(ToString::to_string)
    }

    /// Whom it was told to trust, if it was.
    pub(super) fn given_trust(&self) -> Option<&Trust> {
        self.given_trust.as_deref()
    }

    /// A client with connections of its own, which trusts just these.
    pub(super) fn trusting(&self, trust: &Trust) -> Result<Self, ClientError> {
        let setup = Setup {
            tls: tls::config(trust, &self.setup.system)?,
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

    /// The same client for all that is asked for a call that begins now, which has this time together,
    /// or the client's own if that is less.
    pub(super) fn shared_within(&self, limit: Option<Duration>) -> Self {
        let mut shared = self.within(Some(limit.unwrap_or(Duration::MAX)));
        shared.begun = Some(Arc::new(OnceLock::from(Instant::now())));
        shared
    }

    /// The same client that bears another silence of a server.
    pub(super) fn bearing(mut self, silence: Option<Duration>) -> Self {
        self.limits.read = silence.unwrap_or(self.limits.read);
        self
    }

    /// The same client for what has this time, also if that is more than the client's own.
    pub(super) fn having(mut self, deadline: Duration) -> Self {
        self.limits.deadline = deadline;
        self.begun = None;
        self
    }

    /// The same client with the time that `other` has.
    pub(super) fn timed_as(self, other: &Self) -> Self {
        Self {
            limits: other.limits,
            begun: other.begun.clone(),
            ..self
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
    pub(super) async fn open(&self, mut request: Request) -> Result<Incoming, SendError> {
        let route = self.route(&request);
        let now = certifiable_now()?;
        let limits = self.limits();
        let deadline = limits.deadline;
        if deadline.is_zero() {
            return Err(retry::no_time(&route.to_string()));
        }
        let taken = Taken::watch(&mut request);
        // Boxed, as kilobytes would be moved from one future into the next.
        let execute = Box::pin(self.execute(request, &route, deadline));
        let execute = connecting::within(limits.connect_in(deadline), execute);
        let patience = limits.silence_in(deadline);
        let begun = taken.unless_silent(patience, deadline, execute).await;
        let response = begun.ok_or_else(|| silence(&route))??;
        Ok(Incoming {
            response,
            now,
            route,
            patience,
            // The body may take long, as long as it comes.
            until: Some(Instant::now() + LONGEST_STREAM),
        })
    }

    /// Sends until there is an answer worth reading, of at most `limit` bytes and whatever it says,
    /// or the deadline is over.
    pub(crate) async fn send(
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
                // As where a call is opened.
                let attempt = self.attempt(request, route, limit, limits.silence_in(time));
                let attempt = Box::pin(attempt);
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
        let proxy = self.setup.proxy.as_ref();
        let proxy = proxy.map(|proxy| (proxy, request.url().clone()));
        let begun = Instant::now();
        let source = match self.http.execute(request).await {
            Ok(response) => return Ok(response),
            Err(source) => source,
        };
        let mut error = explain(route, source);
        if let (SendError::Proxy { source, .. }, Some((proxy, url))) = (&mut error, proxy)
            && *source == ProxyRefusal::Unknown
        {
            let left = time.saturating_sub(begun.elapsed());
            let asking = tokio::time::timeout(left, proxy.ask_why(&url));
            *source = asking.await.unwrap_or(ProxyRefusal::Unknown);
        }
        Err(error)
    }

    /// Sends once and reads the answer, as long as the other side is never silent for longer than this.
    async fn attempt(
        &self,
        mut request: Request,
        route: &Route,
        limit: usize,
        patience: Duration,
    ) -> Result<Answer, SendError> {
        let now = certifiable_now()?;
        tracing::debug!(
            "asking: {} {route}{}",
            request.method(),
            shown::line(&mask::path(request.url().path()))
        );
        let begun = Instant::now();
        let taken = Taken::watch(&mut request);
        let execute = self.execute(request, route, patience);
        // The request has its own time for all of it.
        let silent = taken.unless_silent(patience, LONGEST_STREAM, execute);
        let response = silent.await;
        let response = response.unwrap_or_else(|| Err(silence(route)));
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
            patience,
            until: None,
        };
        incoming.read(limit).await
    }
}

/// The time, if the TLS library can count with it.
fn certifiable_now() -> Result<Timestamp, SendError> {
    let now = clock::now();
    let is_countable = now >= Timestamp::UNIX_EPOCH && now < Timestamp::MAX;
    is_countable.then_some(now).ok_or(SendError::Clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connecting_and_signs_of_life_fit_into_the_shortest_attempt() {
        for seconds in [1, 15, 60, 600] {
            let config = ClientConfig {
                deadline: Duration::from_secs(seconds),
                ..ClientConfig::default()
            };
            let limits = config.limits();
            let silence = limits.silence_in(limits.deadline);
            assert!(limits.connect_in(limits.deadline) < silence, "{limits:?}");
            assert!(config.keep_alive() * 2 < silence, "{limits:?}");
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
        let opened = client.open(request().build().unwrap()).await;
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
                        .open(request().build().unwrap())
                        .await
                        .is_err_and(|error| error.is_unsent())
                );
            }
        }
    }
}
