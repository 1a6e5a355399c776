//! Sessions and links of the page, and what can be chosen from there.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Stored;
use crate::secret::Secret;
use crate::server::installation_keys::{KeyHash, key_hash};
use crate::server::store::driver::Driver;
use crate::server::store::error::StoreError;
use crate::server::store::fleet_page::{
    Choices, FleetPage, LOGIN_LINK, LinkRefusal, LogRange, MadeTogether, NewLoginLink, News,
    Sample, SessionCaller,
};
use crate::server::store::operations::{
    devices, events, log, made_together, organizers, samples, web_sessions,
};
use crate::server::tokens;

#[async_trait]
impl<D: Driver> FleetPage for Stored<D> {
    async fn session_caller(
        &self,
        session: &Secret,
        now: Timestamp,
    ) -> Result<Option<SessionCaller>, StoreError> {
        let hash = key_hash(session);
        self.look(move |session| web_sessions::caller(session, &hash, now))
            .await
    }

    async fn begin_session(
        &self,
        token: i64,
        session: &Secret,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let hash = key_hash(session);
        self.write(move |session| web_sessions::begin(session, token, &hash, now))
            .await
    }

    async fn extend_session(&self, session: &Secret, expires: Timestamp) -> Result<(), StoreError> {
        let hash = key_hash(session);
        self.write(move |session| web_sessions::extend(session, &hash, expires))
            .await
    }

    async fn end_session(&self, session: &Secret) -> Result<(), StoreError> {
        let hash = key_hash(session);
        self.write(move |session| web_sessions::end(session, &hash))
            .await
    }

    async fn end_sessions(&self, token: i64) -> Result<(), StoreError> {
        self.write(move |session| web_sessions::end_all(session, token))
            .await
    }

    async fn create_login_link(
        &self,
        organizer: i64,
        team: &str,
        token: i64,
        now: Timestamp,
    ) -> Result<NewLoginLink, StoreError> {
        let secret = tokens::api_key()?;
        let (team, hash) = (team.to_owned(), key_hash(&secret));
        let expires = now.checked_add(LOGIN_LINK).unwrap_or(Timestamp::MAX);
        self.write(move |session| {
            web_sessions::create_link(session, organizer, &team, token, &hash, expires)
        })
        .await?;
        Ok(NewLoginLink { secret, expires })
    }

    async fn look_at_login_link(
        &self,
        link: &Secret,
        now: Timestamp,
    ) -> Result<Result<(), LinkRefusal>, StoreError> {
        let hash = key_hash(link);
        self.look(move |session| {
            let link = web_sessions::link(session, &hash, now)?;
            Ok(link.map(drop))
        })
        .await
    }

    async fn redeem_login_link(
        &self,
        link: &Secret,
        session: &Secret,
        now: Timestamp,
    ) -> Result<Result<(), LinkRefusal>, StoreError> {
        let (link, hash) = (key_hash(link), key_hash(session));
        self.write(move |session| web_sessions::redeem(session, &link, &hash, now))
            .await
    }

    async fn choices(&self, organizer: i64) -> Result<Choices, StoreError> {
        self.read(move |session| {
            let gates = organizers::gates(session, organizer)?.into_iter();
            let events = events::all(session, organizer)?.into_iter();
            Ok(Choices {
                gates: gates
                    .filter(|(_, active)| *active)
                    .map(|(gate, _)| gate)
                    .collect(),
                events: events.map(|event| (event.slug, event.name)).collect(),
                software: devices::software(session, organizer)?,
            })
        })
        .await
    }

    async fn made_together(
        &self,
        organizer: i64,
        limit: u64,
    ) -> Result<Vec<MadeTogether>, StoreError> {
        self.read(move |session| made_together::lately(session, organizer, limit))
            .await
    }

    async fn last_in_log(&self) -> Result<i64, StoreError> {
        self.look(log::last).await
    }

    async fn news(&self, ranges: &[LogRange], limit: u64) -> Result<Vec<News>, StoreError> {
        let ranges = ranges.to_vec();
        self.read(move |session| {
            let mut news = Vec::new();
            for range in &ranges {
                news.extend(log::between(session, *range, limit)?);
            }
            Ok(news)
        })
        .await
    }

    async fn samples(
        &self,
        organizer: i64,
        device_id: u64,
        since: Timestamp,
    ) -> Result<Vec<Sample>, StoreError> {
        self.read(move |session| samples::since(session, organizer, device_id, since))
            .await
    }

    async fn live_sessions(
        &self,
        sessions: Vec<KeyHash>,
        now: Timestamp,
    ) -> Result<Vec<KeyHash>, StoreError> {
        self.read(move |session| web_sessions::live(session, &sessions, now))
            .await
    }
}
