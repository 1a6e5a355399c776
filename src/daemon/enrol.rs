//! Enrols from what lies in the sources.

use std::collections::HashSet;
use std::path::PathBuf;

use super::adjustable::Adjustable;
use super::source::{self, Found, Seen};
use super::told_once::ToldOnce;
use super::wipe;
use crate::agent::{Agent, AgentError, ErrorKind, InitializeOptions};
use crate::causes;
use crate::enrolment::Reading;
use crate::facts::Overrides;

/// How a look at the sources ended.
pub(super) enum Enrolled {
    Yes,
    /// There was nothing, or nothing for this device.
    No,
    /// It may go better later.
    NotNow(AgentError),
}

/// Enrols, and remembers what led to nothing.
#[derive(Default)]
pub(super) struct Enrolling {
    /// What is not tried again until it is another.
    useless: HashSet<Seen>,
    told: ToldOnce,
}

impl Enrolling {
    /// Goes on with what was begun, or tries what lies in the sources, one after the other.
    pub(super) async fn attempt(
        &mut self,
        agent: &Agent,
        (settings, overrides): (&Adjustable, &Overrides),
        is_begun: bool,
    ) -> Enrolled {
        if is_begun {
            return match agent.resume().await {
                Ok(_) => Enrolled::Yes,
                Err(error) => Enrolled::NotNow(error),
            };
        }
        let options = InitializeOptions {
            overrides: overrides.clone(),
            allowed_organizers: Some(settings.allowed.organizers.clone()),
            ..InitializeOptions::default()
        };
        for Found { seen, reading } in self.look(&settings.sources).await {
            let path = seen.path.display().to_string();
            let reading = match reading {
                Ok(reading) => reading,
                Err(error) => {
                    self.useless(seen, &in_words(&path, &error));
                    continue;
                }
            };
            if !settings.allowed.are_named() {
                self.useless(
                    seen,
                    &format!("{path} is left alone: whoever can put a file there could make this any organizer's device, so enrolling unwatched needs allowed_servers and allowed_organizers"),
                );
                continue;
            }
            if !settings.allowed.allow(reading.enrolment()) {
                let server = reading.enrolment().url();
                self.useless(
                    seen,
                    &format!("{path} is for {server}, which is not among allowed_servers"),
                );
                continue;
            }
            match self.redeem(agent, &options, &seen, &reading).await {
                Enrolled::No => {}
                ended => return ended,
            }
        }
        Enrolled::No
    }

    /// Removes what this device was enrolled by, and nothing else: its key is safe. Also after a power cut between.
    pub(super) async fn tidy(&self, agent: &Agent, sources: &[PathBuf]) {
        for Found { seen, reading } in self.look(sources).await {
            let Ok(reading) = reading else { continue };
            let codes = std::iter::once(reading.enrolment()).chain(reading.others());
            if !codes.into_iter().any(|code| agent.is_enrolled_by(code)) {
                continue;
            }
            let path = seen.path.display().to_string();
            let wiped = tokio::task::spawn_blocking(move || wipe::wipe(&seen)).await;
            if let Ok(Err(error)) = wiped {
                tracing::warn!("{path} can't be removed, and its code is used: {error}");
            }
        }
    }

    /// Pictures take a while.
    async fn look(&self, sources: &[PathBuf]) -> Vec<Found> {
        let (sources, useless) = (sources.to_vec(), self.useless.clone());
        let looked = tokio::task::spawn_blocking(move || {
            source::look(&sources, |seen| useless.contains(seen))
        });
        looked.await.unwrap_or_default()
    }

    async fn redeem(
        &mut self,
        agent: &Agent,
        options: &InitializeOptions,
        seen: &Seen,
        reading: &Reading,
    ) -> Enrolled {
        let path = seen.path.display().to_string();
        let redeemed = agent.initialize_first_known(reading.enrolment(), reading.others(), options);
        match redeemed.await {
            Ok(_) => {
                tracing::info!("enrolled by {path}");
                self.told.end();
                Enrolled::Yes
            }
            Err(error) if is_final(&error) => {
                self.useless(seen.clone(), &in_words(&path, &error));
                Enrolled::No
            }
            Err(error) => Enrolled::NotNow(error),
        }
    }

    /// What led to nothing may lead to something by now.
    pub(super) fn hope(&mut self) {
        self.useless.clear();
    }

    fn useless(&mut self, seen: Seen, words: &str) {
        self.told.tell(words);
        self.useless.retain(|known| known.path != seen.path);
        self.useless.insert(seen);
    }
}

/// Whether the same code would fail again, whenever it is sent.
fn is_final(error: &AgentError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::EnrolmentInvalid
            | ErrorKind::EnrolmentTooNew
            | ErrorKind::NotEncrypted
            | ErrorKind::ArgumentInvalid
            | ErrorKind::TokenRefused
            | ErrorKind::OtherOrganizer
    )
}

fn in_words(path: &str, error: &dyn std::error::Error) -> String {
    let words = std::iter::once(error.to_string()).chain(causes::of(error));
    format!("{path}: {}", words.collect::<Vec<_>>().join(": "))
}
