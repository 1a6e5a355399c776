//! `gatehand admin`: sets a server up and cares for it, on its database.

pub(super) mod device;
mod event;
mod export;
mod gate;
mod import;
mod media_keys;
mod organizer;
mod qr_image;
mod team;
mod token;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{CliError, output};
use crate::server::store::{self, Administration, Database, StoreError};
use crate::wire::{TEXT_LIMIT, fields};

const EXAMPLES: &str = "\
Examples:
  gatehand admin organizer create bigevents --name 'Big Events'
  gatehand admin event create bigevents museum --name 'Museum night' \\
      --from 2027-05-08T18:00 --timezone Europe/Berlin
  gatehand admin team create bigevents admins --permission all
  gatehand admin token create bigevents admins
  gatehand admin device create bigevents --name 'Lane 1' --all-events \\
      --public-url https://tickets.example
  gatehand admin import organizers.json";

const DEFAULT_DATABASE: &str = "gatehand.db";

/// Set a server up: organizers, gates, events, teams, tokens, devices. The server may be running.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Admin {
    #[command(flatten)]
    database: DatabaseArguments,
    /// Print JSON.
    #[arg(long, global = true, display_order = 900)]
    pub(super) json: bool,
    #[command(subcommand)]
    subject: Subject,
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
        default_value = DEFAULT_DATABASE,
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

#[derive(Subcommand)]
enum Subject {
    /// Whose events and devices they are.
    #[command(subcommand)]
    Organizer(organizer::Command),
    /// The entrances of an organizer.
    #[command(subcommand)]
    Gate(gate::Command),
    /// What devices may scan tickets for.
    #[command(subcommand)]
    Event(event::Command),
    /// Who may manage an organizer's devices over the API.
    #[command(subcommand)]
    Team(team::Command),
    /// The API tokens of a team.
    #[command(subcommand)]
    Token(token::Command),
    /// The devices of an organizer.
    #[command(subcommand)]
    Device(device::Command),
    /// The keys of an organizer's NFC media.
    #[command(subcommand)]
    MediaKeys(media_keys::Command),
    /// Bring in an organizers file, wholly or not at all.
    Import(import::Import),
    /// Write all organizers as a file that import takes.
    Export(export::Export),
}

/// What every subject's command works with.
struct Desk<'p> {
    store: Arc<dyn Administration>,
    json: bool,
    place: &'p Place,
}

impl Admin {
    pub(super) fn run(self) -> Result<(), CliError> {
        let begins = matches!(
            self.subject,
            Subject::Organizer(organizer::Command::Create { .. }) | Subject::Import(_)
        );
        let place = Place::of(&self.database);
        let desk = || Desk::open(&self.database, self.json, begins, &place);
        let done = super::runtime()?.block_on(async {
            match self.subject {
                Subject::Organizer(command) => command.run(&desk()?).await,
                Subject::Gate(command) => command.run(&desk()?).await,
                Subject::Event(command) => command.run(&desk()?).await,
                Subject::Team(command) => command.run(&desk()?).await,
                Subject::Token(command) => command.run(&desk()?).await,
                Subject::Device(command) => command.run(&desk()?).await,
                Subject::MediaKeys(command) => command.run(&desk()?).await,
                Subject::Export(command) => {
                    let done = command.run(&*desk()?.store, output::escape).await;
                    done.map_err(|error| match error {
                        StoreError::Output(error) => CliError::Output(error),
                        error => error.into(),
                    })
                }
                Subject::Import(command) => {
                    // Read first, so that a bad file leaves no database behind.
                    let file = command.read(self.json)?;
                    import::bring_in(file, &desk()?).await
                }
            }
        });
        done.map_err(|error| place.with_list(error))
    }
}

/// Where a command looks, for the command that shows what is there.
struct Place {
    /// How it begins.
    admin: String,
    /// The organizer, once it is found.
    organizer: OnceLock<String>,
}

impl Place {
    fn of(arguments: &DatabaseArguments) -> Self {
        let mut admin = "gatehand admin".to_owned();
        let database = arguments.database.to_string();
        if database != DEFAULT_DATABASE {
            admin = format!("{admin} --database {}", output::quoted(&database));
        }
        if let Some(path) = &arguments.secret_file {
            let path = path.display().to_string();
            admin = format!("{admin} --secret-file {}", output::quoted(&path));
        }
        Self {
            admin,
            organizer: OnceLock::new(),
        }
    }

    /// An error about what is not there, with the command that lists what is.
    fn with_list(&self, error: CliError) -> CliError {
        let kind = match &error {
            CliError::Store(StoreError::Unknown { kind, .. }) => *kind,
            CliError::NoDevice { .. } => "device",
            _ => return error,
        };
        let kind = kind.rsplit_once(' ').map_or(kind, |(_, last)| last);
        let admin = &self.admin;
        let list = match (kind, self.organizer.get()) {
            ("organizer", _) => format!("{admin} organizer list"),
            ("team" | "gate" | "event" | "device", Some(organizer)) => {
                format!("{admin} {kind} list {}", output::quoted(organizer))
            }
            _ => return error,
        };
        let error = Box::new(error);
        CliError::Unlisted { error, list }
    }
}

impl<'p> Desk<'p> {
    /// Opens the database; only a command that begins an installation makes a missing one.
    fn open(
        database: &DatabaseArguments,
        json: bool,
        begins: bool,
        place: &'p Place,
    ) -> Result<Self, CliError> {
        if !begins && !database.database.is_there() && database.database.has_folder() {
            let database = database.database.clone();
            return Err(CliError::NoDatabase { database });
        }
        let installation = store::open(&database.database, database.secret_file.as_deref())?;
        Ok(Self {
            store: installation.store,
            json,
            place,
        })
    }

    /// The number of the organizer with this slug.
    async fn organizer(&self, slug: &str) -> Result<i64, CliError> {
        let organizer = self.store.organizer(slug).await?;
        self.place.organizer.get_or_init(|| organizer.slug);
        Ok(organizer.id)
    }

    /// Says that it is done: `words` for people, and for scripts the thing as it is now, as lists
    /// show it.
    async fn done<T: Serialize>(
        &self,
        words: &str,
        thing: impl Future<Output = Result<T, CliError>>,
    ) -> Result<(), CliError> {
        let told = match self.json {
            true => thing.await.and_then(|thing| output::print_json(&thing)),
            false => output::print_line(&output::printable(words)),
        };
        output::has_told(told, words)
    }

    /// Shows a list: columns for people, `documents` for scripts.
    fn list<T: Serialize, const N: usize>(
        &self,
        documents: &[T],
        header: [&str; N],
        row: impl Fn(&T) -> [String; N],
    ) -> Result<(), CliError> {
        if self.json {
            return output::print_json(&documents);
        }
        output::print_columns(header, documents.iter().map(row))
    }
}

/// For the command line: a name by the rules of the API's fields.
fn text(argument: &str) -> Result<String, String> {
    match fields::text(argument, Some(TEXT_LIMIT)) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(format!(
            "1 to {TEXT_LIMIT} characters are allowed, not only blanks"
        )),
    }
}

/// Of a list the thing that was just made or changed.
fn one_of<T>(
    list: Vec<T>,
    kind: &'static str,
    name: &str,
    is_it: impl Fn(&T) -> bool,
) -> Result<T, CliError> {
    let found = list.into_iter().find(is_it);
    found.ok_or_else(|| {
        StoreError::Unknown {
            kind,
            name: name.to_owned(),
        }
        .into()
    })
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}
