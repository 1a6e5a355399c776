//! What a kiosk's agent does, one thing after the other, until it is told to stop.

use std::cell::Cell;

use tokio::time::{Instant, sleep_until};

use super::adjustable::Adjustable;
use super::enrol::{Enrolled, Enrolling};
use super::schedule::Schedule;
use super::settings::Settings;
use super::told::Told;
use super::told_once::ToldOnce;
use super::wake::{News, Wake};
use super::{clock, manager, metrics_file};
use crate::agent::{Agent, AgentError, Current, State, Status, Suggestion};
use crate::door::Feed;

/// How often sources and a vault without a device are looked at, besides when they are seen to change.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(60);

/// Longer than anything it does takes: each call has its time, and a picture its own.
const STUCK: std::time::Duration = std::time::Duration::from_secs(15 * 60);

pub(super) struct Life<'d> {
    pub(super) agent: &'d Agent,
    pub(super) feed: &'d Feed,
    pub(super) settings: &'d Settings,
    pub(super) wake: &'d Wake,
    pub(super) looked: &'d metrics_file::Looked,
}

/// What there is to do for a device that stands like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There is no device: an enrolment is waited for.
    Waiting { is_begun: bool },
    /// There is one, and its server is asked.
    Serving,
    /// There was one, or the vault can't be read: somebody has to see to it, and it is looked whether somebody did.
    Over,
}

impl Phase {
    fn of(status: &Result<Status, AgentError>) -> Self {
        let Ok(status) = status else {
            return Self::Over;
        };
        match status.state {
            State::NotEnrolled => Self::Waiting { is_begun: false },
            State::Enrolling => Self::Waiting { is_begun: true },
            State::Enrolled | State::Rejected => Self::Serving,
            State::AnswerLost if status.identity.is_some() => Self::Serving,
            State::AnswerLost => Self::Waiting { is_begun: false },
            State::Revoked => Self::Over,
        }
    }
}

/// When what is done next.
struct Plan {
    /// When a vault is looked at again that has no device to serve.
    vault: Schedule,
    sources: Schedule,
    info: Schedule,
    selection: Option<Schedule>,
}

impl Plan {
    fn new(settings: &Adjustable) -> Self {
        let now = Instant::now();
        Self {
            vault: Schedule::new(LOOK_AGAIN, now),
            sources: Schedule::new(LOOK_AGAIN, now),
            info: Schedule::new(settings.heartbeat, now),
            selection: settings
                .event_selection
                .map(|every| Schedule::new(every, now)),
        }
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Schedule> {
        [&mut self.vault, &mut self.sources, &mut self.info]
            .into_iter()
            .chain(&mut self.selection)
    }

    fn next(&self, phase: Phase) -> Instant {
        match phase {
            Phase::Waiting { .. } => self.sources.next(),
            Phase::Serving => {
                let info = self.info.next();
                let selection = self.selection.as_ref().map(Schedule::next);
                selection.map_or(info, |selection| selection.min(info))
            }
            Phase::Over => self.vault.next(),
        }
    }
}

/// Between nought and one.
fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
}

impl Life<'_> {
    pub(super) async fn lead(&self, mut told: Told) {
        manager::ready();
        let mut stop = told.stop.clone();
        // Since when it is at work; nothing while it waits.
        let at_work = Cell::new(None::<Instant>);
        let goes_on = || at_work.get().is_none_or(|since| since.elapsed() < STUCK);
        tokio::select! {
            () = self.live(&mut told, &at_work) => {}
            () = manager::watchdog(goes_on) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn live(&self, told: &mut Told, at_work: &Cell<Option<Instant>>) {
        self.tell_manager();
        tracing::info!("{}", self.feed.standing().in_words());
        clock::set(self.settings.clock_patience).await;
        let mut settings = told.now();
        let (mut plan, mut enrolling) = (Plan::new(&settings), Enrolling::default());
        let mut trouble = ToldOnce::default();
        let (mut is_tidy, mut before) = (false, self.feed.standing());
        loop {
            at_work.set(Some(Instant::now()));
            if told.settings.has_changed().unwrap_or(false) {
                settings = told.now();
                plan = Plan::new(&settings);
                enrolling.hope();
                is_tidy = false;
            }
            let phase = self.look(&mut trouble).await;
            // Who asks for the status may have seen it before.
            let standing = self.feed.standing();
            let is_another = standing.is_of_another_device(&before);
            before = standing;
            if is_another {
                let now = Instant::now();
                plan.all().for_each(|schedule| schedule.hurry(now));
                is_tidy = false;
            }
            match phase {
                Phase::Waiting { is_begun } if plan.sources.is_due(Instant::now()) => {
                    is_tidy = false;
                    let ended = enrolling
                        .attempt(self.agent, (&settings, &self.settings.overrides), is_begun)
                        .await;
                    self.enrolled(ended, &mut plan, &mut trouble);
                    continue;
                }
                Phase::Serving => {
                    if !is_tidy {
                        enrolling.tidy(self.agent, &settings.sources).await;
                        is_tidy = true;
                    }
                    self.ask(&mut plan, &mut trouble).await;
                }
                Phase::Over => plan.vault.failed(Instant::now(), chance()),
                Phase::Waiting { .. } => {}
            }
            self.tell_manager();
            at_work.set(None);
            self.looked.notify_one();
            let now = tokio::select! {
                () = sleep_until(plan.next(phase)) => continue,
                news = self.wake.news() => {
                    let now = Instant::now();
                    match news {
                        News::Files => plan.sources.hurry(now),
                        News::Network => plan.all().for_each(|schedule| schedule.hope(now)),
                    }
                    continue;
                }
                Ok(()) = told.look.changed() => Instant::now(),
            };
            plan.all().for_each(|schedule| schedule.hurry(now));
        }
    }

    /// What the vault says now, which other commands write too.
    async fn look(&self, trouble: &mut ToldOnce) -> Phase {
        let status = self.agent.status_read_apart().await;
        let before = self.feed.standing().state();
        let warning = self.agent.warning_of(&status);
        self.feed.change(|standing| standing.look(&status, warning));
        match &status {
            Ok(status) if status.state != before => {
                tracing::info!("{}", self.feed.standing().in_words());
            }
            Ok(_) => {}
            Err(error) => self.failed(trouble, error),
        }
        Phase::of(&status)
    }

    fn enrolled(&self, ended: Enrolled, plan: &mut Plan, trouble: &mut ToldOnce) {
        let now = Instant::now();
        match ended {
            Enrolled::Yes => {
                trouble.end();
                plan.all().for_each(|schedule| schedule.hurry(now));
            }
            Enrolled::No => plan.sources.answered(now, chance()),
            Enrolled::NotNow(error) => {
                self.failed(trouble, &error);
                plan.sources.failed(now, chance());
            }
        }
    }

    /// Asks what is due. It also finishes what was begun, and reports what has changed.
    async fn ask(&self, plan: &mut Plan, trouble: &mut ToldOnce) {
        if plan.info.is_due(Instant::now()) {
            let answered = self.agent.info().await.map(drop);
            self.heard(&mut plan.info, trouble, answered);
        }
        let Some(selection) = &mut plan.selection else {
            return;
        };
        if selection.is_due(Instant::now()) {
            let answered = self.select().await;
            self.heard(selection, trouble, answered);
        }
    }

    async fn select(&self) -> Result<(), AgentError> {
        let known = self
            .feed
            .standing()
            .event_selection()
            .and_then(|known| known.selected.clone());
        let current = known
            .as_ref()
            .map_or_else(Current::default, |known| Current {
                event: Some(known.event.slug.clone()),
                subevent: known.subevent,
                checkin_list: known.checkin_list,
            });
        let selected = match self.agent.event_selection(&current).await? {
            Suggestion::Switch(selected) => Some(selected),
            Suggestion::Keep => known,
            Suggestion::Nothing => None,
        };
        self.feed.change(|standing| standing.selected(selected));
        Ok(())
    }

    fn heard(
        &self,
        schedule: &mut Schedule,
        trouble: &mut ToldOnce,
        answered: Result<(), AgentError>,
    ) {
        let now = Instant::now();
        match answered {
            Ok(()) => {
                self.feed.change(crate::door::Standing::heard);
                if trouble.end() {
                    tracing::info!("the server answers again");
                }
                schedule.answered(now, chance());
            }
            Err(error) => {
                self.failed(trouble, &error);
                schedule.failed(now, chance());
            }
        }
    }

    fn failed(&self, trouble: &mut ToldOnce, error: &AgentError) {
        self.feed.change(|standing| standing.failed(error));
        if let Some(problem) = self.feed.standing().problem() {
            trouble.tell(&problem.detail);
        }
    }

    fn tell_manager(&self) {
        let standing = self.feed.standing();
        let words = standing.in_words();
        match standing.warning() {
            Some(warning) => manager::status(&format!("{words}; {}", warning.detail)),
            None => manager::status(&words),
        }
    }
}
