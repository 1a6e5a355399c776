//! `gatehand serve`: the server module as a process.

mod alerts;
mod callers;
mod limits;
mod reload;
mod tls;

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};

use super::database_arguments::DatabaseArguments;
use super::error::CliError;
use super::output;
use super::program_name::ProgramName;
use super::runtime;
use crate::server::store::{self, Database};
use crate::server::{Config, DEVICE_LOG_DAYS, PublicUrl, Server, ServerError};
use crate::serving::{Address, Limits, PassedSocket};
use alerts::AlertArguments;
use callers::Callers;
use limits::LimitArguments;
pub(super) use reload::Again;
use reload::ReadAgain;
use tls::TlsArguments;

const EXAMPLES: &str = "\
Examples:
  gatehand serve
  gatehand serve --listen 127.0.0.1:8345 \\
      --public-url https://tickets.example --database /srv/tickets/gatehand.db
  gatehand serve --listen unix:/run/gatehand/server.sock \\
      --public-url https://tickets.example";

/// Serve the devices resource and the device API.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    #[command(flatten)]
    database: DatabaseArguments,
    /// The address to listen on, or `unix:/path` for a Unix socket; have it speak https (--tls-cert), or put a proxy
    /// that does before it. A socket that a service manager passes (`LISTEN_FDS`) is taken instead.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "GATEHAND_LISTEN",
        default_value = "127.0.0.1:8345"
    )]
    listen: Address,
    #[command(flatten)]
    callers: Callers,
    /// How long the devices' logs go back, in days.
    #[arg(
        long,
        value_name = "DAYS",
        env = "GATEHAND_DEVICE_LOG_DAYS",
        default_value_t = DEVICE_LOG_DAYS,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    device_log_days: u32,
    /// Tell metrics for Prometheus there, at /metrics, and nowhere else: an address of this machine, or `unix:/path`;
    /// off unless given.
    #[arg(long, value_name = "ADDRESS", env = "GATEHAND_METRICS_LISTEN")]
    metrics_listen: Option<Address>,
    #[command(flatten)]
    tls: TlsArguments,
    #[command(flatten)]
    alerts: AlertArguments,
    #[command(flatten)]
    limits: LimitArguments,
}

/// How a server stands that is told to stop.
enum Course {
    Stopping,
    Ended(Result<(), CliError>),
}

impl Serve {
    /// `read_again`: what its settings say once SIGHUP came.
    pub(super) fn run(self, read_again: ReadAgain) -> Result<(), CliError> {
        // Before there are threads: it changes the environment.
        let passed = PassedSocket::take().map_err(ServerError::from)?;
        let limits = Limits::from(self.limits);
        let stop_time = limits.stop_time;
        let named = self.database.secret_file;
        let config = self.callers.into_config(Config {
            limits,
            tls: self.tls.files(),
            alerts: self.alerts.settings(),
            metrics_listen: self.metrics_listen,
            device_log: SignedDuration::from_hours(24 * i64::from(self.device_log_days)),
            ..Config::new(self.listen)
        });
        let public_url = config.public_url.clone();
        if let Some(warning) = public_url.as_ref().and_then(PublicUrl::warning) {
            tracing::warn!("{warning}");
        }
        let runtime = runtime::for_serving()?;
        ending_in_time(stop_time, move |is_stopping| {
            runtime.block_on(async {
                // Until then a signal ends this at once, however long another process holds the
                // database.
                let installation = store::open_to_serve(&self.database.database, named.as_deref())?;
                // From here on there may be a socket to remove.
                let (told_to_stop, hang_ups) = (until_told_to_stop(), reload::hang_ups());
                let server = match passed {
                    Some(socket) => Server::on(socket, installation, config).await?,
                    None => Server::listen(installation, config).await?,
                };
                let scheme = match server.tls() {
                    Some(_) => "https",
                    None => "http",
                };
                if let Some(address) = server.metrics_addr() {
                    output::say(&format!("Metrics on {}", local("http", address)));
                }
                let local = local(scheme, server.local_addr());
                let public_url = public_url.map(|url| url.to_string());
                let reached = public_url.or_else(|| reached(scheme, server.local_addr()));
                let next = next(&server, named.as_deref(), reached.as_deref()).await;
                let installation = server.installation();
                output::say(&format!(
                    "Serving on {local}, database {}, secret {}. Next: {next}",
                    installation.database,
                    installation.secret_file.display()
                ));
                let told_to_stop = async {
                    told_to_stop.await;
                    is_stopping();
                };
                let reloading = reload::at_each(hang_ups, server.tls().cloned(), read_again);
                tokio::select! {
                    () = server.run(told_to_stop) => {}
                    () = reloading => {}
                }
                Ok(())
            })
        })
    }
}

/// Serves on a thread of its own, and ends in time once that is stopping, whatever hangs there: a read
/// or COMMIT of a disk that does not answer can't be stopped, but ends with the process, as by a kill.
fn ending_in_time(
    stop_time: Duration,
    serve: impl FnOnce(&dyn Fn()) -> Result<(), CliError> + Send + 'static,
) -> Result<(), CliError> {
    let (tell, told) = mpsc::channel();
    let serve = move || {
        // Whoever is told waits for the end.
        let ended = serve(&|| drop(tell.send(Course::Stopping)));
        let _ = tell.send(Course::Ended(ended));
    };
    let server = thread::Builder::new().name("gatehand-serve".into());
    server.spawn(serve).map_err(CliError::Runtime)?;
    let course = match told.recv() {
        Ok(Course::Stopping) => told.recv_timeout(stop_time),
        course => course.map_err(Into::into),
    };
    match course {
        Ok(Course::Ended(ended)) => ended,
        Ok(Course::Stopping) | Err(mpsc::RecvTimeoutError::Timeout) => {
            tracing::warn!(
                "the disk does not answer: not all was finished when the time to stop was over"
            );
            Ok(())
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let panicked = std::io::Error::other("the thread that serves has panicked");
            Err(CliError::Runtime(panicked))
        }
    }
}

/// Where it listens, for people.
fn local(scheme: &str, address: &Address) -> String {
    match address {
        Address::Tcp(address) => format!("{scheme}://{address}"),
        Address::Unix(_) => address.to_string(),
    }
}

/// The address that scanners reach, where it follows from where it listens: if that is every address of the
/// machine, or a socket behind a proxy, only people know.
fn reached(scheme: &str, address: &Address) -> Option<String> {
    match address {
        Address::Tcp(address) if !address.ip().is_unspecified() => {
            Some(format!("{scheme}://{address}"))
        }
        Address::Tcp(_) | Address::Unix(_) => None,
    }
}

/// The command that brings the first scanners, as it can be typed in another folder.
async fn next(server: &Server, secret_file: Option<&Path>, reached: Option<&str>) -> String {
    let installation = server.installation();
    let typed = ProgramName::of_this_process().typed();
    let mut admin = match &installation.database {
        Database::Sqlite(path) => {
            let path = output::quoted(&path.display().to_string());
            format!("{typed} admin --database {path}")
        }
        // What is shown of its address holds no password.
        Database::Postgres(_) => format!("with the same GATEHAND_DATABASE, {typed} admin"),
    };
    if secret_file.is_some() {
        admin = format!(
            "{admin} --secret-file {}",
            output::quoted(&installation.secret_file.display().to_string())
        );
    }
    match installation.store.organizers().await {
        Ok(organizers) => match organizers.iter().find(|organizer| organizer.active) {
            Some(organizer) => {
                let create = format!(
                    "{admin} device create {} --name 'Lane 1' --all-events --public-url",
                    organizer.slug
                );
                match reached {
                    Some(reached) => format!("{create} {reached}"),
                    None => format!("{create} ADDRESS, with the one at which scanners reach it"),
                }
            }
            None => format!("{admin} organizer create bigevents --name 'Big Events'"),
        },
        // Requests will be told what the matter is.
        Err(_) => format!("{admin} --help"),
    }
}

/// Waits for Ctrl+C or a service manager's request to stop, either of which counts from this call on.
pub(super) fn until_told_to_stop() -> impl Future<Output = ()> {
    let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    async {
        match signals {
            [Ok(mut terminate), Ok(mut interrupt)] => tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            },
            // Without signals the process can still be killed; it must not stop at once instead.
            _ => std::future::pending().await,
        }
    }
}
