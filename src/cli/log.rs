//! The log on standard error.

use std::fmt;
use std::io::{self, Write};
use std::sync::OnceLock;

use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use super::output;
use crate::shown;

/// How much is logged.
static FILTER: OnceLock<reload::Handle<Targets, Registry>> = OnceLock::new();

/// How the log is written.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Format {
    /// Lines for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Begins to log. Only our own words: what libraries log at their most talkative holds headers.
pub(super) fn to_standard_error(level: LevelFilter, format: Format) {
    let layer = tracing_subscriber::fmt::layer();
    let log = match format {
        Format::Text => {
            let choice = anstream::AutoStream::choice(&io::stderr());
            layer
                .fmt_fields(debug_fn(field).delimited(" "))
                .with_writer(io::stderr)
                .with_ansi(choice != anstream::ColorChoice::Never)
                .boxed()
        }
        Format::Json => layer.json().with_writer(|| Escaping(io::stderr())).boxed(),
    };
    let (filter, handle) = reload::Layer::new(only_ours(level));
    let _ = FILTER.set(handle);
    tracing_subscriber::registry().with(filter).with(log).init();
}

/// Logs so much from now on.
#[cfg(feature = "server")]
pub(super) fn change_level(level: LevelFilter) {
    if let Some(filter) = FILTER.get() {
        // It fails only once the log is gone.
        let _ = filter.reload(only_ours(level));
    }
}

fn only_ours(level: LevelFilter) -> Targets {
    Targets::new().with_target("gatehand", level)
}

/// A field as text: what a server or a file says in it must not look like lines of the log.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = shown::line(&format!("{value:?}"));
    match field.name() {
        "message" => write!(writer, "{value}"),
        name => write!(writer, "{name}={value}"),
    }
}

/// JSON lets some characters through that a terminal obeys.
struct Escaping<W>(W);

impl<W: Write> Write for Escaping<W> {
    /// Is given a line at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let (text, end) = match text.strip_suffix('\n') {
            Some(text) => (text, "\n"),
            None => (&*text, ""),
        };
        self.0
            .write_all(format!("{}{end}", output::escape(text)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
