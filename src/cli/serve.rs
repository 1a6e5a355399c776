//! `gatehand serve`: the server module as a process.

use std::net::SocketAddr;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use super::admin::DatabaseArguments;
use super::{CliError, output};
use crate::server::{self, Config, Server};

/// Serve the devices resource and the device API.
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    database: DatabaseArguments,
    /// The address to listen on; put a proxy that speaks https before it.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "GATEHAND_LISTEN",
        default_value = "127.0.0.1:8345"
    )]
    listen: SocketAddr,
    /// The server's address as scanners and scripts reach it.
    #[arg(long, value_name = "URL", env = "GATEHAND_PUBLIC_URL")]
    public_url: Option<Url>,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), CliError> {
        super::server_runtime()?.block_on(async {
            let config = Config {
                database: self.database.database,
                listen: self.listen,
                public_url: self.public_url,
                secret_file: self.database.secret_file,
                version: server::reference_version(),
                answer_time: server::ANSWER_TIME,
            };
            let server = Server::bind(config).await?;
            output::say(&format!("Serving on http://{}", server.local_addr()));
            server.run(until_told_to_stop()).await;
            Ok(())
        })
    }
}

/// Waits for Ctrl+C or a service manager's request to stop.
pub(super) async fn until_told_to_stop() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        // Without signals the process can still be killed; it must not stop at once instead.
        Err(_) => std::future::pending().await,
    }
}
