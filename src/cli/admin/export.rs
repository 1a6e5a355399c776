//! `gatehand admin export`.

use std::io::{self, BufWriter, Write};

use clap::Args;

use crate::server::organizers_file::Writer;
use crate::server::store::{Administration, StoreError};

const EXAMPLES: &str = "\
Examples:
  gatehand admin export > organizers.json
  gatehand admin export | gatehand admin --database b.db import -

docs/ORGANIZERS_FILE.md tells what is in it, and what is not.";

/// Write all organizers as a file that import takes. Keys and tokens are in it as hashes only.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Export {}

impl Export {
    /// Writes to standard output, each line as `escape` makes it harmless.
    pub(super) async fn run(
        self,
        store: &dyn Administration,
        escape: fn(&str) -> String,
    ) -> Result<(), StoreError> {
        let mut out = BufWriter::new(io::stdout());
        let writer = Writer::new(move |line: Option<&str>| match line {
            Some(line) => writeln!(out, "{}", escape(line)),
            None => out.flush(),
        });
        store.export(Box::new(writer)).await
    }
}
