//! The options that say where a server keeps what it knows.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::program_name::ProgramName;
use crate::server::store::Database;

/// Where it is unless something else is said: for the packaged server its own folder, which the service
/// and an administrator's commands have in common; for a program from a source tree the current one.
pub(super) fn default_database() -> &'static str {
    match ProgramName::of_this_process() {
        ProgramName::Gatehand => "gatehand.db",
        ProgramName::Server => "/var/lib/gatehand-server/gatehand.db",
    }
}

/// Where a server keeps what it knows.
#[derive(Args)]
pub(super) struct DatabaseArguments {
    /// The database: the path of its SQLite file, which is made if it is missing.
    #[arg(
        long,
        global = true,
        value_name = "DATABASE",
        value_parser = OsStringValueParser::new().try_map(Database::try_from),
        env = "GATEHAND_DATABASE",
        default_value = default_database(),
        help_heading = "Database",
        display_order = 910
    )]
    pub(super) database: Database,
    /// The file with the installation's secret, made at first start [default: beside the database]
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
