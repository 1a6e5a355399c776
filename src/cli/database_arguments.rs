//! The options that say where a server keeps what it knows.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::server::store::Database;

/// Where it is unless something else is said: in the packaged server's own folder, whichever program asks and
/// wherever it is started, so that service and administrator never have two.
pub(super) const DEFAULT_DATABASE: &str = "/var/lib/gatehand-server/gatehand.db";

/// Where a server keeps what it knows.
#[derive(Args)]
pub(super) struct DatabaseArguments {
    /// The database: the path of its SQLite file, which is made if it is missing, or the address of one of
    /// PostgreSQL, as postgres://gatehand@db1,db2/gatehand. One with a password is better given by the variable:
    /// others on the machine see the arguments of a program.
    #[arg(
        long,
        global = true,
        value_name = "DATABASE",
        value_parser = OsStringValueParser::new().try_map(Database::try_from),
        env = "GATEHAND_DATABASE",
        hide_env_values = true,
        default_value = DEFAULT_DATABASE,
        help_heading = "Database",
        display_order = 910
    )]
    pub(super) database: Database,
    /// The file with the installation's secret, made at first start [default: beside the SQLite file]
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "GATEHAND_SECRET_FILE",
        help_heading = "Database",
        display_order = 910
    )]
    pub(super) secret_file: Option<PathBuf>,
}
