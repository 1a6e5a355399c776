//! A fleet at servers of ours: real agents, each with a vault of its own, beside devices that are no more than a key
//! and ask as often as 100,000 do. In its middle the server is killed, and started again after a while, at which all
//! that were not answered ask at once; then the same at two servers of one PostgreSQL, one of which stays away.
//! At the end each device has its last key, and the log has everything once that was acknowledged.
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

#[path = "fleet/agents.rs"]
mod agents;
#[path = "server/database.rs"]
mod database;
#[path = "fleet/front.rs"]
mod front;
#[path = "server/importing.rs"]
mod importing;
#[allow(dead_code, reason = "tests need more of it")]
#[path = "../tests/common/postgres.rs"]
mod postgres;
#[allow(dead_code, reason = "another benchmark needs more of it")]
#[path = "server/processes.rs"]
mod processes;
#[path = "../tests/common/skip.rs"]
mod skip;
#[path = "fleet/synthetic.rs"]
mod synthetic;
#[path = "fleet/times.rs"]
mod times;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use agents::{Agents, Count, Enrolled};
use database::Database;
use front::Front;
use importing::{enrolled, import, organizer, secret};
use postgres::Postgres;
use processes::{ServerProcess, admin, memory, processor_time};
use serde_json::{Value, json};
use synthetic::Synthetic;
use tokio::time::{Instant, sleep};

const USAGE: &str = "cargo bench --bench fleet -- [sqlite|postgres]... [--seconds NUMBER] [--agents NUMBER] \
    [--devices NUMBER]";
/// Has the agents enrol.
const AGENTS: &str = "agents";

struct Options {
    sqlite: bool,
    postgres: bool,
    time: Duration,
    agents: usize,
    devices: usize,
}

impl Options {
    fn read(arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self {
            sqlite: false,
            postgres: false,
            time: Duration::from_secs(600),
            agents: 1_000,
            devices: 100_000,
        };
        // Cargo adds --bench.
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "sqlite" => options.sqlite = true,
                "postgres" => options.postgres = true,
                "--seconds" => {
                    options.time = Duration::from_secs(arguments.next()?.parse().ok()?);
                }
                "--agents" => options.agents = arguments.next()?.parse().ok()?,
                "--devices" => options.devices = arguments.next()?.parse().ok()?,
                _ => return None,
            }
        }
        if !options.sqlite && !options.postgres {
            (options.sqlite, options.postgres) = (true, true);
        }
        Some(options)
    }
}

fn main() {
    let options = Options::read(std::env::args().skip(1)).unwrap_or_else(|| panic!("{USAGE}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let folder = || tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    if options.sqlite {
        let folder = folder();
        let database = Database::sqlite(folder.path());
        println!("## One server, SQLite");
        runtime.block_on(live(&options, folder.path(), database, 1));
    }
    if options.postgres
        && let Some(postgres) = Postgres::start("", &[])
    {
        let folder = folder();
        let database = Database::named(postgres.database(), folder.path());
        println!("## Two servers, PostgreSQL");
        runtime.block_on(live(&options, folder.path(), database, 2));
    }
}

/// What a fleet lives through at so many servers.
async fn live(options: &Options, folder: &Path, database: Database, servers: usize) {
    let (keys, tokens) = set_up(options, folder, &database);
    let mut servers: Vec<ServerProcess> = (0..servers)
        .map(|_| ServerProcess::gatehand(&database))
        .collect();
    let front = Front::open().await;
    lead(&front, &servers);
    let begun = Instant::now();
    let url = format!("http://{}", front.address);
    let real = Agents::enrol(&url, tokens, &folder.join("vaults")).await;
    println!(
        "\n{} agents enrolled, {:.0} a second\n",
        real.len(),
        real.len() as f64 / begun.elapsed().as_secs_f64()
    );

    let (agents, synthetic) = (Agents::new(), Synthetic::at(front.address, keys));
    let living = tokio::spawn(Arc::clone(&agents).live(real));
    let asking = tokio::spawn(Arc::clone(&synthetic).ask());
    let half = options.time / 2;
    let (begun, before, answered) = (
        Instant::now(),
        processor(&servers),
        synthetic.answers.load(Ordering::Relaxed),
    );
    sleep(half / 10).await;
    let early = resident(&servers);
    sleep(half - half / 10).await;
    let late = resident(&servers);
    let took = processor(&servers) - before;
    let answers = synthetic.answers.load(Ordering::Relaxed) - answered;
    println!("{}", table("until then", &agents, &synthetic));
    println!(
        "\nprocessor time {:.0} µs for each answer to a device without an agent, {:.1} % of a processor; memory {early} \
        MiB after a tenth of the time, {late} MiB at its end\n",
        took.as_secs_f64() * 1e6 / answers as f64,
        took.as_secs_f64() * 100.0 / begun.elapsed().as_secs_f64()
    );

    let outage = options.time / 20;
    drop(servers.pop());
    lead(&front, &servers);
    sleep(outage).await;
    if servers.is_empty() {
        servers.push(ServerProcess::gatehand(&database));
        lead(&front, &servers);
    }
    let (missed, time) = synthetic.burst().await;
    println!(
        "a server was killed for {} s: {missed} requests were not answered, and were asked again at once, which took \
        {:.2} s\n",
        outage.as_secs(),
        time.as_secs_f64()
    );
    println!("{}", table("meanwhile", &agents, &synthetic));
    let early = resident(&servers);
    sleep(half - outage).await;
    println!("\n{}", table("after that", &agents, &synthetic));
    let late = resident(&servers);
    println!("\nmemory {early} MiB after the burst, {late} MiB at the end");
    synthetic.end();
    agents.is_over.store(true, Ordering::Relaxed);
    asking.await.unwrap();
    let (missed, _) = synthetic.burst().await;
    let real = living.await.unwrap();
    for one in &real {
        one.still_works().await;
    }
    check_log(&database, &real);
    println!(
        "\nevery agent has its last key, the log has all that was acknowledged, once; {missed} requests were asked again \
        at the end\n"
    );
}

/// Brings the devices in; the keys of those without an agent, and the tokens for the others.
fn set_up(options: &Options, folder: &Path, database: &Database) -> (Vec<String>, Vec<String>) {
    let keys: Vec<String> = (0..options.devices).map(|_| secret()).collect();
    let devices = keys.iter().enumerate();
    let devices = devices.map(|(number, key)| enrolled(number, key));
    import(folder, database, organizer(&secret()), devices);
    let agents = json!({"slug": AGENTS, "name": "Agents"});
    let new = |number| json!({"name": format!("Agent {number}"), "all_events": true, "security_profile": "full"});
    import(folder, database, agents, (0..options.agents).map(new));
    let listed = admin(database, &["device", "list", AGENTS]);
    let listed: Vec<Value> = serde_json::from_slice(&listed).unwrap();
    let tokens = listed
        .iter()
        .map(|device| device["initialization_token"].as_str().unwrap());
    (keys, tokens.map(str::to_owned).collect())
}

/// Sees that the server has done what each agent was told, once.
fn check_log(database: &Database, real: &[Enrolled]) {
    for one in real {
        let id = one.device_id.to_string();
        let log = admin(database, &["device", "log", AGENTS, &id]);
        let log: Value = serde_json::from_slice(&log).unwrap();
        let entries = log.as_array().unwrap();
        let logged = |action: &str| {
            let named = entries.iter().filter(|entry| entry["action"] == action);
            named.count()
        };
        assert_eq!(logged("initialized"), 1, "{log}");
        let rolled = logged("key rolled");
        let Count {
            acknowledged,
            failed,
        } = one.rolls;
        assert!(
            (acknowledged..=acknowledged + failed).contains(&rolled),
            "{acknowledged} rolls, {failed} without an answer: {log}"
        );
        let Count {
            acknowledged,
            failed,
        } = one.reports;
        // It reports by itself, too, what has changed.
        assert!(
            logged("updated") + 1 >= acknowledged,
            "{acknowledged} reports, {failed} without an answer: {log}"
        );
    }
}

fn lead(front: &Front, servers: &[ServerProcess]) {
    front.lead_to(servers.iter().map(|server| server.address).collect());
}

fn processor(servers: &[ServerProcess]) -> Duration {
    servers
        .iter()
        .map(|server| processor_time(server.id()))
        .sum()
}

/// Memory of all servers, in MiB.
fn resident(servers: &[ServerProcess]) -> u64 {
    servers.iter().map(|server| memory(server.id()).0).sum()
}

fn table(when: &str, agents: &Agents, synthetic: &Synthetic) -> String {
    let rows = [
        synthetic.asked.row("`device/info` of a key"),
        synthetic.reported.row("`device/update` of a key"),
        agents.asked.row("`info` of an agent"),
        agents.reported.row("`update` of an agent"),
        agents.rolled.row("`roll` of an agent"),
    ];
    format!(
        "| {when} | answers | without an answer | median | 99 % | longest |\n{}|\n{}",
        "| --- ".repeat(6),
        rows.join("\n")
    )
}
