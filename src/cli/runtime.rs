//! What drives the work of a command.

use super::error::CliError;

/// For a command that makes a few calls.
pub(super) fn for_calls() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)
}

/// For a command that serves others.
#[cfg(feature = "server")]
pub(super) fn for_serving() -> Result<tokio::runtime::Runtime, CliError> {
    // One more than there are processors: reads of the database are done in place by all but one.
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors + 1)
        .enable_all()
        .build()
        .map_err(CliError::Runtime)
}
