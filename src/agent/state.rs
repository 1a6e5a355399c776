//! The states of a device and what leads from one to the next: the one place that decides it.
//!
//! Everything here is a pure function. What was asked, answered and stored is the business of the
//! modules around it; `docs/ARCHITECTURE.md` draws the same table, and a test holds them together.

use serde::{Deserialize, Serialize};

/// How a device stands with its server, as far as the vault knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// There is no identity.
    NotEnrolled,
    /// An initialization token was sent, and no answer of the API was read yet.
    Enrolling,
    /// There are identity and key, and nothing speaks against the key.
    Enrolled,
    /// The server does not accept the key. It is kept, since it may work again.
    Rejected,
    /// The server has ended the device's access for good; the key is destroyed.
    Revoked,
    /// The server gave a key out whose answer never arrived, and does not repeat it.
    AnswerLost,
}

/// What changes a device's identity at its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Redeems an initialization token.
    Initialize,
    /// Reports what the device is.
    Update,
    /// Replaces the key.
    Roll,
    /// Ends the device's access.
    Revoke,
}

/// What the vault holds of a device, as far as its next state depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Situation {
    /// The state but for an enrolment that is under way, so never [`State::Enrolling`].
    pub(super) standing: State,
    /// Whether an enrolment was begun and not finished.
    pub(super) enrolling: bool,
    /// The operation on the identity that was begun and not finished.
    pub(super) pending: Option<Operation>,
}

/// What the server said to a begun operation, with every 401 to a key confirmed by `device/info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The request surely never reached it.
    NotSent,
    /// Nothing that tells what became of the request: no answer, or none of the API's.
    Nothing,
    /// Done, with an identity that fits.
    Done,
    /// Redeemed, but for a device of an organizer that is not allowed here.
    Unwanted,
    /// Refused as a whole, in words that do not tell what became of an earlier try.
    Refused,
    /// Refused, and it is sure that no earlier try was done either: the old key still works, or what
    /// was to be reported of the device can't be.
    NotDone,
    /// The initialization token can't be redeemed.
    TokenRefused,
    /// The initialization token was redeemed before.
    TokenUsed,
    /// The key is not accepted.
    KeyRejected,
    /// The device's access has ended for good.
    Revoked,
}

impl Word {
    /// Whether it came from a server that speaks the device API, be it a refusal.
    pub(super) fn is_of_the_api(self) -> bool {
        !matches!(self, Self::NotSent | Self::Nothing)
    }
}

/// What the server said of the key, in an answer outside an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyWord {
    /// It works.
    Works,
    /// It is not accepted, and `device/info` confirmed that.
    Rejected,
    /// The device's access has ended for good, and `device/info` confirmed that.
    Revoked,
}

/// What becomes of the secrets in the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrets {
    /// They stay.
    Keep,
    /// The key of the answer takes the place of the one there.
    Replace,
    /// They are removed; the identity stays for the record.
    Destroy,
}

/// What an answer leads to; all of it is committed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) standing: State,
    /// Whether the operation is over.
    pub(super) ends: bool,
    pub(super) secrets: Secrets,
}

/// Why an operation can't begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hindrance {
    AlreadyEnrolled,
    NotEnrolled,
    Revoked,
    AnswerLost,
    Unfinished(Operation),
}

impl Situation {
    /// The state as it is told to people and apps.
    pub(super) fn state(self) -> State {
        match (self.enrolling, self.standing) {
            (true, State::NotEnrolled | State::Revoked | State::AnswerLost) => State::Enrolling,
            (_, standing) => standing,
        }
    }

    /// The operation a person would name first as unfinished.
    pub(super) fn unfinished(self) -> Option<Operation> {
        self.pending
            .or_else(|| self.enrolling.then_some(Operation::Initialize))
    }

    /// Whether `operation` may begin. To `replace` is to give up an enrolment that was begun and, once
    /// the new one is done, the identity with all that was begun on it. A begun report gives way to
    /// anything, since what it was to tell is told by the next one.
    pub(super) fn begin(self, operation: Operation, replace: bool) -> Result<(), Hindrance> {
        match (operation, self.standing) {
            (Operation::Initialize, _) if self.enrolling && !replace => {
                Err(Hindrance::Unfinished(Operation::Initialize))
            }
            (Operation::Initialize, State::Enrolled | State::Rejected) if !replace => {
                Err(Hindrance::AlreadyEnrolled)
            }
            (Operation::Initialize, _) => Ok(()),
            (_, State::NotEnrolled | State::Enrolling) => Err(Hindrance::NotEnrolled),
            (_, State::Revoked) => Err(Hindrance::Revoked),
            (_, State::AnswerLost) => Err(Hindrance::AnswerLost),
            (_, State::Enrolled | State::Rejected) => match self.pending {
                Some(Operation::Update) | None => Ok(()),
                Some(pending) => Err(Hindrance::Unfinished(pending)),
            },
        }
    }

    /// What the server's word on `operation` leads to. `sent_before`: whether an earlier try may have
    /// reached the server, so that it may have been done already.
    pub(super) fn answered(self, operation: Operation, word: Word, sent_before: bool) -> Step {
        let same = |ends| Step {
            standing: self.standing,
            ends,
            secrets: Secrets::Keep,
        };
        let ends_in = |standing, secrets| Step {
            standing,
            ends: true,
            secrets,
        };
        match (operation, word) {
            (_, Word::Nothing) => same(false),
            (_, Word::NotSent) => same(!sent_before),
            (Operation::Initialize | Operation::Roll, Word::Done) => {
                ends_in(State::Enrolled, Secrets::Replace)
            }
            (Operation::Update, Word::Done) => ends_in(State::Enrolled, Secrets::Keep),
            (Operation::Revoke, Word::Done) => ends_in(State::Revoked, Secrets::Destroy),

            // The identity that is there was not touched by another one's token.
            (Operation::Initialize, Word::TokenUsed) if sent_before => match self.standing {
                State::Enrolled | State::Rejected => same(true),
                _ => ends_in(State::AnswerLost, Secrets::Keep),
            },
            // Whoever is here stays; the other device is to be revoked.
            (Operation::Initialize, Word::TokenUsed | Word::NotDone | Word::Unwanted) => same(true),
            // A gateway's refusal, or that of a server that stands in for another, says nothing about
            // what was done earlier.
            (Operation::Initialize, _) => same(!sent_before),

            (_, Word::Revoked) => ends_in(State::Revoked, Secrets::Destroy),
            // Without an earlier try it is the key that was there; else the new one may be lost.
            (Operation::Roll, Word::KeyRejected) if sent_before => {
                ends_in(State::AnswerLost, Secrets::Keep)
            }
            (_, Word::KeyRejected) => ends_in(State::Rejected, Secrets::Keep),
            (_, Word::NotDone) => ends_in(State::Enrolled, Secrets::Keep),
            // Only the old key at work shows that there is no new one.
            (Operation::Roll, _) => same(false),
            (_, Word::Refused | Word::TokenRefused | Word::TokenUsed | Word::Unwanted) => {
                same(true)
            }
        }
    }

    /// What the server's word on the key leads to.
    pub(super) fn heard(self, word: KeyWord) -> Step {
        let to = |standing, secrets| Step {
            standing,
            ends: matches!(secrets, Secrets::Destroy) && self.pending.is_some(),
            secrets,
        };
        match (self.standing, word) {
            // There is no key that could be meant.
            (State::NotEnrolled | State::Enrolling | State::Revoked, _) => {
                to(self.standing, Secrets::Keep)
            }
            (_, KeyWord::Works) => to(State::Enrolled, Secrets::Keep),
            (_, KeyWord::Revoked) => to(State::Revoked, Secrets::Destroy),
            // The key may have been replaced by the pending operation, whose answer tells.
            (State::Enrolled, KeyWord::Rejected) if self.pending == Some(Operation::Roll) => {
                to(State::Enrolled, Secrets::Keep)
            }
            (State::Enrolled | State::Rejected, KeyWord::Rejected) => {
                to(State::Rejected, Secrets::Keep)
            }
            (State::AnswerLost, KeyWord::Rejected) => to(State::AnswerLost, Secrets::Keep),
        }
    }
}

impl State {
    /// The state's name in `--json` and in the vault.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotEnrolled => "not-enrolled",
            Self::Enrolling => "enrolling",
            Self::Enrolled => "enrolled",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
            Self::AnswerLost => "answer-lost",
        }
    }
}

impl Operation {
    /// The operation's name in `--json` and in the vault.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initialize => "initialize",
            Self::Update => "update",
            Self::Roll => "roll",
            Self::Revoke => "revoke",
        }
    }

    /// The same for people.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Initialize => "the enrolment",
            Self::Update => "the report of what this device is",
            Self::Roll => "the replacement of the key",
            Self::Revoke => "the revocation",
        }
    }

    /// Whether the answer holds a key that is given out only once.
    pub(super) fn gives_key(self) -> bool {
        matches!(self, Self::Initialize | Self::Roll)
    }

    /// What failed when the operation did, as the beginning of a sentence.
    pub(super) fn failure(self) -> &'static str {
        match self {
            Self::Initialize => "this device could not be enrolled",
            Self::Update => "what this device is could not be reported",
            Self::Roll => "this device's key could not be replaced",
            Self::Revoke => "this device could not be revoked",
        }
    }
}

#[cfg(test)]
mod tests;
