//! `gatehand admin copy`.

use std::path::Path;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::table::{self, whole};
use crate::server::store::{self, Database};

const EXAMPLES: &str = "\
Examples:
  gatehand admin copy gatehand.db postgres://gatehand@db1,db2/gatehand
  gatehand admin copy --secret-file secret \\
      postgres://gatehand@db1,db2/gatehand gatehand.db";

/// Copy all of a server into an empty database, and prove that all has come. The server is to be stopped.
///
/// Counts and checksums of all tables are compared before the copy is kept. It has the secret of the old
/// database, in the same file. What is kept of answers for retries is copied too.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Copy {
    /// The database to copy, as of --database, which is not looked at.
    #[arg(value_parser = OsStringValueParser::new().try_map(Database::try_from))]
    from: Database,
    /// Where to: a file that is missing, or a database of PostgreSQL with nothing in it.
    #[arg(value_parser = OsStringValueParser::new().try_map(Database::try_from))]
    to: Database,
}

impl Copy {
    pub(super) async fn run(self, secret_file: Option<&Path>, json: bool) -> Result<(), CliError> {
        let tables = store::copy(&self.from, &self.to, secret_file).await;
        let tables = tables.map_err(Box::new)?;
        if json {
            return output::print_json(&tables);
        }
        let rows = tables.iter().map(|table| {
            let checksum = table.checksum.get(..16).unwrap_or_default();
            vec![
                table.table.to_owned(),
                table.rows.to_string(),
                checksum.to_owned(),
            ]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        table::print(&[whole("TABLE"), whole("ROWS"), whole("CHECKSUM")], &rows)
    }
}
