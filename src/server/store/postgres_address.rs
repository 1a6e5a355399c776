//! Where a PostgreSQL database is, and how it is reached.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::secret::Secret;

/// How long to wait for one of the hosts to answer, unless the address says it.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// How long a connection may be silent before it is asked for, so that one to a machine that is gone ends.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A database's address, as `postgres://gatehand:secret@db1,db2/gatehand`. What it shows of itself holds no
/// password.
#[derive(Clone)]
pub struct PostgresAddress {
    text: Secret,
    config: Box<Config>,
    roots: Option<PathBuf>,
}

/// An address that can't be one of a database. The words hold nothing of its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostgresAddressError {
    /// It is not of the form of one.
    #[error(
        "this is no address of a PostgreSQL database, which is postgres://USER:PASSWORD@HOST/DATABASE with known options; a character as @ or / in a password is written as %40 or %2F"
    )]
    Form,
    /// No host is named.
    #[error(
        "the address of the database names no host; postgres:///DATABASE?host=/run/postgresql is one of a socket"
    )]
    NoHost,
    /// No database is named.
    #[error("the address of the database names none, as /gatehand behind the host")]
    NoDatabase,
    /// It asks for what a server can't do.
    #[error("a server needs a database that it can write: target_session_attrs is read-write")]
    ReadOnly,
    /// There are neither one port nor as many as hosts.
    #[error("the address of the database has another number of hosts than of ports or addresses")]
    Number,
}

impl PostgresAddress {
    /// Whether a text is meant as one.
    pub(in crate::server::store) fn is_meant(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, PostgresAddressError> {
        let own = OwnOptions::take(text);
        let mut config: Config = own
            .rest
            .expose()
            .parse()
            .map_err(|_| PostgresAddressError::Form)?;
        let hosts = config.get_hosts().len();
        let addresses = config.get_hostaddrs().len();
        if hosts.max(addresses) == 0 {
            return Err(PostgresAddressError::NoHost);
        }
        if (hosts > 0 && addresses > 0 && hosts != addresses)
            || (config.get_ports().len() > 1 && config.get_ports().len() != hosts.max(addresses))
        {
            return Err(PostgresAddressError::Number);
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(PostgresAddressError::NoDatabase);
        }
        if config.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
            return Err(PostgresAddressError::ReadOnly);
        }
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_PATIENCE);
        }
        config.keepalives_idle(KEEPALIVE.min(config.get_keepalives_idle()));
        if config.get_application_name().is_none() {
            config.application_name("gatehand-server");
        }
        if own.is_verified {
            config.ssl_mode(SslMode::Require);
        } else if !own.says_mode {
            // A password and all keys pass there: nothing of it goes over a network in the clear, unless it is said.
            config.ssl_mode(
                match config.get_hosts().iter().all(is_here) && addresses == 0 {
                    true => SslMode::Disable,
                    false => SslMode::Require,
                },
            );
        }
        Ok(Self {
            text: Secret::new(text.to_owned()),
            config: Box::new(config),
            roots: own.roots,
        })
    }

    /// How to connect to each of the hosts, in their order.
    pub(super) fn hosts(&self) -> Vec<Config> {
        let all = &self.config;
        let count = all.get_hosts().len().max(all.get_hostaddrs().len());
        let one = |index| {
            let mut one = Config::new();
            match all.get_hosts().get(index) {
                Some(Host::Tcp(host)) => one.host(host),
                Some(Host::Unix(path)) => one.host_path(path),
                None => &mut one,
            };
            if let Some(address) = all.get_hostaddrs().get(index) {
                one.hostaddr(*address);
            }
            let ports = all.get_ports();
            if let Some(port) = ports.get(index).or(ports.first()) {
                one.port(*port);
            }
            if let Some(user) = all.get_user() {
                one.user(user);
            }
            if let Some(password) = all.get_password() {
                one.password(password);
            }
            if let Some(name) = all.get_dbname() {
                one.dbname(name);
            }
            if let Some(options) = all.get_options() {
                one.options(options);
            }
            if let Some(name) = all.get_application_name() {
                one.application_name(name);
            }
            if let Some(timeout) = all.get_connect_timeout() {
                one.connect_timeout(*timeout);
            }
            if let Some(timeout) = all.get_tcp_user_timeout() {
                one.tcp_user_timeout(*timeout);
            }
            one.keepalives(all.get_keepalives());
            one.keepalives_idle(all.get_keepalives_idle());
            if let Some(interval) = all.get_keepalives_interval() {
                one.keepalives_interval(interval);
            }
            if let Some(retries) = all.get_keepalives_retries() {
                one.keepalives_retries(retries);
            }
            one.ssl_mode(all.get_ssl_mode());
            one.ssl_negotiation(all.get_ssl_negotiation());
            one.channel_binding(all.get_channel_binding());
            one.target_session_attrs(all.get_target_session_attrs());
            one
        };
        (0..count).map(one).collect()
    }

    /// Whether it may be reached by TLS.
    pub(super) fn has_tls(&self) -> bool {
        self.config.get_ssl_mode() != SslMode::Disable
    }

    /// The file with the authorities that may vouch for it, if not the system's.
    pub(super) fn roots(&self) -> Option<&Path> {
        self.roots.as_deref()
    }

    /// How long each host may take to answer.
    pub(super) fn connect_patience(&self) -> Duration {
        let said = self.config.get_connect_timeout();
        said.copied().unwrap_or(CONNECT_PATIENCE)
    }
}

/// Whether a host is this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            let address = name.parse::<std::net::IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
    }
}

/// Options that the client knows otherwise than PostgreSQL's own programs, and the address without them.
struct OwnOptions {
    rest: Secret,
    says_mode: bool,
    /// Only a host whose certificate is good, which is what each mode but `disable` and `prefer` means here.
    is_verified: bool,
    roots: Option<PathBuf>,
}

impl OwnOptions {
    fn take(text: &str) -> Self {
        let (address, options) = text.split_once('?').unwrap_or((text, ""));
        let (mut says_mode, mut is_verified, mut roots) = (false, false, None);
        let mut kept = Vec::new();
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", "verify-full" | "verify-ca")) => is_verified = true,
                Some(("sslrootcert", "system")) => {}
                Some(("sslrootcert", path)) => {
                    let path = percent_encoding::percent_decode_str(path);
                    roots = Some(path.decode_utf8_lossy().into_owned().into());
                }
                name => {
                    says_mode |= matches!(name, Some(("sslmode", _)));
                    kept.push(option);
                }
            }
        }
        let rest = match kept.is_empty() {
            true => address.to_owned(),
            false => format!("{address}?{}", kept.join("&")),
        };
        Self {
            rest: Secret::new(rest),
            says_mode,
            is_verified,
            roots,
        }
    }
}

impl fmt::Display for PostgresAddress {
    /// User, hosts and name: enough to know it by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        let ports = self.config.get_ports();
        let named = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let addresses = self.config.get_hostaddrs().iter().map(ToString::to_string);
        let hosts: Vec<String> = match self.config.get_hosts() {
            [] => addresses.collect(),
            _ => named.collect(),
        };
        for (index, host) in hosts.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{host}")?;
            if let Some(port) = ports
                .get(index)
                .or(ports.first())
                .filter(|port| **port != 5432)
            {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for PostgresAddress {
    fn eq(&self, other: &Self) -> bool {
        self.text.expose() == other.text.expose()
    }
}

impl Eq for PostgresAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        PostgresAddress::parse(text).unwrap().to_string()
    }

    #[test]
    fn an_address_shows_no_password() {
        let text = "postgresql://gate:s3cr%40t@db1:6000,db2:6001/tickets?options=-c%20x%3Ds3cret";
        assert_eq!(shown(text), "postgres://gate@db1:6000,db2:6001/tickets");
        let address = PostgresAddress::parse(text).unwrap();
        assert!(!format!("{address:?}").contains("s3cr"));
        assert_eq!(
            shown("postgres:///tickets?host=/run/postgresql&user=gate"),
            "postgres://gate@/run/postgresql/tickets"
        );
        for wrong in [
            "postgres://gate:s3cret@db:port/tickets",
            "postgres://gate:s3cret@db/tickets?unknown=s3cret",
            "postgres://gate:s3cret@db/tickets?sslmode=s3cret",
            "postgres://gate:s3cret@/",
            "postgres://gate:s3cret@db",
            "postgres://gate:s3cret@db/tickets?target_session_attrs=read-only",
            "postgres://gate:s3cret@a,b/tickets?port=1,2,3",
        ] {
            let error = PostgresAddress::parse(wrong).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{wrong}");
        }
    }

    #[test]
    fn only_a_database_of_this_machine_is_reached_without_tls_unless_it_is_said() {
        for (text, mode) in [
            ("postgres://db/x", SslMode::Require),
            ("postgres://localhost,db/x", SslMode::Require),
            ("postgres://localhost/x?hostaddr=10.1.2.3", SslMode::Require),
            (
                "postgres://db/x?sslmode=verify-full&sslrootcert=/etc/db.pem",
                SslMode::Require,
            ),
            (
                "postgres://localhost/x?sslmode=verify-full",
                SslMode::Require,
            ),
            ("postgres://127.0.0.1/x", SslMode::Disable),
            ("postgres://%2Frun%2Fpostgresql/x", SslMode::Disable),
            ("postgres://db/x?sslmode=disable", SslMode::Disable),
            ("postgres://db/x?sslmode=prefer", SslMode::Prefer),
        ] {
            let address = PostgresAddress::parse(text).unwrap();
            for host in address.hosts() {
                assert_eq!(host.get_ssl_mode(), mode, "{text}");
            }
            let roots = text
                .contains("sslrootcert")
                .then_some(Path::new("/etc/db.pem"));
            assert_eq!(address.roots(), roots);
        }
    }

    #[test]
    fn each_host_is_tried_by_itself_and_has_to_take_writes() {
        let address = PostgresAddress::parse("postgres://u:p@a:1,b:2,c/x?port=3")
            .unwrap_or_else(|_| PostgresAddress::parse("postgres://u:p@a:1,b:2/x").unwrap());
        for (host, (name, port)) in address.hosts().iter().zip([("a", 1), ("b", 2)]) {
            assert_eq!(host.get_hosts(), [Host::Tcp(name.to_owned())]);
            assert_eq!(host.get_ports(), [port]);
            assert_eq!(host.get_password(), Some(&b"p"[..]));
            assert_eq!(
                host.get_target_session_attrs(),
                TargetSessionAttrs::ReadWrite
            );
        }
    }
}
