//! What the server does in a second over HTTP, as `gatehand serve` with 10,000 devices on a real disk:
//! reads against bare routes of axum that send the same bytes and headers, writes against the commits of one
//! SQLite connection, reads of a PostgreSQL against bare routes that ask it the same. Each by itself, and while
//! another process makes a durable change a second. And pages of a million devices against those of a thousand.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a benchmark fails by panicking and prints what it found"
)]

#[path = "server/bare.rs"]
mod bare;
#[path = "server/database.rs"]
mod database;
#[path = "server/disk.rs"]
mod disk;
#[path = "server/importing.rs"]
mod importing;
#[path = "server/installation.rs"]
mod installation;
#[path = "server/load.rs"]
mod load;
#[path = "server/neighbour.rs"]
mod neighbour;
#[allow(dead_code, reason = "tests need more of it")]
#[path = "../tests/common/postgres.rs"]
mod postgres;
#[path = "server/processes.rs"]
mod processes;
#[path = "server/requests.rs"]
mod requests;
#[path = "server/sizes.rs"]
mod sizes;
#[path = "../tests/common/skip.rs"]
mod skip;

use std::time::Duration;

use bare::BARE;
use database::Database;
use disk::{commits_a_second, describe};
use installation::{DEVICES, Installation};
use load::Outcome;
use neighbour::Neighbour;
use postgres::Postgres;
use requests::Request;

const USAGE: &str = "cargo bench --bench server -- [info|page|patch|initialize|postgres|sizes]... \
    [--connections NUMBER,...] [--rounds NUMBER]";
/// How long each of a round's runs takes.
const TIME: Duration = Duration::from_secs(1);
/// When in a run the other process makes its first change.
const FIRST_CHANGE: Duration = Duration::from_millis(200);

struct Options {
    requests: Vec<Request>,
    /// Whether pages of many devices are compared with those of few.
    sizes: bool,
    connections: Option<Vec<usize>>,
    rounds: usize,
}

impl Options {
    fn read(arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self {
            requests: Vec::new(),
            sizes: false,
            connections: None,
            rounds: 7,
        };
        // Cargo adds --bench.
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--connections" => {
                    let numbers = arguments.next()?;
                    let numbers = numbers.split(',').map(|number| number.parse().ok());
                    options.connections = Some(numbers.collect::<Option<_>>()?);
                }
                "sizes" => options.sizes = true,
                "--rounds" => options.rounds = arguments.next()?.parse().ok()?,
                word => {
                    let named = Request::ALL
                        .into_iter()
                        .find(|request| request.word() == word);
                    options.requests.push(named?);
                }
            }
        }
        if options.requests.is_empty() && !options.sizes {
            options.requests = Request::ALL.to_vec();
            options.sizes = true;
        }
        (options.rounds > 0).then_some(options)
    }
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some(BARE) {
        return bare::serve();
    }
    let options = Options::read(std::env::args().skip(1)).unwrap_or_else(|| panic!("{USAGE}"));
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    describe(folder.path());
    let mut generator: f64 = 0.0;
    if !options.requests.is_empty() {
        println!(
            "\n| request | callers | against, a second | answers a second | ratio | ratio beside changes \
            | median | 99 % | processor time |\n{}|",
            "| --- ".repeat(9)
        );
    }
    let (others, postgres): (Vec<_>, Vec<_>) = options
        .requests
        .iter()
        .partition(|request| **request != Request::PostgresInfo);
    if !others.is_empty() {
        let database = Database::sqlite(folder.path());
        let installation = Installation::set_up(folder.path(), database, DEVICES);
        let measured = measure_all(&installation, &others, &options);
        generator = generator.max(measured);
    }
    if !postgres.is_empty()
        && let Some(server) = Postgres::start("", &[])
    {
        let folder = tempfile::tempdir_in(folder.path()).unwrap();
        let database = Database::named(server.database(), folder.path());
        let installation = Installation::set_up(folder.path(), database, DEVICES);
        let measured = measure_all(&installation, &postgres, &options);
        generator = generator.max(measured);
    }
    if options.sizes {
        sizes::compare(folder.path(), options.rounds);
    }
    println!(
        "\nthe load generator took at most {:.0} % of a processor",
        generator * 100.0
    );
}

/// Measures and prints these requests; the share of a processor that the load generator took at most.
fn measure_all(installation: &Installation, requests: &[Request], options: &Options) -> f64 {
    let mut generator: f64 = 0.0;
    for &request in requests {
        let connections = options.connections.as_deref();
        for &connections in connections.unwrap_or(request.connections()) {
            let rounds = measure(installation, request, connections, options.rounds);
            print(request, connections, &rounds);
            let bare = rounds.iter().filter_map(|round| round.bare.as_ref());
            generator = bare.map(|bare| bare.generator).fold(generator, f64::max);
        }
    }
    generator
}

/// What one round came to.
struct Round {
    alone: Outcome,
    beside_changes: Outcome,
    /// What a read is measured against.
    bare: Option<Outcome>,
    /// Answers of the bare route, or commits, a second.
    against: f64,
}

/// Measures all in turn, forwards and backwards, so that whatever else the machine does hits all.
fn measure(
    installation: &Installation,
    request: Request,
    connections: usize,
    rounds: usize,
) -> Vec<Round> {
    // The first round warms up.
    let rounds = 0..=rounds;
    let mut newcomers = match request {
        Request::Initialize => installation.newcomers(2 * rounds.clone().count()),
        _ => Vec::new(),
    };
    let rounds = rounds.map(|round| {
        let mut run = |server| installation.run(server, request, connections, &mut newcomers);
        let (mut alone, mut beside_changes, mut bare, mut commits) = (None, None, None, None);
        let steps = if round % 2 == 0 { [0, 1, 2] } else { [2, 1, 0] };
        for step in steps {
            match step {
                0 if request.reads() => bare = Some(run(&installation.bare)),
                0 => commits = Some(commits_a_second(installation.folder(), TIME)),
                1 => alone = Some(run(&installation.server)),
                _ => {
                    let neighbour = Neighbour::start(installation.database.clone(), FIRST_CHANGE);
                    beside_changes = Some(run(&installation.server));
                    neighbour.stop();
                }
            }
        }
        Round {
            against: bare.as_ref().map(|bare| bare.rate).or(commits).unwrap(),
            alone: alone.unwrap(),
            beside_changes: beside_changes.unwrap(),
            bare,
        }
    });
    rounds.skip(1).collect()
}

/// Prints a row of the table.
fn print(request: Request, connections: usize, rounds: &[Round]) {
    let spread = |figure: &dyn Fn(&Round) -> f64| Spread::of(rounds.iter().map(figure).collect());
    let milliseconds = |share: f64| {
        let time = spread(&|round| round.alone.quantile(share).as_secs_f64() * 1e3);
        format!("{:.2} ms", time.median)
    };
    let microseconds = |outcome: &Outcome| outcome.processor_time.as_secs_f64() * 1e6;
    let server = spread(&|round| microseconds(&round.alone)).median;
    let bare = spread(&|round| round.bare.as_ref().map_or(0.0, microseconds)).median;
    println!(
        "| {} | {connections} | {:.0} | {:.0} | {} | {} | {} | {} | {server:.0} µs{} |",
        request.title(),
        spread(&|round| round.against).median,
        spread(&|round| round.alone.rate).median,
        spread(&|round| round.alone.rate / round.against).to_text(),
        spread(&|round| round.beside_changes.rate / round.against).to_text(),
        milliseconds(0.5),
        milliseconds(0.99),
        match request.reads() {
            true => format!(", bare {bare:.0} µs"),
            false => String::new(),
        },
    );
}

/// Median and extremes.
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_by(f64::total_cmp);
        Self {
            median: numbers[numbers.len() / 2],
            least: numbers[0],
            most: numbers[numbers.len() - 1],
        }
    }

    fn to_text(&self) -> String {
        let Self {
            median,
            least,
            most,
        } = self;
        match *median < 1.0 {
            true => format!("{median:.3} ({least:.3} to {most:.3})"),
            false => format!("{median:.1} ({least:.1} to {most:.1})"),
        }
    }
}
