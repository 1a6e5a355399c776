//! What the fleet page needs of a store besides what the API does.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::api::{LogEntry, Store};
use super::error::StoreError;
use crate::secret::Secret;
use crate::server::installation_keys::KeyHash;
use crate::server::model::{Name, TeamCaller};
use crate::wire;

/// How long a session lasts that nobody uses.
pub const SESSION_UNUSED: SignedDuration = SignedDuration::from_hours(12);

/// How long a session lasts at most.
pub const SESSION_LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long a link signs somebody in.
pub const LOGIN_LINK: SignedDuration = SignedDuration::from_mins(15);

/// Who is signed in at the page: a team's token, with exactly its rights.
#[derive(Clone, Debug)]
pub struct SessionCaller {
    /// As the API knows who holds the token.
    pub caller: TeamCaller,
    /// The organizer's name, for people.
    pub organizer_name: String,
    /// The team's name.
    pub team_name: String,
    /// When the session was begun.
    pub created: Timestamp,
    /// When it ends unless it is used.
    pub expires: Timestamp,
}

/// A link that was made just now.
pub struct NewLoginLink {
    /// What it holds, which can't be told again.
    pub secret: Secret,
    /// When its time is over.
    pub expires: Timestamp,
}

impl NewLoginLink {
    /// The address to open, at a server whose address has no slash at its end.
    pub fn address(&self, server: &str) -> Secret {
        Secret::new(format!("{server}/sign-in/{}", self.secret.expose()))
    }
}

/// Why a link signs nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRefusal {
    /// There is no such link, or it is long over.
    Unknown,
    /// Somebody was signed in by it.
    Used,
    /// Its time is over.
    Expired,
    /// Its token or team lets nobody in any more.
    Inactive,
}

/// What a device may be given, and be looked for by.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// The gates in use, by identifier.
    pub gates: Vec<wire::Gate>,
    /// Slugs and names of events, by time.
    pub events: Vec<(String, Name)>,
    /// Programs that devices have reported, so many at most.
    pub software: Vec<String>,
}

/// Devices that were made at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeTogether {
    /// When.
    pub created: Timestamp,
    /// The number of the first.
    pub first: u64,
    /// The number of the last; those between were made with them.
    pub last: u64,
    /// How many a scanner is to come for yet.
    pub awaited: u64,
}

/// An entry of the devices' log, for who watches the devices of all organizers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Its number: it counts up, though one may be there before another that is less.
    pub id: i64,
    /// Whose device it is.
    pub organizer: i64,
    /// Which of the organizer's.
    pub device_id: u64,
    /// How people call it now.
    pub name: String,
    /// What was done.
    pub entry: LogEntry,
}

/// The entries of the log behind the first number, up to the other.
pub type LogRange = (i64, i64);

/// How a device was when it reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it did.
    pub taken: Timestamp,
    /// How much its battery held, of 100, if it told.
    pub battery: Option<u8>,
    /// Whether it ran on mains, if it told.
    pub mains: Option<bool>,
}

/// What the page needs: who is signed in, and what can be chosen from.
#[async_trait]
pub trait FleetPage: Store {
    /// Who is signed in by this session, if that is not over at `now`. Whether its token, team and organizer may
    /// still be used is for the caller to see.
    async fn session_caller(
        &self,
        session: &Secret,
        now: Timestamp,
    ) -> Result<Option<SessionCaller>, StoreError>;

    /// Begins a session on behalf of this token.
    async fn begin_session(
        &self,
        token: i64,
        session: &Secret,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Notes that a session is used, which lasts until `expires` then.
    async fn extend_session(&self, session: &Secret, expires: Timestamp) -> Result<(), StoreError>;

    /// Ends a session.
    async fn end_session(&self, session: &Secret) -> Result<(), StoreError>;

    /// Ends all sessions of a token, and its links.
    async fn end_sessions(&self, token: i64) -> Result<(), StoreError>;

    /// Makes a link that signs somebody in on behalf of a token of this team, which has to be in use.
    async fn create_login_link(
        &self,
        organizer: i64,
        team: &str,
        token: i64,
        now: Timestamp,
    ) -> Result<NewLoginLink, StoreError>;

    /// Whether a link would sign somebody in at `now`, which does not spend it.
    async fn look_at_login_link(
        &self,
        link: &Secret,
        now: Timestamp,
    ) -> Result<Result<(), LinkRefusal>, StoreError>;

    /// Begins a session by a link: of all attempts exactly one succeeds.
    async fn redeem_login_link(
        &self,
        link: &Secret,
        session: &Secret,
        now: Timestamp,
    ) -> Result<Result<(), LinkRefusal>, StoreError>;

    /// What devices of an organizer may be given, and be looked for by.
    async fn choices(&self, organizer: i64) -> Result<Choices, StoreError>;

    /// Devices of an organizer that were made together lately, the last first, at most so many times.
    async fn made_together(
        &self,
        organizer: i64,
        limit: u64,
    ) -> Result<Vec<MadeTogether>, StoreError>;

    /// The number of the last entry in the devices' log; 0 if there is none.
    async fn last_in_log(&self) -> Result<i64, StoreError>;

    /// What the devices' log has in these ranges, at most `limit` entries of each, the least first.
    async fn news(&self, ranges: &[LogRange], limit: u64) -> Result<Vec<News>, StoreError>;

    /// How a device was since `since`, oldest first.
    async fn samples(
        &self,
        organizer: i64,
        device_id: u64,
        since: Timestamp,
    ) -> Result<Vec<Sample>, StoreError>;

    /// Those of these sessions, by their hashes, that still let somebody see devices at `now`.
    async fn live_sessions(
        &self,
        sessions: Vec<KeyHash>,
        now: Timestamp,
    ) -> Result<Vec<KeyHash>, StoreError>;
}
