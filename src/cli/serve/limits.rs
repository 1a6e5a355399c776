//! The options that say what connections may cost.

use std::time::Duration;

use clap::Args;

use crate::serving::Limits;

const MIB: usize = 1024 * 1024;
const KIB: usize = 1024;

/// What connections may cost.
#[derive(Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArguments {
    /// Connections at once, as far as the system allows so many open files.
    #[arg(
        long,
        value_name = "NUMBER",
        env = "GATEHAND_MAX_CONNECTIONS",
        default_value_t = Limits::default().connections,
        value_parser = whole_number(1_000_000)
    )]
    max_connections: usize,
    /// Seconds in which a caller has to take something of an answer; else its connection is closed.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "GATEHAND_STALL_TIME",
        default_value_t = Limits::default().stall_time.as_secs(),
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    stall_time: u64,
    /// Seconds in which a caller has to take the whole of an answer.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "GATEHAND_TAKING_TIME",
        default_value_t = Limits::default().taking_time.as_secs(),
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    taking_time: u64,
    /// MiB that the bodies of all requests in flight may hold; half of it is for known callers. What
    /// finds no room is refused with 503.
    #[arg(
        long,
        value_name = "MIB",
        env = "GATEHAND_BODY_MEMORY",
        default_value_t = Limits::default().body_memory / MIB,
        value_parser = whole_number(1024 * 1024)
    )]
    body_memory: usize,
    /// KiB that a request's body may have without valid credentials, as for `initialize`.
    #[arg(
        long,
        value_name = "KIB",
        env = "GATEHAND_UNKNOWN_BODY",
        default_value_t = Limits::default().unknown_body / KIB,
        value_parser = whole_number(1024)
    )]
    unknown_body: usize,
    /// Seconds after which the server has ended that was told to stop; what is not done by then is
    /// given up.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "GATEHAND_STOP_TIME",
        default_value_t = Limits::default().stop_time.as_secs(),
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    stop_time: u64,
}

/// A number from 1 to this one.
fn whole_number(largest: u64) -> impl clap::builder::TypedValueParser<Value = usize> {
    use clap::builder::TypedValueParser;
    clap::value_parser!(u64)
        .range(1..=largest)
        .try_map(usize::try_from)
}

impl From<LimitArguments> for Limits {
    fn from(arguments: LimitArguments) -> Self {
        Self {
            connections: arguments.max_connections,
            stall_time: Duration::from_secs(arguments.stall_time),
            taking_time: Duration::from_secs(arguments.taking_time),
            body_memory: arguments.body_memory * MIB,
            unknown_body: arguments.unknown_body * KIB,
            stop_time: Duration::from_secs(arguments.stop_time),
            ..Self::default()
        }
    }
}
