//! Which operation each method of the API's trait is, and whether it reads or changes.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{PAGE_SIZE, PUBLIC_KEY, Stored};
use crate::secret::Secret;
use crate::server::installation_keys::{KeptId, key_hash};
use crate::server::model::{
    BatchSetting, Count, DetailedDevice, DeviceChange, DeviceFilter, DevicePage, EnrolledDevice,
    Event, MediumKeys, NewDevice, Order, OrderBy, TeamCaller, ValidReport, VersionedDevice,
};
use crate::server::store::api::{
    Actor, BatchOutcome, DeviceCount, LastSeenPlace, LogPage, Reconnection, Redemption, Sighting,
    Silence, SilentDevice, Store, UnknownNames, Unseen, Update,
};
use crate::server::store::decision::Decision;
use crate::server::store::driver::Driver;
use crate::server::store::error::StoreError;
use crate::server::store::measures::Measures;
use crate::server::store::operations::found::unknown;
use crate::server::store::operations::{
    access, batch, callers, device_changes, device_states, devices, events, filtered_devices,
    kept_answers, last_seen, log, organizers, reconnection, restoration, samples, silences,
    web_sessions,
};
use crate::server::store::terms::{KeptAnswer, Terms};
use crate::wire;

#[async_trait]
impl<D: Driver> Store for Stored<D> {
    fn measures(&self) -> &Measures {
        &self.measures
    }

    fn retries(&self) -> u64 {
        self.driver.retries()
    }

    async fn device_counts(&self) -> Result<Vec<DeviceCount>, StoreError> {
        self.look(device_states::count).await
    }

    async fn may_be_served(&self) -> Result<bool, StoreError> {
        self.look(restoration::is_confirmed).await
    }

    async fn team_caller(&self, token: &Secret) -> Result<Option<TeamCaller>, StoreError> {
        let hash = key_hash(token);
        let read = self.look(move |session| callers::team(session, &hash));
        let team = self.remembered(&self.teams, |_| true, hash, read).await?;
        Ok(team.map(|team| TeamCaller::clone(&team)))
    }

    async fn enrolled_device(
        &self,
        key: &Secret,
    ) -> Result<Option<Arc<EnrolledDevice>>, StoreError> {
        let hash = key_hash(key);
        let read = self.look(move |session| callers::device(session, &hash));
        let is_small = |device: &EnrolledDevice| {
            let key = device.rsa_pubkey.as_ref();
            key.is_none_or(|key| key.len() <= PUBLIC_KEY)
        };
        self.remembered(&self.enrolled, is_small, hash, read).await
    }

    async fn device_count(&self, organizer: i64) -> Result<u64, StoreError> {
        let read = async {
            let count = self.look(move |session| devices::count(session, organizer));
            count.await.map(Some)
        };
        let count = self
            .remembered(&self.counts, |_| true, organizer, read)
            .await?;
        Ok(count.map_or(0, |count| *count))
    }

    async fn devices(
        &self,
        organizer: i64,
        skip: u64,
        limit: u64,
    ) -> Result<Arc<DevicePage>, StoreError> {
        let keys = self.keys();
        let read = self.read(move |session| {
            let devices = devices::page(session, &keys, organizer, skip, limit)?;
            Ok(DevicePage::of(devices))
        });
        if limit > PAGE_SIZE {
            return read.await.map(Arc::new);
        }
        let page = (organizer, skip, limit);
        let read = async { read.await.map(Some) };
        let found = self.remembered(&self.pages, |_| true, page, read).await?;
        Ok(found.unwrap_or_else(|| Arc::new(DevicePage::of(Vec::new()))))
    }

    async fn device(
        &self,
        organizer: i64,
        device_id: u64,
    ) -> Result<Option<VersionedDevice>, StoreError> {
        let keys = self.keys();
        self.read(move |session| devices::find(session, &keys, organizer, device_id))
            .await
    }

    async fn has_device(&self, organizer: i64, device_id: u64) -> Result<bool, StoreError> {
        self.look(move |session| devices::is_there(session, organizer, device_id))
            .await
    }

    async fn count_filtered(
        &self,
        organizer: i64,
        filter: &DeviceFilter,
        order: OrderBy,
    ) -> Result<Count, StoreError> {
        let wanted = filter.clone();
        self.read(move |session| filtered_devices::count(session, organizer, &wanted, order))
            .await
    }

    async fn filtered_devices(
        &self,
        organizer: i64,
        filter: &DeviceFilter,
        order: Order,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<DetailedDevice>, StoreError> {
        let (keys, wanted) = (self.keys(), filter.clone());
        self.read(move |session| {
            filtered_devices::page(session, &keys, organizer, &wanted, order, skip, limit)
        })
        .await
    }

    async fn detailed_device(
        &self,
        organizer: i64,
        device_id: u64,
    ) -> Result<Option<DetailedDevice>, StoreError> {
        let keys = self.keys();
        self.read(move |session| filtered_devices::find(session, &keys, organizer, device_id))
            .await
    }

    async fn log_page(
        &self,
        organizer: i64,
        device_id: u64,
        skip: u64,
        limit: u64,
    ) -> Result<LogPage, StoreError> {
        self.read(move |session| {
            let row = devices::row_of(session, organizer, device_id)?;
            Ok(LogPage {
                count: log::count(session, row)?,
                entries: log::page(session, row, skip, limit)?,
            })
        })
        .await
    }

    async fn unknown_names(
        &self,
        organizer: i64,
        events: Vec<String>,
        gates: Vec<String>,
    ) -> Result<UnknownNames, StoreError> {
        self.read(move |session| {
            let gates = organizers::unknown_gates(session, organizer, &gates)?;
            let known = match gates.is_empty() {
                true => Vec::new(),
                false => organizers::gates(session, organizer)?,
            };
            let known = known.into_iter().map(|(gate, _)| gate.identifier);
            Ok(UnknownNames {
                events: events::unknown_of(session, organizer, &events)?,
                gates,
                known_gates: known.collect(),
            })
        })
        .await
    }

    async fn unknown_event(
        &self,
        organizer: i64,
        slugs: &[String],
    ) -> Result<Option<String>, StoreError> {
        let slugs = slugs.to_vec();
        self.read(move |session| events::first_unknown(session, organizer, &slugs))
            .await
    }

    async fn create_device(
        &self,
        actor: Actor,
        organizer: i64,
        device: NewDevice,
        terms: Terms<wire::Device>,
    ) -> Result<wire::Device, StoreError> {
        self.change(actor, terms, move |session, context| {
            let created =
                device_changes::create(session, context, organizer, std::slice::from_ref(&device))?;
            let created = created.into_iter().next();
            created.ok_or_else(|| unknown("device", &device.name))
        })
        .await
    }

    async fn create_devices(
        &self,
        actor: Actor,
        organizer: i64,
        devices: Vec<NewDevice>,
        terms: Terms<Vec<wire::Device>>,
    ) -> Result<Vec<wire::Device>, StoreError> {
        self.change(actor, terms, move |session, context| {
            device_changes::create(session, context, organizer, &devices)
        })
        .await
    }

    async fn end_access(
        &self,
        actor: Actor,
        organizer: i64,
        device_id: u64,
        terms: Terms<VersionedDevice>,
    ) -> Result<VersionedDevice, StoreError> {
        self.change(actor, terms, move |session, context| {
            device_changes::end_access(session, context, organizer, device_id)
        })
        .await
    }

    async fn reconnect(
        &self,
        actor: Actor,
        organizer: i64,
        device_id: u64,
        now: bool,
        terms: Terms<Reconnection>,
    ) -> Result<Reconnection, StoreError> {
        self.change(actor, terms, move |session, context| {
            reconnection::begin(session, context, organizer, device_id, now)
        })
        .await
    }

    async fn plan_batch(
        &self,
        organizer: i64,
        filter: &DeviceFilter,
        setting: &BatchSetting,
    ) -> Result<BatchOutcome, StoreError> {
        let (filter, setting) = (filter.clone(), setting.clone());
        self.read(move |session| batch::plan(session, organizer, &filter, &setting))
            .await
    }

    async fn change_batch(
        &self,
        actor: Actor,
        organizer: i64,
        filter: DeviceFilter,
        setting: BatchSetting,
        terms: Terms<BatchOutcome>,
    ) -> Result<BatchOutcome, StoreError> {
        self.change(actor, terms, move |session, context| {
            batch::change(session, context, organizer, &filter, &setting)
        })
        .await
    }

    async fn note_seen(&self, sightings: Vec<Sighting>) -> Result<(), StoreError> {
        self.write(move |session| last_seen::note(session, &sightings))
            .await
    }

    async fn change_device(
        &self,
        actor: Actor,
        organizer: i64,
        device_id: u64,
        change: DeviceChange,
        terms: Terms<VersionedDevice>,
    ) -> Result<VersionedDevice, StoreError> {
        self.change(actor, terms, move |session, context| {
            device_changes::change(session, context, organizer, device_id, &change)
        })
        .await
    }

    async fn redeem_token(
        &self,
        token: &Secret,
        report: ValidReport,
        api_key: &Secret,
        terms: Terms<Redemption>,
    ) -> Result<Redemption, StoreError> {
        let (lookup, key) = (self.keys.token_lookup(token), key_hash(api_key));
        self.change(Actor::Device, terms, move |session, context| {
            access::redeem(session, context, &lookup, &report, &key)
        })
        .await
    }

    async fn update_device(
        &self,
        key: &Secret,
        report: ValidReport,
        terms: Terms<Update>,
    ) -> Result<Update, StoreError> {
        let key = key_hash(key);
        self.change(Actor::Device, terms, move |session, context| {
            access::update(session, context, &key, &report)
        })
        .await
    }

    async fn roll_key(
        &self,
        key: &Secret,
        new: &Secret,
        terms: Terms<Option<EnrolledDevice>>,
    ) -> Result<Option<EnrolledDevice>, StoreError> {
        let (key, new) = (key_hash(key), key_hash(new));
        self.change(Actor::Device, terms, move |session, context| {
            access::roll(session, context, &key, &new)
        })
        .await
    }

    async fn revoke_key(
        &self,
        key: &Secret,
        terms: Terms<Option<EnrolledDevice>>,
    ) -> Result<Option<EnrolledDevice>, StoreError> {
        let key = key_hash(key);
        self.change(Actor::Device, terms, move |session, context| {
            access::revoke(session, context, &key)
        })
        .await
    }

    async fn accessible_events(&self, device: i64) -> Result<Vec<Event>, StoreError> {
        self.read(move |session| events::accessible(session, device))
            .await
    }

    async fn event_beside(&self, device: i64, slug: &str) -> Result<Option<Event>, StoreError> {
        let slug = slug.to_owned();
        self.read(move |session| events::beside(session, device, &slug))
            .await
    }

    async fn medium_keys(&self, organizer: i64) -> Result<Vec<MediumKeys>, StoreError> {
        let keys = self.keys();
        self.look(move |session| organizers::medium_keys(session, &keys, organizer))
            .await
    }

    async fn kept_answer(
        &self,
        id: &KeptId,
        since: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let id = *id;
        self.look(move |session| kept_answers::find(session, &id, since))
            .await
    }

    async fn keep_answer(
        &self,
        id: &KeptId,
        answer: KeptAnswer,
        decision: &Decision,
    ) -> Result<(), StoreError> {
        let id = *id;
        self.decide(decision, move |session| {
            let now = Timestamp::now();
            kept_answers::refuse_if_kept(session, &id, now)?;
            kept_answers::keep(session, &id, &answer, now)
        })
        .await
    }

    async fn active_organizers(&self) -> Result<Vec<i64>, StoreError> {
        self.look(organizers::active).await
    }

    async fn unseen(
        &self,
        organizer: i64,
        behind: LastSeenPlace,
        to: Timestamp,
    ) -> Result<Unseen, StoreError> {
        self.look(move |session| silences::unseen(session, organizer, behind, to))
            .await
    }

    async fn take_silence(&self, device: &SilentDevice) -> Result<bool, StoreError> {
        let (row, seen) = (device.row, device.seen);
        self.write(move |session| silences::take(session, row, seen, Timestamp::now()))
            .await
    }

    async fn ended_silences(&self) -> Result<Vec<Silence>, StoreError> {
        self.read(silences::ended).await
    }

    async fn end_silence(&self, silence: &Silence) -> Result<bool, StoreError> {
        let (row, seen) = (silence.device.row, silence.seen_before);
        self.write(move |session| silences::end(session, row, seen))
            .await
    }

    async fn organizer_events(&self, organizer: i64) -> Result<Vec<Event>, StoreError> {
        self.read(move |session| events::of_organizer(session, organizer))
            .await
    }

    async fn sweep_answers(&self, before: Timestamp) -> Result<(), StoreError> {
        // In pieces, so that nobody waits long behind a day's answers.
        while self
            .write(move |session| kept_answers::sweep_some(session, before))
            .await?
        {}
        self.write(move |session| web_sessions::sweep(session, before))
            .await?;
        self.driver.sweep(before).await
    }

    async fn sweep_log(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut after = Some(0);
        while let Some(last) = after {
            after = self
                .write(move |session| log::sweep_some(session, before, last))
                .await?;
        }
        Ok(())
    }

    async fn sweep_samples(&self, before: Timestamp) -> Result<(), StoreError> {
        while self
            .write(move |session| samples::sweep_some(session, before))
            .await?
        {}
        Ok(())
    }
}
