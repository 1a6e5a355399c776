//! `gatehand serve`: the server module as a process.

use std::path::Path;

use clap::Args;
use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};

use super::admin::DatabaseArguments;
use super::callers::Callers;
use super::{CliError, output};
use crate::server::store;
use crate::server::{Config, DEVICE_LOG_DAYS, PublicUrl, Server, ServerError};
use crate::serving::{Address, PassedSocket};

const EXAMPLES: &str = "\
Examples:
  gatehand serve
  gatehand serve --listen 127.0.0.1:8345 --database /srv/tickets/gatehand.db \\
      --public-url https://tickets.example
  gatehand serve --listen unix:/run/gatehand/server.sock \\
      --public-url https://tickets.example";

/// Serve the devices resource and the device API.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    #[command(flatten)]
    database: DatabaseArguments,
    /// The address to listen on, or `unix:/path` for a Unix socket; put a proxy that speaks https
    /// before it. A socket that a service manager passes (`LISTEN_FDS`) is taken instead.
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
}

impl Serve {
    pub(super) fn run(self) -> Result<(), CliError> {
        // Before there are threads: it changes the environment.
        let passed = PassedSocket::take().map_err(ServerError::from)?;
        super::server_runtime()?.block_on(async {
            let named = self.database.secret_file;
            let config = self.callers.into_config(Config {
                device_log: SignedDuration::from_hours(24 * i64::from(self.device_log_days)),
                ..Config::new(self.listen)
            });
            let public_url = config.public_url.clone();
            if let Some(warning) = public_url.as_ref().and_then(PublicUrl::warning) {
                tracing::warn!("{warning}");
            }
            // Until then a signal ends this at once, however long another process holds the database.
            let installation = store::open(&self.database.database, named.as_deref())?;
            // From here on there may be a socket to remove.
            let told_to_stop = until_told_to_stop();
            let server = match passed {
                Some(socket) => Server::on(socket, installation, config)?,
                None => Server::listen(installation, config).await?,
            };
            let address = server.local_addr();
            let (local, reached) = match address {
                Address::Tcp(_) => (format!("http://{address}"), format!("http://{address}")),
                // Only the proxy before it knows how scanners get there.
                Address::Unix(_) => (address.to_string(), "https://tickets.example".to_owned()),
            };
            let reached = public_url.map_or(reached, |url| url.to_string());
            let next = next(&server, named.as_deref(), &reached).await;
            let installation = server.installation();
            output::say(&format!(
                "Serving on {local}, database {}, secret {}. Next: {next}",
                installation.database,
                installation.secret_file.display()
            ));
            server.run(told_to_stop).await;
            Ok(())
        })
    }
}

/// The command that brings the first scanners, as it can be typed in another folder.
async fn next(server: &Server, secret_file: Option<&Path>, reached: &str) -> String {
    let installation = server.installation();
    let mut admin = format!(
        "gatehand admin --database {}",
        quoted(&installation.database.to_string())
    );
    if secret_file.is_some() {
        admin = format!(
            "{admin} --secret-file {}",
            quoted(&installation.secret_file.display().to_string())
        );
    }
    match installation.store.organizers().await {
        Ok(organizers) => match organizers.iter().find(|organizer| organizer.active) {
            Some(organizer) => format!(
                "{admin} device create {} --name 'Lane 1' --all-events --public-url {reached}",
                organizer.slug
            ),
            None => format!("{admin} organizer create bigevents --name 'Big Events'"),
        },
        // Requests will be told what the matter is.
        Err(_) => format!("{admin} --help"),
    }
}

/// Text as a shell takes it for one word.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
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
