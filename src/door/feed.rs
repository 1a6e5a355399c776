//! What programs are told of the device as it happens.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::standing::Standing;

/// What can still be told to a program that was away.
const KEPT: usize = 64;

/// How the device stands, and what of it has changed.
pub struct Feed {
    /// Tells this run of the program from others, whose numbers are not these.
    run: u64,
    told: Mutex<Told>,
    latest: watch::Sender<u64>,
    has_ended: watch::Sender<bool>,
}

#[derive(Default)]
struct Told {
    standing: Standing,
    happened: VecDeque<Happened>,
}

/// Something that has changed.
#[derive(Clone)]
pub(super) struct Happened {
    pub(super) number: u64,
    pub(super) what: &'static str,
    /// What it is now, in JSON.
    pub(super) now: Arc<str>,
}

impl Feed {
    /// Of a device of which nothing is known yet.
    pub fn new() -> Result<Self, getrandom::Error> {
        Ok(Self {
            run: getrandom::u64()?,
            told: Mutex::default(),
            latest: watch::Sender::new(0),
            has_ended: watch::Sender::new(false),
        })
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the device stands.
    pub fn standing(&self) -> Standing {
        self.told().standing.clone()
    }

    /// Looks at how it stands, without a copy of it.
    pub(super) fn look_at<T>(&self, look: impl FnOnce(&Standing) -> T) -> T {
        look(&self.told().standing)
    }

    /// A program's call has shown whether the server is there, which is news seldom.
    pub(super) fn reached(&self, is_there: bool) {
        let mut told = self.told();
        if told.standing.online() == Some(is_there) {
            return told.standing.reached(is_there);
        }
        drop(told);
        self.change(|standing| standing.reached(is_there));
    }

    /// Changes how it stands, and tells.
    pub fn change(&self, change: impl FnOnce(&mut Standing)) {
        let mut told = self.told();
        let before = told.standing.parts();
        change(&mut told.standing);
        let after = told.standing.parts();
        let mut number = *self.latest.borrow();
        for ((_, before), (what, now)) in before.into_iter().zip(after) {
            if before != now {
                number += 1;
                let now = now.to_string().into();
                told.happened.push_back(Happened { number, what, now });
            }
        }
        let excess = told.happened.len().saturating_sub(KEPT);
        told.happened.drain(..excess);
        drop(told);
        self.latest
            .send_if_modified(|latest| std::mem::replace(latest, number) != number);
    }

    /// Nothing will be told any more.
    pub fn end(&self) {
        self.has_ended.send_replace(true);
    }

    pub(super) async fn ended(&self) {
        let _ = self.has_ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Changes with whatever programs are told of.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    /// The name of a number, by which a program says what it had last.
    pub(super) fn id(&self, number: u64) -> String {
        format!("{:x}-{number}", self.run)
    }

    /// The number of such a name, if what came after it can still be told.
    pub(super) fn number(&self, id: &str) -> Option<u64> {
        let (run, number) = id.trim().split_once('-')?;
        let is_ours = u64::from_str_radix(run, 16).is_ok_and(|run| run == self.run);
        let number: u64 = number.parse().ok().filter(|_| is_ours)?;
        let told = self.told();
        let first = told.happened.front().map(|first| first.number);
        let can_be =
            number <= *self.latest.borrow() && first.is_none_or(|first| first <= number + 1);
        can_be.then_some(number)
    }

    /// What has happened after a number.
    pub(super) fn after(&self, number: u64) -> Vec<Happened> {
        let told = self.told();
        let later = told
            .happened
            .iter()
            .filter(|happened| happened.number > number);
        later.cloned().collect()
    }

    /// How the device stands, and the number of what happened last.
    pub(super) fn now(&self) -> (u64, Standing) {
        let told = self.told();
        (*self.latest.borrow(), told.standing.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_away_is_told_what_has_changed_since_and_who_was_away_for_long_the_whole() {
        let feed = Feed::new().unwrap();
        let nothing = |standing: &mut Standing| standing.selected(None);
        feed.change(nothing);
        assert!(feed.after(0).is_empty(), "that nothing is on is no change");
        feed.change(Standing::heard);
        feed.change(Standing::heard);
        let happened = feed.after(0);
        assert_eq!(happened.len(), 1);
        assert_eq!((happened[0].what, &*happened[0].now), ("online", "true"));
        let id = feed.id(1);
        assert_eq!(feed.number(&id), Some(1));
        assert!(feed.after(1).is_empty());
        for foreign in ["", "1", "x-1", "0-1", &feed.id(2)] {
            assert_eq!(feed.number(foreign), None, "{foreign}");
        }
        let unreachable = crate::agent::AgentError::Unanswered {
            operation: None,
            server: "https://x".to_owned(),
            pending: false,
            source: crate::agent::SendError::Clock,
        };
        for _ in 0..KEPT {
            feed.change(|standing| standing.failed(&unreachable));
            feed.change(Standing::heard);
        }
        assert_eq!(feed.number(&id), None);
        assert_eq!(feed.after(0).len(), KEPT);
    }
}
