//! `gatehand admin event`.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::desk::{Desk, one_of};
use crate::cli::error::CliError;
use crate::cli::name::text;
use crate::cli::output;
use crate::cli::output::yes;
use crate::cli::table::{whole, words};
use crate::server::model::{Name, Schedule, Slug, When};
use crate::server::store::{EventChange, NewEvent};
use crate::wire::timestamp;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the events of an organizer.
    #[command(after_help = "Examples:\n  gatehand admin event list bigevents")]
    List {
        /// Slug of the organizer.
        organizer: String,
    },
    /// Create an event. Dates of a series and check-in lists come with an import.
    #[command(
        after_help = "Examples:\n  gatehand admin event create bigevents museum --name 'Museum night' \\\n      --from 2027-05-08T18:00 --timezone Europe/Berlin"
    )]
    Create(Create),
    /// Give an event another name.
    #[command(
        after_help = "Examples:\n  gatehand admin event rename bigevents museum 'Long museum night'"
    )]
    Rename {
        /// Slug of the organizer.
        organizer: String,
        /// Slug of the event.
        slug: String,
        /// Its new name.
        #[arg(value_parser = text)]
        name: String,
    },
    /// Take an event off sale: devices are not sent to it any more.
    #[command(after_help = "Examples:\n  gatehand admin event deactivate bigevents museum")]
    Deactivate {
        /// Slug of the organizer.
        organizer: String,
        /// Slug of the event.
        slug: String,
    },
    /// Put an event on sale again.
    #[command(after_help = "Examples:\n  gatehand admin event activate bigevents museum")]
    Activate {
        /// Slug of the organizer.
        organizer: String,
        /// Slug of the event.
        slug: String,
    },
}

const EXAMPLES: &str = "\
Examples:
  gatehand admin event create bigevents fair --name Fair \\
      --from 2027-05-08
  gatehand admin event create bigevents museum --name 'Museum night' \\
      --from 2027-05-08T18:00 --to 2027-05-09T02:00 --timezone Europe/Berlin";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Create {
    /// Slug of the organizer.
    organizer: String,
    /// How it is called in addresses.
    slug: Slug,
    /// How people call it.
    #[arg(long, value_parser = text)]
    name: String,
    /// When it starts, as 2027-05-08T18:00 in its time zone or 2027-05-08T18:00:00+02:00; or a day,
    /// as 2027-05-08, of which it is the whole unless --to is given.
    #[arg(long, value_name = "TIME")]
    from: When,
    /// When it ends; a day counts to its end.
    #[arg(long, value_name = "TIME")]
    to: Option<When>,
    /// When people are let in; of a day, from its beginning.
    #[arg(long, value_name = "TIME")]
    admission: Option<When>,
    /// The event's time zone, as Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = timezone)]
    timezone: (String, TimeZone),
    /// Don't put it on sale yet.
    #[arg(long, alias = "not-live")]
    inactive: bool,
}

impl Command {
    pub(super) async fn run(self, desk: &Desk<'_>) -> Result<(), CliError> {
        let (organizer, slug, change, words) = match self {
            Self::List { organizer } => {
                let events = summaries(desk, desk.organizer(&organizer).await?).await?;
                return desk.list(
                    &events,
                    [whole("SLUG"), words("NAME"), whole("FROM"), whole("ACTIVE")],
                    |one| {
                        let from = output::time(one.date_from);
                        [one.slug.clone(), one.name.clone(), from, yes(one.active)]
                    },
                );
            }
            Self::Create(create) => return create.run(desk).await,
            Self::Rename {
                organizer,
                slug,
                name,
            } => {
                let words = format!("The event {slug} is called {name} now.");
                (
                    organizer,
                    slug,
                    EventChange {
                        name: Some(Name::Plain(name)),
                        live: None,
                    },
                    words,
                )
            }
            Self::Deactivate { organizer, slug } => {
                let words = format!("The event {slug} is off sale.");
                (
                    organizer,
                    slug,
                    EventChange {
                        name: None,
                        live: Some(false),
                    },
                    words,
                )
            }
            Self::Activate { organizer, slug } => {
                let words = format!("The event {slug} is on sale.");
                (
                    organizer,
                    slug,
                    EventChange {
                        name: None,
                        live: Some(true),
                    },
                    words,
                )
            }
        };
        let organizer = desk.organizer(&organizer).await?;
        desk.store.change_event(organizer, &slug, change).await?;
        desk.done(&words, summary(desk, organizer, &slug)).await
    }
}

/// An event in a list.
#[derive(Serialize)]
struct Summary {
    slug: String,
    name: String,
    active: bool,
    timezone: String,
    #[serde(with = "timestamp")]
    date_from: Timestamp,
    #[serde(with = "timestamp::optional")]
    date_to: Option<Timestamp>,
    #[serde(with = "timestamp::optional")]
    date_admission: Option<Timestamp>,
}

async fn summaries(desk: &Desk<'_>, organizer: i64) -> Result<Vec<Summary>, CliError> {
    let events = desk.store.events(organizer).await?.into_iter();
    Ok(events
        .map(|event| Summary {
            slug: event.slug,
            name: event.name.text().to_owned(),
            active: event.live,
            timezone: event.timezone,
            date_from: event.schedule.date_from,
            date_to: event.schedule.date_to,
            date_admission: event.schedule.date_admission,
        })
        .collect())
}

async fn summary(desk: &Desk<'_>, organizer: i64, slug: &str) -> Result<Summary, CliError> {
    let events = summaries(desk, organizer).await?;
    one_of(events, "event", slug, |one| one.slug == slug)
}

impl Create {
    async fn run(self, desk: &Desk<'_>) -> Result<(), CliError> {
        let (timezone, zone) = self.timezone;
        let to = self.to.or(self.from.is_day().then_some(self.from));
        let schedule = Schedule {
            date_from: self.from.begin(&zone)?,
            date_to: to.map(|to| to.end(&zone)).transpose()?,
            date_admission: self.admission.map(|when| when.begin(&zone)).transpose()?,
        };
        if schedule.date_to.is_some_and(|end| end < schedule.date_from) {
            return Err(CliError::EndsBeforeStart);
        }
        let organizer = desk.organizer(&self.organizer).await?;
        let event = NewEvent {
            slug: self.slug.clone(),
            name: Name::Plain(self.name),
            live: !self.inactive,
            timezone,
            schedule,
        };
        desk.store.create_event(organizer, event).await?;
        let words = format!("Created the event {} of {}.", self.slug, self.organizer);
        desk.done(&words, summary(desk, organizer, self.slug.as_str()))
            .await
    }
}

fn timezone(argument: &str) -> Result<(String, TimeZone), String> {
    match TimeZone::get(argument) {
        Ok(zone) => Ok((argument.to_owned(), zone)),
        Err(_) => {
            Err("no time zone of that name is known; write it as in Europe/Berlin".to_owned())
        }
    }
}
