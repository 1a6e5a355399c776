//! Options of `gatehand serve` on the certificate that it shows.

use std::path::PathBuf;

use clap::Args;

use crate::serving::TlsFiles;

/// The certificate that is shown.
#[derive(Args)]
#[command(next_help_heading = "TLS")]
pub(super) struct TlsArguments {
    /// Speak https with this certificate: a file in PEM with it and, behind it, those that signed it. It is read anew
    /// when it changes.
    #[arg(
        long,
        value_name = "FILE",
        env = "GATEHAND_TLS_CERT",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM without a passphrase.
    #[arg(
        long,
        value_name = "FILE",
        env = "GATEHAND_TLS_KEY",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
}

impl TlsArguments {
    pub(super) fn files(self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.tls_cert?,
            key: self.tls_key?,
        })
    }
}
