//! `gatehand run`: the agent of a kiosk, as long as it runs.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::allowed_arguments::AllowedArguments;
use super::connection_arguments::ConnectionArguments;
use super::device::KeepingArguments;
use super::error::CliError;
use super::override_arguments::OverrideArguments;
use super::settings::{Said, Taken, duration};
use super::{doors, output, runtime, vault_folder};
use crate::agent::Agent;
use crate::causes;
use crate::daemon::{self, Adjustable, MetricsFile, MetricsFileError, Settings, Told};
use crate::door::DoorSettings;
use crate::serving::PassedSocket;
use crate::vault::Folder;

const EXAMPLES: &str = "\
Examples:
  gatehand run
  gatehand run --socket ~/kiosk.sock --event-selection 1m
  gatehand run --enrol-from /media/stick --allowed-server https://pretix.eu \\
      --allowed-organizer bigevents

It ends on SIGTERM and Ctrl+C; on SIGHUP it reads its settings anew, and asks at once. Its doors
are described in docs/DOOR.md, its settings too.";

/// Run as the agent of a kiosk: wait for an enrolment, keep in touch with the server, let programs in.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Run {
    /// How often the server is asked who this device is.
    #[arg(long, value_name = "TIME", env = "GATEHAND_HEARTBEAT", default_value = "5m", value_parser = at_least_a_second)]
    heartbeat: Duration,
    /// How often the server is asked what to scan for; never unless given.
    #[arg(long, value_name = "TIME", env = "GATEHAND_EVENT_SELECTION", value_parser = at_least_a_second)]
    event_selection: Option<Duration>,
    /// Where an enrolment may lie, as a file or in a folder as enrolment.json, .txt, .png or .jpg; the vault's folder
    /// unless given. It takes --allowed-server and --allowed-organizer.
    #[arg(
        long,
        value_name = "PATH",
        env = "GATEHAND_ENROL_FROM",
        value_delimiter = ','
    )]
    enrol_from: Vec<PathBuf>,
    /// How long to wait for a clock that nobody has set yet.
    #[arg(long, value_name = "TIME", env = "GATEHAND_CLOCK_PATIENCE", default_value = "2m", value_parser = duration)]
    clock_patience: Duration,
    /// The Unix socket of a door for other programs, with what the kiosk's profile needs. Doors of other kinds are
    /// set up in the settings.
    #[arg(long, value_name = "PATH", env = "GATEHAND_SOCKET")]
    socket: Option<PathBuf>,
    /// A file for node_exporter's textfile collector, with what /v1/metrics of a door tells; its name has to end with
    /// .prom. What others wrote is never replaced, and it is removed at the end.
    #[arg(long, value_name = "FILE", env = "GATEHAND_METRICS_FILE")]
    metrics_file: Option<PathBuf>,
    #[command(flatten)]
    allowed: AllowedArguments,
    #[command(flatten)]
    keeping: KeepingArguments,
    #[command(flatten)]
    overrides: OverrideArguments,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// Servers have better to do than to answer more often.
fn at_least_a_second(text: &str) -> Result<Duration, &'static str> {
    match duration(text)? {
        time if time < Duration::from_secs(1) => Err("a second is the least"),
        time => Ok(time),
    }
}

impl Run {
    /// `again`: what these arguments are once the file of settings is read anew.
    pub(super) fn run(self, again: Again) -> Result<(), CliError> {
        // Before there are threads: it changes the environment.
        let passed = PassedSocket::take().map_err(daemon::DaemonError::from)?;
        let folder = vault_folder::locate()?;
        let own_folder = folder.clone();
        let agent = self.keeping.lasting_agent(&self.connection)?;
        let settings = Settings {
            clock_patience: self.clock_patience,
            overrides: self.overrides.overrides(),
            doors: doors::of_settings(self.socket.clone())?,
            metrics_file: metrics_file(self.metrics_file.as_deref(), &folder)?,
            passed,
        };
        let adjustable = self.adjustable(&folder, &settings.doors);
        if io::stderr().is_terminal() && daemon::process_of(&folder).is_none() {
            output::say(&begins(&agent, &settings, &adjustable));
        }
        runtime::for_calls()?.block_on(async {
            let told = told_by_signals(adjustable, move || read_again(again, &folder));
            Ok(daemon::run(&own_folder, agent, settings, told).await?)
        })
    }

    /// What may change while it runs.
    fn adjustable(self, folder: &Folder, doors: &[DoorSettings]) -> Adjustable {
        let allowed = |door: &DoorSettings| (door.socket.clone(), door.allowed.clone());
        Adjustable {
            heartbeat: self.heartbeat,
            event_selection: self.event_selection,
            sources: match self.enrol_from.is_empty() {
                true => vec![folder.path().to_owned()],
                false => self.enrol_from,
            },
            allowed: self.allowed.into_allowed(),
            doors: doors.iter().map(allowed).collect(),
        }
    }
}

/// What `gatehand run` is given by now, with what the file says; nothing if there is no file.
type Again = fn() -> Result<Option<(Run, Said)>, CliError>;

/// Reads the file of settings anew. What is wrong with it is told, and changes nothing.
fn read_again(again: Again, folder: &Folder) -> Option<Adjustable> {
    let read = again().and_then(|read| {
        let Some((run, said)) = read else {
            return Ok(None);
        };
        let doors = doors::of_tables(said.doors(), run.socket.clone())?;
        Ok(Some((run.adjustable(folder, &doors), said)))
    });
    match read {
        Ok(Some((adjustable, said))) => {
            let waiting = Taken::by_this_process().map(|taken| taken.waits_for_a_start(&said));
            match waiting.filter(|waiting| !waiting.is_empty()) {
                Some(waiting) => tracing::warn!(
                    "the settings are read anew; what changed of {} holds once gatehand run is started again",
                    waiting.join(", ")
                ),
                None => tracing::info!("the settings are read anew"),
            }
            Some(adjustable)
        }
        Ok(None) => None,
        Err(error) => {
            let words = std::iter::once(error.to_string()).chain(causes::of(&error));
            let words = words.collect::<Vec<_>>().join(": ");
            tracing::error!("the settings stay as they were, for they can't be read anew: {words}");
            None
        }
    }
}

/// What somebody is told who starts it by hand, and would see nothing else.
fn begins(agent: &Agent, settings: &Settings, adjustable: &Adjustable) -> String {
    let identity = agent.status().ok().and_then(|status| status.identity);
    let who = match identity {
        Some(identity) => format!("\"{}\"", identity.name),
        None => {
            let sources = adjustable
                .sources
                .iter()
                .map(|source| source.display().to_string());
            let sources: Vec<String> = sources.collect();
            format!("waiting for an enrolment in {}", sources.join(", "))
        }
    };
    let door = match settings.doors.first() {
        Some(door) => format!("door {}", door.socket.display()),
        None => "no door (--socket gives one)".to_owned(),
    };
    format!("{who}, {door}; Ctrl-C ends it")
}

/// The file for the metrics, if there is to be one.
pub(super) fn metrics_file(
    path: Option<&Path>,
    folder: &Folder,
) -> Result<Option<MetricsFile>, MetricsFileError> {
    path.map(|path| MetricsFile::new(path, folder)).transpose()
}

/// What signals tell, from this call on. `again`: what the settings are once they were read anew.
fn told_by_signals(
    settings: Adjustable,
    again: impl Fn() -> Option<Adjustable> + Send + Sync + 'static,
) -> Told {
    let ((stop, stopped), (look, looked)) = (watch::channel(false), watch::channel(0));
    let (change, changed) = watch::channel(Arc::new(settings));
    let ends = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    tokio::spawn(async move {
        // Without signals the process can still be killed; it must not stop at once instead.
        if let [Ok(mut terminate), Ok(mut interrupt)] = ends {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            stop.send_replace(true);
        }
        stop.closed().await;
    });
    let hang_up = signal(SignalKind::hangup());
    let again = Arc::new(again);
    tokio::spawn(async move {
        if let Ok(mut hang_up) = hang_up {
            while hang_up.recv().await.is_some() {
                let again = Arc::clone(&again);
                let read = tokio::task::spawn_blocking(move || again()).await;
                if let Ok(Some(settings)) = read {
                    change.send_replace(Arc::new(settings));
                }
                look.send_modify(|times| *times += 1);
            }
        }
        look.closed().await;
    });
    Told {
        stop: stopped,
        look: looked,
        settings: changed,
    }
}
