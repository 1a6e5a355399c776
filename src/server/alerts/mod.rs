//! Tells somebody, by a command of theirs, that a device has fallen silent while something ran at its gate, and when
//! that has ended: each once, whichever server of a database it is.

mod alert;
mod command;
mod rounds;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::api::Sightings;
use super::event_selection::{runs_at_no_gate, runs_since};
use super::model::Event;
use super::store::{LastSeenPlace, SilentDevice, Store, StoreError, Unseen};
use crate::causes;
use crate::seldom::Seldom;
use alert::Alert;
use rounds::Rounds;
pub use settings::{AlertSettings, SILENT_AFTER};

/// Commands that run at once at most.
const AT_ONCE: usize = 4;
/// Commands that are begun in a minute at most. What is beyond is told in the next one, if it is still so.
const IN_A_MINUTE: usize = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// Pieces of one organizer's devices that a look goes through at most; the next one goes on from there.
const PIECES: usize = 20;
/// What was last seen before that has not fallen silent now.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Looks for devices that fell silent, and tells of them.
pub(super) struct Alerts {
    settings: Arc<AlertSettings>,
    store: Arc<dyn Store>,
    sightings: Arc<Sightings>,
    failed: Seldom,
    late: Seldom,
    nowhere: Seldom,
}

/// What was begun, and how far was looked.
struct Watch {
    commands: JoinSet<()>,
    budget: Budget,
    rounds: Rounds,
}

/// A look at one organizer's devices.
struct Look {
    organizer: i64,
    now: Timestamp,
    /// Its events, once they were needed.
    events: Option<Vec<Event>>,
}

/// How many commands may still be begun in this minute.
struct Budget {
    minute: Instant,
    left: usize,
}

impl Budget {
    fn take(&mut self) -> bool {
        if self.minute.elapsed() >= MINUTE {
            *self = Self::of_now();
        }
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return false,
        };
        true
    }

    fn of_now() -> Self {
        Self {
            minute: Instant::now(),
            left: IN_A_MINUTE,
        }
    }
}

impl Look {
    fn at(organizer: i64, now: Timestamp) -> Self {
        Self {
            organizer,
            now,
            events: None,
        }
    }

    async fn events(&mut self, store: &dyn Store) -> Result<&[Event], StoreError> {
        let events = match self.events.take() {
            Some(events) => events,
            None => store.organizer_events(self.organizer).await?,
        };
        Ok(self.events.insert(events))
    }
}

impl Alerts {
    pub(super) fn new(
        settings: AlertSettings,
        store: Arc<dyn Store>,
        sightings: Arc<Sightings>,
    ) -> Self {
        Self {
            settings: Arc::new(settings),
            store,
            sightings,
            failed: Seldom::new(),
            late: Seldom::new(),
            nowhere: Seldom::new(),
        }
    }

    /// Looks time and again. The commands that run end with it.
    pub(super) async fn run(self) {
        let mut watch = Watch {
            commands: JoinSet::new(),
            budget: Budget::of_now(),
            rounds: Rounds::default(),
        };
        loop {
            tokio::time::sleep(self.settings.interval).await;
            if let Err(error) = self.look(&mut watch).await {
                self.failed.count(|times| {
                    tracing::warn!(
                        times,
                        %error,
                        causes = ?causes::of(&error),
                        advice = error.advice(),
                        "it can't be looked which devices fell silent"
                    );
                });
            }
        }
    }

    async fn look(&self, watch: &mut Watch) -> Result<(), StoreError> {
        for silence in self.store.ended_silences().await? {
            if !self.has_room(watch).await {
                return Ok(());
            }
            if self.store.end_silence(&silence).await? {
                self.tell(Alert::end_of(&silence), watch);
            }
        }
        let now = Timestamp::now();
        let Some(latest) = self.latest(now) else {
            return Ok(());
        };
        let from = now.checked_sub(LONG_AGO).unwrap_or(Timestamp::MIN);
        let organizers = self.store.active_organizers().await?;
        for organizer in &watch.rounds.in_turn(&organizers) {
            let mut look = Look::at(*organizer, now);
            for _ in 0..PIECES {
                let behind = watch.rounds.first(*organizer, from);
                let unseen = self.store.unseen(*organizer, behind, latest).await?;
                let until = self.tell_of(&unseen, behind, &mut look, watch).await?;
                watch.rounds.looked(*organizer, until);
                if until != unseen.until {
                    watch.rounds.ended_at(*organizer);
                    return Ok(());
                }
                if !unseen.has_more {
                    break;
                }
            }
        }
        if let Some((organizer, behind)) = watch.rounds.again(&organizers, from) {
            let unseen = self.store.unseen(organizer, behind, latest).await?;
            let mut look = Look::at(organizer, now);
            let until = self.tell_of(&unseen, behind, &mut look, watch).await?;
            let is_over = until == unseen.until && !unseen.has_more;
            watch.rounds.looked_again(organizer, until, is_over);
        }
        Ok(())
    }

    /// Tells of those of a piece that fell silent while something ran at their gate; how far it came.
    async fn tell_of(
        &self,
        unseen: &Unseen,
        behind: LastSeenPlace,
        look: &mut Look,
        watch: &mut Watch,
    ) -> Result<LastSeenPlace, StoreError> {
        let mut until = behind;
        for device in &unseen.devices {
            if let Some(alert) = self.alert_of(device, look).await? {
                if !self.has_room(watch).await {
                    return Ok(until);
                }
                if self.store.take_silence(device).await? {
                    self.tell(alert, watch);
                }
            }
            until = device.place();
        }
        Ok(unseen.until)
    }

    /// What is to be told of a device, if something is.
    async fn alert_of(
        &self,
        device: &SilentDevice,
        look: &mut Look,
    ) -> Result<Option<Alert>, StoreError> {
        let Some(gate) = device.gate_row else {
            return Ok(None);
        };
        let now = look.now;
        let events = look.events(&*self.store).await?;
        // Most are looked at no further.
        if runs_since(now, device.seen, events, gate).is_none() {
            if let Some(event) = runs_at_no_gate(now, device.seen, events) {
                self.say_nowhere(device, event);
            }
            return Ok(None);
        }
        let own = self.store.accessible_events(device.row).await?;
        let running = runs_since(now, device.seen, &own, gate);
        Ok(running.map(|(event, subevent)| Alert::silent(device, event, subevent, now)))
    }

    fn say_nowhere(&self, device: &SilentDevice, event: &Event) {
        self.nowhere.count(|times| {
            tracing::warn!(
                times,
                organizer = device.organizer,
                device = device.device_id,
                event = event.slug,
                advice = "put a check-in list of it at the gates where it runs: gatehand-server admin checkin-list move",
                "a device fell silent while an event runs of which no check-in list is at any gate: no alert is told of it"
            );
        });
    }

    /// Until when a device that is silent was seen last. Nobody is taken for silent whom this server could not have
    /// heard, as it was not there or could not note it.
    fn latest(&self, now: Timestamp) -> Option<Timestamp> {
        let silent_after = self.settings.silent_after;
        if self.sightings.heard_since().elapsed() < silent_after {
            return None;
        }
        now.checked_sub(SignedDuration::try_from(silent_after).ok()?)
            .ok()
    }

    /// Whether another command may be begun in this minute, once one of those that run has ended; what is not begun is
    /// looked at again.
    async fn has_room(&self, watch: &mut Watch) -> bool {
        let Watch {
            commands, budget, ..
        } = watch;
        while commands.try_join_next().is_some() {}
        while commands.len() >= AT_ONCE {
            // Each is bounded in time.
            commands.join_next().await;
        }
        let has_room = budget.take();
        if !has_room {
            self.late.count(|times| {
                tracing::warn!(
                    times,
                    "more devices fall silent, or are back, than the command for alerts is run for at once: the rest is told later"
                );
            });
        }
        has_room
    }

    fn tell(&self, alert: Alert, watch: &mut Watch) {
        tracing::info!(
            organizer = alert.organizer(),
            device = alert.device_id(),
            kind = alert.kind(),
            "an alert is told"
        );
        let settings = Arc::clone(&self.settings);
        watch.commands.spawn(async move {
            if let Err(error) = command::run(&settings, &alert).await {
                tracing::error!(
                    %error,
                    causes = ?causes::of(&error),
                    command = %settings.command.display(),
                    "the command for alerts has failed; this alert is not told again"
                );
            }
        });
    }
}
