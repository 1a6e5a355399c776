//! `gatehand admin`: sets a server up and cares for it, on its database.

mod backup;
mod check;
mod checkin_list;
mod copy;
mod desk;
pub(super) mod device;
mod event;
mod export;
mod gate;
mod import;
mod login_link;
mod media_keys;
mod organizer;
mod restore;
mod team;
mod token;

use clap::{Args, Subcommand};

use super::database_arguments::DatabaseArguments;
use super::error::CliError;
use super::{output, runtime};
use crate::server::store::StoreError;
use desk::{Desk, Place};

const EXAMPLES: &str = "\
Examples:
  gatehand admin organizer create bigevents --name 'Big Events'
  gatehand admin event create bigevents museum --name 'Museum night' \\
      --from 2027-05-08T18:00 --timezone Europe/Berlin
  gatehand admin checkin-list create bigevents museum \\
      --name 'All visitors'
  gatehand admin team create bigevents admins --permission all
  gatehand admin token create bigevents admins
  gatehand admin device create bigevents --name 'Lane 1' --all-events \\
      --public-url https://tickets.example
  gatehand admin import organizers.json";

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
    /// What devices check in at which gates, of an event.
    #[command(subcommand)]
    CheckinList(checkin_list::Command),
    /// Who may manage an organizer's devices over the API.
    #[command(subcommand)]
    Team(team::Command),
    /// The API tokens of a team.
    #[command(subcommand)]
    Token(token::Command),
    /// Print a link that signs somebody in at the fleet page, once.
    LoginLink(login_link::LoginLink),
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
    /// Copy all of a server into an empty database.
    Copy(copy::Copy),
    /// Take a backup of all of a server into one file, while it is served.
    Backup(backup::Backup),
    /// Check database, secret, disk and backups.
    Check(check::Check),
    /// Restore a backup, look through what may have been undone, and let it be served.
    Restore(restore::Restore),
}

impl Admin {
    pub(super) fn run(self) -> Result<(), CliError> {
        let begins = matches!(
            self.subject,
            Subject::Organizer(organizer::Command::Create { .. }) | Subject::Import(_)
        );
        let place = Place::of(&self.database);
        let desk = || Desk::open(&self.database, self.json, begins, &place);
        // These have a runtime of their own.
        let kept = match &self.subject {
            Subject::Restore(command) => command.bring_in(&self.database)?,
            _ => None,
        };
        if let Subject::Backup(command) = self.subject {
            return command.run(&self.database, self.json);
        }
        if let Subject::Check(command) = self.subject {
            return command.run(&self.database, self.json);
        }
        let done = runtime::for_calls()?.block_on(async {
            match self.subject {
                Subject::Organizer(command) => command.run(&desk()?).await,
                Subject::Gate(command) => command.run(&desk()?).await,
                Subject::Event(command) => command.run(&desk()?).await,
                Subject::CheckinList(command) => command.run(&desk()?).await,
                Subject::Team(command) => command.run(&desk()?).await,
                Subject::Token(command) => command.run(&desk()?).await,
                Subject::LoginLink(command) => command.run(&desk()?).await,
                Subject::Device(command) => command.run(&desk()?).await,
                Subject::MediaKeys(command) => command.run(&desk()?).await,
                // Done above.
                Subject::Backup(_) | Subject::Check(_) => Ok(()),
                Subject::Restore(command) => command.run(&desk()?, kept).await,
                Subject::Copy(command) => {
                    let secret_file = self.database.secret_file.as_deref();
                    command.run(secret_file, self.json).await
                }
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
