//! The organizer of the demo, with what `gatehand admin` makes by hand.

use jiff::{Timestamp, ToSpan};

use crate::cli::error::CliError;
use crate::server::model::{Name, Permissions, Schedule};
use crate::server::store::{Administration, NewEvent, NewToken};

pub(super) const ORGANIZER: &str = "bigevents";
/// The events.
pub(super) const EVENT: &str = "museum";
pub(super) const FAIR: &str = "fair";
pub(super) const TEAM: &str = "admins";

/// The gates: identifiers and names.
pub(super) const GATES: [(&str, &str); 3] = [
    ("north", "North gate"),
    ("south", "South gate"),
    ("vip", "VIP entrance"),
];

/// Makes what is made by hand with `gatehand admin`, and returns the team's token.
pub(super) async fn set_up(store: &dyn Administration) -> Result<NewToken, CliError> {
    let organizer = store
        .create_organizer(&ORGANIZER.parse()?, "Big Events")
        .await?
        .id;
    for (slug, name, begin) in [
        (EVENT, "Museum night", 1.hour()),
        (FAIR, "Science fair", 72.hours()),
    ] {
        let event = NewEvent {
            slug: slug.parse()?,
            name: Name::Plain(name.to_owned()),
            live: true,
            timezone: "UTC".to_owned(),
            schedule: Schedule {
                date_from: Timestamp::now() + begin,
                date_to: None,
                date_admission: None,
            },
        };
        store.create_event(organizer, event).await?;
    }
    for (identifier, name) in GATES {
        store.create_gate(organizer, identifier, name).await?;
    }
    store.create_team(organizer, TEAM, Permissions::All).await?;
    Ok(store.create_team_token(organizer, TEAM, "demo").await?)
}
