//! `gatehand admin login-link`.

use std::io;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::desk::{Desk, one_of};
use crate::cli::error::CliError;
use crate::cli::name::text;
use crate::cli::output;
use crate::enrolment::draw::QrCode;
use crate::secret::{self, Secret};
use crate::server::PublicUrl;
use crate::server::model::READ_DEVICES;
use crate::server::store::TeamSummary;
use crate::wire;

const EXAMPLES: &str = "\
Examples:
  gatehand admin login-link bigevents
  gatehand admin login-link bigevents --team admins \\
      --public-url https://tickets.example";

/// The name of the token that links stand for, unless another one is named.
const TOKEN: &str = "fleet page";

/// Print a link that signs somebody in at the fleet page, once and within 15 minutes.
///
/// Whoever opens it may do what the team may. What is done is logged under the name of the team's token that the link
/// stands for: one called "fleet page", which is made if the team has none in use. To deactivate it ends all sessions
/// that were begun by its links.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct LoginLink {
    /// Slug of the organizer.
    organizer: String,
    /// Name of the team; needed if several may see the organizer's devices.
    #[arg(long, value_name = "NAME", value_parser = text)]
    team: Option<String>,
    /// The number of the team's token that the link stands for, as `admin token list` shows it.
    #[arg(long, value_name = "ID", requires = "team")]
    token: Option<i64>,
    /// The server's address as browsers reach it.
    #[arg(
        long,
        value_name = "URL",
        env = "GATEHAND_PUBLIC_URL",
        default_value = "http://127.0.0.1:8345"
    )]
    public_url: PublicUrl,
}

/// A link as `--json` shows it.
#[derive(Serialize)]
struct Made {
    #[serde(serialize_with = "secret::expose")]
    link: Secret,
    team: String,
    token: i64,
    #[serde(with = "wire::timestamp")]
    expires: Timestamp,
}

impl LoginLink {
    pub(super) async fn run(self, desk: &Desk<'_>) -> Result<(), CliError> {
        if output::leads_nowhere() {
            let words = "standard output leads nowhere, and the link can't be shown again";
            return Err(io::Error::other(words).into());
        }
        let organizer = desk.organizer(&self.organizer).await?;
        let team = self.team(desk, organizer).await?;
        let token = match self.token {
            Some(token) => token,
            None => own_token(desk, organizer, &team).await?,
        };
        let link = desk
            .store
            .create_login_link(organizer, &team, token, Timestamp::now());
        let link = link.await?;
        let made = Made {
            link: link.address(&self.public_url.to_string()),
            team,
            token,
            expires: link.expires,
        };
        if desk.json {
            return output::print_json(&made);
        }
        // Alone on a line, so that it can be copied as a whole.
        output::print_line(made.link.expose())?;
        output::print_code(&QrCode::of(&made.link)?)?;
        output::say(&format!(
            "It signs one person in for the team {}, until {}.",
            made.team,
            output::time(made.expires)
        ));
        Ok(())
    }

    /// The team that is named, or the only one that may see the devices.
    async fn team(&self, desk: &Desk<'_>, organizer: i64) -> Result<String, CliError> {
        let teams = desk.store.teams(organizer).await?;
        if let Some(name) = &self.team {
            return Ok(one_of(teams, "team", name, |team| team.name == *name)?.name);
        }
        let may_see = |team: &TeamSummary| team.permissions.include(READ_DEVICES);
        let teams = teams
            .into_iter()
            .filter(|team| team.active && may_see(team));
        let mut names: Vec<String> = teams.map(|team| team.name).collect();
        match (names.pop(), names.is_empty()) {
            (Some(name), true) => Ok(name),
            (last, _) => {
                names.extend(last);
                Err(CliError::LoginTeam {
                    organizer: self.organizer.clone(),
                    teams: names,
                })
            }
        }
    }
}

/// The team's token that links stand for. Nobody knows what it is: it is not made to be typed.
async fn own_token(desk: &Desk<'_>, organizer: i64, team: &str) -> Result<i64, CliError> {
    let tokens = desk.store.team_tokens(organizer, team).await?;
    let own = tokens
        .iter()
        .find(|token| token.active && token.name == TOKEN);
    match own {
        Some(token) => Ok(token.id),
        None => Ok(desk
            .store
            .create_team_token(organizer, team, TOKEN)
            .await?
            .id),
    }
}
