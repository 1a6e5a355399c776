//! The server side: the devices resource and the device API of an organizer's server.
//!
//! [`store::open`] opens the database, [`Server::listen`] takes the address and [`Server::run`] serves
//! until it is told to stop. [`store`] holds what the server knows, `api` turns requests into operations
//! on it.

mod alerts;
mod api;
pub mod event_selection;
pub mod installation_keys;
mod media_keys;
mod metrics;
pub mod model;
pub mod organizers_file;
mod probes;
mod public_url;
mod readiness;
mod reception;
pub mod secret_file;
mod serve;
mod site;
pub mod store;
mod tally;
mod tokens;
mod web;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use hyper::Request;
use jiff::{SignedDuration, Timestamp};

use crate::serving::{
    Address, Limits, ListenError, Listener, PassedSocket, Tls, TlsError, TlsFiles, Traffic,
    TrustedProxies,
};
use crate::wire::ServerVersion;
use alerts::Alerts;
pub use alerts::{AlertSettings, SILENT_AFTER};
use metrics::{Metrics, Sources};
use probes::Probes;
pub use public_url::{PublicUrl, PublicUrlError};
use readiness::Readiness;
use reception::Callers;
pub use reception::{AllowedHost, AllowedHostError};
use site::Site;
use store::{Administration, Installation, OpenError, Store, oldest_kept};

/// How often answers and log entries are dropped that are kept long enough.
const SWEEP_INTERVAL: Duration = Duration::from_secs(600);

/// How often it is stored when devices were last seen: what is told of it is right within a minute.
pub const SIGHTINGS_INTERVAL: Duration = Duration::from_secs(20);

/// How long it is kept how devices were when they reported: a day is shown, and told of until it is swept.
const SAMPLES_KEPT: SignedDuration = SignedDuration::from_hours(25);

/// Mode of a Unix socket that is listened on: its group may connect, as a proxy's.
const SOCKET_MODE: u32 = 0o660;

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on.
    pub listen: Address,
    /// The address under which callers reach the server, for links; else taken from the request.
    /// What has a path is served under that path too.
    pub public_url: Option<PublicUrl>,
    /// The version to report, by which apps switch features on.
    pub version: ServerVersion,
    /// How long to take for an answer, once the request is there: what is not done by then is refused.
    pub answer_time: Duration,
    /// What connections may cost.
    pub limits: Limits,
    /// Whom to tell of devices that fall silent, if anybody.
    pub alerts: Option<AlertSettings>,
    /// Where to tell metrics, if anywhere.
    pub metrics_listen: Option<Address>,
    /// The certificate to show and its key; without, http is spoken.
    pub tls: Option<TlsFiles>,
    /// By which hosts callers may name the server besides its public address, the one they connect to,
    /// and localhost.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Who may say on whose behalf it asks.
    pub trusted_proxies: TrustedProxies,
    /// How many keys and tokens that nobody has an address may send in a minute; 0 for any number.
    pub unknown_keys_per_minute: u32,
    /// How long the devices' logs go back.
    pub device_log: SignedDuration,
    /// How often it is stored when devices were last seen.
    pub sightings_interval: Duration,
}

impl Config {
    /// A server at this address, with the default of everything else.
    pub fn new(listen: Address) -> Self {
        Self {
            listen,
            public_url: None,
            version: reference_version(),
            answer_time: ANSWER_TIME,
            limits: Limits::default(),
            alerts: None,
            metrics_listen: None,
            tls: None,
            allowed_hosts: Vec::new(),
            trusted_proxies: TrustedProxies::default(),
            unknown_keys_per_minute: UNKNOWN_KEYS_PER_MINUTE,
            device_log: DEVICE_LOG,
            sightings_interval: SIGHTINGS_INTERVAL,
        }
    }
}

/// How many days the devices' logs go back unless a server is told otherwise: two years.
pub const DEVICE_LOG_DAYS: u32 = 731;

/// The same as a length of time.
pub const DEVICE_LOG: SignedDuration = SignedDuration::from_hours(24 * DEVICE_LOG_DAYS as i64);

/// How many keys and tokens that nobody has an address may send in a minute, unless it is told otherwise.
pub const UNKNOWN_KEYS_PER_MINUTE: u32 = 300;

/// How long a server takes for an answer unless it is told otherwise.
pub const ANSWER_TIME: Duration = Duration::from_secs(30);

/// The version of the reference that this server behaves like.
pub fn reference_version() -> ServerVersion {
    ServerVersion {
        pretix: "2026.8.0".to_owned(),
        pretix_numeric: 20_260_080_005_000,
    }
}

/// Why a server can't be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The database can't be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The address can't be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The certificate or its key can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A server that has its address and database.
pub struct Server {
    listener: Listener,
    limits: Limits,
    trusted_proxies: TrustedProxies,
    tls: Option<Arc<Tls>>,
    traffic: Arc<Traffic>,
    metrics: Option<(Listener, Arc<Metrics>)>,
    alerts: Option<Alerts>,
    installation: Installation,
    site: Arc<Site>,
    device_log: SignedDuration,
    sightings: Arc<api::Sightings>,
    sightings_interval: Duration,
}

impl Server {
    /// Takes the address. Connections wait until [`run`](Self::run).
    pub async fn listen(installation: Installation, config: Config) -> Result<Self, ServerError> {
        let listener = Listener::bind(&config.listen, SOCKET_MODE).await?;
        Self::new(config, installation, listener).await
    }

    /// Like [`listen`](Self::listen), on a socket that was passed in place of the config's address.
    pub async fn on(
        socket: PassedSocket,
        installation: Installation,
        config: Config,
    ) -> Result<Self, ServerError> {
        let listener = Listener::passed(socket)?;
        Self::new(config, installation, listener).await
    }

    async fn new(
        config: Config,
        installation: Installation,
        mut listener: Listener,
    ) -> Result<Self, ServerError> {
        let tls = config.tls.map(Tls::read).transpose()?.map(Arc::new);
        if let Some(tls) = &tls {
            listener = listener.with_tls(Arc::clone(tls))?;
        }
        let callers = Arc::new(Callers::new(
            config.public_url.as_ref(),
            config.allowed_hosts,
            config.trusted_proxies.clone(),
            config.unknown_keys_per_minute,
        ));
        let api = api::Api::new(
            &installation,
            config.public_url.clone(),
            config.version,
            config.answer_time,
        )
        .called_by(Arc::clone(&callers));
        let web = web::Web::new(
            &installation,
            config.public_url.as_ref(),
            config.answer_time,
            Arc::clone(&callers),
        );
        let (traffic, counts) = (Arc::<Traffic>::default(), Arc::<api::Counts>::default());
        let metrics = match &config.metrics_listen {
            Some(address) => {
                metrics::warn_of_strangers(address);
                let sources = Sources {
                    store: Arc::clone(&installation.store) as Arc<dyn Store>,
                    counts: Arc::clone(&counts),
                    kept: api.kept_counts(),
                    callers: Arc::clone(&callers),
                    sightings: api.sightings(),
                    traffic: Arc::clone(&traffic),
                    database: installation.database.kind(),
                };
                let listener = Listener::bind(address, SOCKET_MODE).await?;
                Some((listener, Arc::new(Metrics::of(sources))))
            }
            None => None,
        };
        let alerts = config.alerts.map(|settings| {
            let store = Arc::clone(&installation.store) as Arc<dyn Store>;
            Alerts::new(settings, store, api.sightings())
        });
        let readiness = Readiness::of(Arc::clone(&installation.store) as Arc<dyn Store>);
        let probes = Probes::new(Arc::new(readiness), api.prefix());
        Ok(Self {
            sightings: api.sightings(),
            sightings_interval: config.sightings_interval,
            device_log: config.device_log,
            listener,
            limits: config.limits,
            trusted_proxies: config.trusted_proxies,
            site: Site::new(
                callers,
                config.public_url.as_ref(),
                probes,
                counts,
                api::Served::new(api),
                web,
            ),
            tls,
            traffic,
            metrics,
            alerts,
            installation,
        })
    }

    /// The address that is listened on, with its port.
    pub fn local_addr(&self) -> &Address {
        self.listener.address()
    }

    /// Where metrics are told, if anywhere.
    pub fn metrics_addr(&self) -> Option<&Address> {
        let (listener, _) = self.metrics.as_ref()?;
        Some(listener.address())
    }

    /// The certificate that is shown, if TLS is spoken.
    pub fn tls(&self) -> Option<&Arc<Tls>> {
        self.tls.as_ref()
    }

    /// What is served: the database, and where the secret is.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Answers one request as if it had come over a connection.
    pub async fn answer(&self, request: Request<Body>) -> Response {
        Arc::clone(&self.site).answer(request).await
    }

    /// Serves until `shutdown` is done, and then finishes what was accepted.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let store = self.installation.store;
        let sweep = sweep(Arc::clone(&store), self.device_log);
        let note = note(&self.sightings, &*store, self.sightings_interval);
        let site = Arc::clone(&self.site);
        let follow = site.follow();
        let serve = serve::serve(
            self.listener,
            self.limits,
            self.trusted_proxies,
            self.traffic,
            self.site,
            shutdown,
        );
        let metrics = async {
            if let Some((listener, metrics)) = self.metrics {
                metrics::serve(listener, metrics, std::future::pending()).await;
            }
            std::future::pending().await
        };
        let alerts = async {
            if let Some(alerts) = self.alerts {
                alerts.run().await;
            }
            std::future::pending().await
        };
        tokio::select! {
            () = serve => {}
            () = sweep => {}
            () = note => {}
            () = follow => {}
            () = metrics => {}
            () = alerts => {}
        }
        store_sightings(&self.sightings, &*store).await;
    }
}

/// Stores when devices were last seen, time and again.
async fn note(sightings: &api::Sightings, store: &dyn Administration, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        store_sightings(sightings, store).await;
    }
}

async fn store_sightings(sightings: &api::Sightings, store: &dyn Administration) {
    if let Err(error) = sightings.store(store).await {
        tracing::warn!(%error, advice = error.advice(), "when devices were last seen can't be stored now");
    }
}

/// Drops answers and log entries that are kept long enough, time and again.
async fn sweep(store: Arc<dyn Administration>, device_log: SignedDuration) {
    loop {
        let now = Timestamp::now();
        if let Err(error) = store.sweep_answers(oldest_kept(now)).await {
            tracing::warn!(%error, advice = error.advice(), "kept answers can't be swept");
        }
        let oldest = now.checked_sub(device_log).unwrap_or(Timestamp::MIN);
        if let Err(error) = store.sweep_log(oldest).await {
            tracing::warn!(%error, advice = error.advice(), "the devices' logs can't be swept");
        }
        let oldest = now.checked_sub(SAMPLES_KEPT).unwrap_or(Timestamp::MIN);
        if let Err(error) = store.sweep_samples(oldest).await {
            tracing::warn!(%error, advice = error.advice(), "how devices were can't be swept");
        }
        tokio::time::sleep(SWEEP_INTERVAL).await;
    }
}
