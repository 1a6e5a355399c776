//! What every command of `gatehand admin` works with: the opened database, and how it tells what was done.

use std::sync::{Arc, OnceLock};

use serde::Serialize;

use crate::cli::database_arguments::{DEFAULT_DATABASE, DatabaseArguments};
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::program_name::ProgramName;
use crate::cli::table::{self, Column};
use crate::server::store::{self, Administration, StoreError};

/// What every subject's command works with.
pub(super) struct Desk<'p> {
    pub(super) store: Arc<dyn Administration>,
    pub(super) json: bool,
    place: &'p Place,
}

/// Where a command looks, for the command that shows what is there.
pub(super) struct Place {
    /// How it begins.
    admin: String,
    /// The organizer, once it is found.
    organizer: OnceLock<String>,
}

impl Place {
    pub(super) fn of(arguments: &DatabaseArguments) -> Self {
        let mut admin = format!("{} admin", ProgramName::of_this_process().typed());
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
    pub(super) fn with_list(&self, error: CliError) -> CliError {
        let kind = match &error {
            CliError::Store(StoreError::Unknown { kind, .. }) => *kind,
            CliError::NoDevice { .. } => "device",
            _ => return error,
        };
        let kind = match kind {
            "check-in list" => "checkin-list",
            kind => kind.rsplit_once(' ').map_or(kind, |(_, last)| last),
        };
        let admin = &self.admin;
        let list = match (kind, self.organizer.get()) {
            ("organizer", _) => format!("{admin} organizer list"),
            ("team" | "gate" | "event" | "checkin-list" | "device", Some(organizer)) => {
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
    pub(super) fn open(
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
    pub(super) async fn organizer(&self, slug: &str) -> Result<i64, CliError> {
        let organizer = self.store.organizer(slug).await?;
        self.place.organizer.get_or_init(|| organizer.slug);
        Ok(organizer.id)
    }

    /// Says that it is done: `words` for people, and for scripts the thing as it is now, as lists
    /// show it.
    pub(super) async fn done<T: Serialize>(
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
    pub(super) fn list<T: Serialize, const N: usize>(
        &self,
        documents: &[T],
        header: [Column; N],
        row: impl Fn(&T) -> [String; N],
    ) -> Result<(), CliError> {
        if self.json {
            return output::print_json(&documents);
        }
        let rows: Vec<Vec<String>> = documents.iter().map(|one| row(one).to_vec()).collect();
        table::print(&header, &rows)
    }
}

/// Of a list the thing that was just made or changed.
pub(super) fn one_of<T>(
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
