//! Connecting to PostgreSQL: one host after the other, by TLS where the address wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Context;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::runtime::Runtime;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::{Connection, Wire, never};
use super::failure::Failure;
use crate::server::store::postgres_address::PostgresAddress;
use crate::server::tally::Count;

/// What each connection is told first: a COMMIT is on disk before it is said to be done, whatever else is usual there;
/// and nothing waits for a lock longer than somebody waits here.
const BEGINNING: &str = "SELECT set_config('synchronous_commit', 'on', FALSE)
     WHERE current_setting('synchronous_commit') = 'off';
     SET lock_timeout = '6s'";

/// Opens connections to one database.
pub(super) struct Connector {
    hosts: Vec<Config>,
    tls: Option<MakeRustlsConnect>,
    patience: std::time::Duration,
    /// The host that took the last connection: with several, the one that takes writes.
    first: AtomicUsize,
    /// Whether a restored backup that nobody has confirmed is refused.
    expects_confirmed: AtomicBool,
    /// How often a transaction was tried again.
    pub(super) retries: Count,
}

/// Finds a restored backup that nobody has confirmed. Whoever restores one holds the table meanwhile, and then ends
/// the connections that were there before.
const UNCONFIRMED: &str = "SELECT 1 FROM backup WHERE confirmed IS NULL";

impl Connector {
    pub(super) fn new(address: &PostgresAddress) -> Result<Self, Failure> {
        let tls = match address.has_tls() {
            true => Some(tls(address)?),
            false => None,
        };
        Ok(Self {
            hosts: address.hosts(),
            tls,
            patience: address.connect_patience(),
            first: AtomicUsize::new(0),
            expects_confirmed: AtomicBool::new(false),
            retries: Count::default(),
        })
    }

    /// Has later connections refused as long as a restored backup waits to be confirmed.
    pub(super) fn expect_confirmed(&self) {
        self.expects_confirmed.store(true, Ordering::Relaxed);
    }

    /// A new connection to the first host that takes writes.
    pub(super) fn connect(&self, runtime: &Runtime) -> Result<Connection, Failure> {
        let count = self.hosts.len();
        let first = self.first.load(Ordering::Relaxed);
        let mut failure = Failure::Fault("a database without a host");
        for index in (first..first + count).map(|index| index % count.max(1)) {
            let Some(host) = self.hosts.get(index) else {
                break;
            };
            match self.connect_to(runtime, index, host) {
                Ok(connection) => {
                    self.first.store(index, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(Failure::Unconfirmed) => return Err(Failure::Unconfirmed),
                Err(source) => {
                    failure = Failure::Unreachable {
                        host: name(host),
                        source: Box::new(source),
                    };
                }
            }
        }
        Err(failure)
    }

    /// Whether a connection is to the host that is asked first now.
    pub(super) fn is_at_first(&self, connection: &Connection) -> bool {
        connection.host == self.first.load(Ordering::Relaxed)
    }

    /// Closes a connection that failed. The next one is to another host, if there is one: this one may take
    /// connections and say nothing.
    pub(super) fn give_up(&self, connection: Connection) {
        let (failed, next) = (
            connection.host,
            (connection.host + 1) % self.hosts.len().max(1),
        );
        let order = Ordering::Relaxed;
        // Unless another thread has found a better one.
        let _ = self.first.compare_exchange(failed, next, order, order);
    }

    fn connect_to(
        &self,
        runtime: &Runtime,
        index: usize,
        host: &Config,
    ) -> Result<Connection, Failure> {
        let connecting = async {
            let made: Result<(Client, Wire), Failure> = match &self.tls {
                Some(tls) => {
                    let (client, mut connection) = host.connect(tls.clone()).await?;
                    let wire = move |cx: &mut Context<'_>| connection.poll_message(cx);
                    Ok((client, Box::new(wire)))
                }
                None => {
                    let (client, mut connection) = host.connect(NoTls).await?;
                    let wire = move |cx: &mut Context<'_>| connection.poll_message(cx);
                    Ok((client, Box::new(wire)))
                }
            };
            made
        };
        // A paused PostgreSQL takes a connection and says nothing.
        let patience = self.patience;
        let connected =
            runtime.block_on(async { tokio::time::timeout(patience, connecting).await });
        let (client, wire) = connected.map_err(|_| Failure::NoAnswer(patience))??;
        let mut connection = Connection::new(client, wire, index);
        connection.batch(runtime, BEGINNING)?;
        if self.expects_confirmed.load(Ordering::Relaxed) {
            let found = connection.query(runtime, &mut never, UNCONFIRMED, &[])?;
            if !found.is_empty() {
                return Err(Failure::Unconfirmed);
            }
        }
        Ok(connection)
    }
}

/// How a host is called.
fn name(config: &Config) -> String {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match (config.get_hosts().first(), config.get_hostaddrs().first()) {
        (Some(Host::Tcp(name)), _) => format!("{name}:{port}"),
        (Some(Host::Unix(path)), _) => path.display().to_string(),
        (None, Some(address)) => format!("{address}:{port}"),
        (None, None) => String::new(),
    }
}

/// TLS that takes a certificate for the host's name only, which an authority has signed.
fn tls(address: &PostgresAddress) -> Result<MakeRustlsConnect, Failure> {
    let mut roots = RootCertStore::empty();
    match address.roots() {
        Some(path) => {
            let all = CertificateDer::pem_file_iter(path);
            for certificate in all.map_err(|error| Failure::Certificates(error.into()))? {
                let certificate =
                    certificate.map_err(|error| Failure::Certificates(error.into()))?;
                let added = roots.add(certificate);
                added.map_err(|error| Failure::Certificates(error.into()))?;
            }
        }
        None => {
            // Those that can't be read vouch for nobody; the others do.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| Failure::Certificates(error.into()))?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
