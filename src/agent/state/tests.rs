use super::*;

const STANDINGS: [State; 5] = [
    State::NotEnrolled,
    State::Enrolled,
    State::Rejected,
    State::Revoked,
    State::AnswerLost,
];
const OPERATIONS: [Operation; 4] = [
    Operation::Initialize,
    Operation::Update,
    Operation::Roll,
    Operation::Revoke,
];
const WORDS: [Word; 10] = [
    Word::NotSent,
    Word::Nothing,
    Word::Done,
    Word::Unwanted,
    Word::Refused,
    Word::NotDone,
    Word::TokenRefused,
    Word::TokenUsed,
    Word::KeyRejected,
    Word::Revoked,
];
const KEY_WORDS: [KeyWord; 3] = [KeyWord::Works, KeyWord::Rejected, KeyWord::Revoked];

/// Every situation that a vault can be in.
fn situations() -> Vec<Situation> {
    let mut all = Vec::new();
    for standing in STANDINGS {
        for enrolling in [false, true] {
            let on_identity = [Operation::Update, Operation::Roll, Operation::Revoke];
            let pending = on_identity.map(Some).into_iter().chain([None]);
            for pending in pending {
                let has_key = matches!(standing, State::Enrolled | State::Rejected);
                if pending.is_none() || has_key {
                    all.push(Situation {
                        standing,
                        enrolling,
                        pending,
                    });
                }
            }
        }
    }
    all
}

/// Every answer to every operation that can be under way in every situation.
fn answers() -> impl Iterator<Item = (Situation, Operation, Word, bool, Step)> {
    situations().into_iter().flat_map(|situation| {
        let enrolment = situation.enrolling.then_some(Operation::Initialize);
        let begun: Vec<Operation> = enrolment.into_iter().chain(situation.pending).collect();
        begun.into_iter().flat_map(move |operation| {
            WORDS.into_iter().flat_map(move |word| {
                [false, true].map(|sent_before| {
                    let step = situation.answered(operation, word, sent_before);
                    (situation, operation, word, sent_before, step)
                })
            })
        })
    })
}

#[test]
fn what_tells_nothing_changes_nothing() {
    for (situation, operation, word, sent_before, step) in answers() {
        let tells_nothing = word == Word::Nothing || word == Word::NotSent && sent_before;
        if tells_nothing {
            assert_eq!(
                step,
                Step {
                    standing: situation.standing,
                    ends: false,
                    secrets: Secrets::Keep
                },
                "{situation:?} {operation:?} {word:?}"
            );
        }
    }
}

#[test]
fn only_a_revocation_destroys_the_key_and_only_a_done_operation_replaces_it() {
    for (situation, operation, word, _, step) in answers() {
        let is_revocation = operation != Operation::Initialize
            && (word == Word::Revoked || (operation, word) == (Operation::Revoke, Word::Done));
        assert_eq!(
            step.secrets == Secrets::Destroy,
            is_revocation,
            "{situation:?} {operation:?} {word:?}"
        );
        let brings_a_key =
            word == Word::Done && matches!(operation, Operation::Initialize | Operation::Roll);
        assert_eq!(step.secrets == Secrets::Replace, brings_a_key);
        assert!(step.secrets == Secrets::Keep || step.ends);
        if step.standing == State::Revoked && situation.standing != State::Revoked {
            assert_eq!(step.secrets, Secrets::Destroy);
        }
    }
}

#[test]
fn a_key_that_may_have_been_given_out_is_never_forgotten_in_silence() {
    for (situation, operation, word, sent_before, step) in answers() {
        let gives_keys = matches!(operation, Operation::Initialize | Operation::Roll);
        if gives_keys && sent_before && step.ends && word != Word::Done {
            let is_told = step.standing == State::AnswerLost
                || step.standing == State::Revoked
                // It is sure that nothing was done.
                || word == Word::NotDone
                // It is kept, and used for its revocation only.
                || word == Word::Unwanted
                // The identity that is here is another one than the token's; the error tells it.
                || operation == Operation::Initialize && word == Word::TokenUsed;
            assert!(is_told, "{situation:?} {operation:?} {word:?} {step:?}");
        }
        if step.standing == State::AnswerLost && situation.standing != State::AnswerLost {
            assert!(gives_keys && sent_before, "{operation:?} {word:?}");
        }
    }
}

#[test]
fn an_enrolled_device_stays_so_unless_its_own_key_is_spoken_of() {
    for (situation, operation, word, _, step) in answers() {
        let was_enrolled = situation.standing == State::Enrolled;
        if was_enrolled && step.standing != State::Enrolled {
            let is_of_the_key = matches!(word, Word::KeyRejected | Word::Revoked)
                || (operation, word) == (Operation::Revoke, Word::Done);
            assert!(is_of_the_key && operation != Operation::Initialize);
        }
    }
}

#[test]
fn a_first_try_ends_with_any_word_of_the_server_that_tells_what_was_done() {
    for (_, operation, word, sent_before, step) in answers() {
        let leaves_open = operation == Operation::Roll
            && matches!(
                word,
                Word::Refused | Word::TokenRefused | Word::TokenUsed | Word::Unwanted
            );
        if !sent_before && word != Word::Nothing && !leaves_open {
            assert!(step.ends, "{operation:?} {word:?}");
        }
    }
}

#[test]
fn whatever_happens_the_next_situation_is_one_that_is_known() {
    let known = situations();
    for (situation, operation, _, _, step) in answers() {
        let mut next = Situation {
            standing: step.standing,
            ..situation
        };
        match operation {
            Operation::Initialize if step.ends => {
                next.enrolling = false;
                if step.secrets == Secrets::Replace {
                    next.pending = None; // of the identity that was replaced
                }
            }
            _ if step.ends => next.pending = None,
            _ => {}
        }
        assert!(
            known.contains(&next),
            "{situation:?} {operation:?} {next:?}"
        );
    }
    for situation in known.clone() {
        for word in KEY_WORDS {
            let step = situation.heard(word);
            let pending = situation.pending.filter(|_| !step.ends);
            let next = Situation {
                standing: step.standing,
                pending,
                ..situation
            };
            assert!(known.contains(&next), "{situation:?} {word:?} {next:?}");
        }
    }
}

#[test]
fn a_rejected_key_is_kept_and_recovers_and_a_rolled_one_is_not_believed_dead() {
    for situation in situations() {
        let has_key = matches!(
            situation.standing,
            State::Enrolled | State::Rejected | State::AnswerLost
        );
        for word in KEY_WORDS {
            let step = situation.heard(word);
            let expected = match (has_key, word) {
                (false, _) => situation.standing,
                (true, KeyWord::Works) => State::Enrolled,
                (true, KeyWord::Revoked) => State::Revoked,
                (true, KeyWord::Rejected) => match situation.standing {
                    State::Enrolled if situation.pending == Some(Operation::Roll) => {
                        State::Enrolled
                    }
                    State::AnswerLost => State::AnswerLost,
                    _ => State::Rejected,
                },
            };
            assert_eq!(step.standing, expected, "{situation:?} {word:?}");
            let is_destroyed = has_key && word == KeyWord::Revoked;
            assert_eq!(step.secrets == Secrets::Destroy, is_destroyed);
        }
    }
}

#[test]
fn what_may_begin_depends_on_what_is_there() {
    for situation in situations() {
        for operation in OPERATIONS {
            for replace in [false, true] {
                let begin = situation.begin(operation, replace);
                let expected = match operation {
                    Operation::Initialize if replace => Ok(()),
                    Operation::Initialize if situation.enrolling => {
                        Err(Hindrance::Unfinished(Operation::Initialize))
                    }
                    Operation::Initialize => match situation.standing {
                        State::Enrolled | State::Rejected => Err(Hindrance::AlreadyEnrolled),
                        _ => Ok(()),
                    },
                    _ => match (situation.standing, situation.pending) {
                        (State::Revoked, _) => Err(Hindrance::Revoked),
                        (State::AnswerLost, _) => Err(Hindrance::AnswerLost),
                        (State::Enrolled | State::Rejected, None | Some(Operation::Update)) => {
                            Ok(())
                        }
                        (State::Enrolled | State::Rejected, Some(pending)) => {
                            Err(Hindrance::Unfinished(pending))
                        }
                        _ => Err(Hindrance::NotEnrolled),
                    },
                };
                assert_eq!(begin, expected, "{situation:?} {operation:?} {replace}");
            }
        }
    }
}

#[test]
fn the_names_are_those_that_are_stored_and_printed() {
    for state in STANDINGS.into_iter().chain([State::Enrolling]) {
        assert_eq!(serde_json::to_value(state).unwrap(), state.name());
    }
    for operation in OPERATIONS {
        assert_eq!(serde_json::to_value(operation).unwrap(), operation.name());
    }
}

/// What `docs/ARCHITECTURE.md` shows, for a device that has no identity yet (`initialize`) or is
/// enrolled (all others).
fn table() -> String {
    let mut table = String::from(
        "| operation | the server's word | at the first try | when it may have been done before |\n| --- | --- | --- | --- |\n",
    );
    for operation in OPERATIONS {
        for word in WORDS {
            let is_of_tokens =
                matches!(word, Word::TokenRefused | Word::TokenUsed | Word::Unwanted);
            let is_of_keys = matches!(word, Word::KeyRejected | Word::Revoked);
            let enrols = operation == Operation::Initialize;
            if enrols && is_of_keys || !enrols && is_of_tokens {
                continue;
            }
            let situation = Situation {
                standing: if enrols {
                    State::NotEnrolled
                } else {
                    State::Enrolled
                },
                enrolling: enrols,
                pending: (!enrols).then_some(operation),
            };
            let [first, later] = [false, true]
                .map(|sent| describe(situation, situation.answered(operation, word, sent)));
            let said = match word {
                Word::NotSent => "surely not sent",
                Word::Nothing => "none, or no answer of the API",
                Word::Done => "done",
                Word::Unwanted => "done, for an organizer that is not allowed",
                Word::Refused => "refused",
                Word::NotDone if enrols => "the report is refused",
                Word::NotDone => "refused, and the old key works",
                Word::TokenRefused => "the token is unknown or revoked",
                Word::TokenUsed => "the token was used before",
                Word::KeyRejected => "401, confirmed",
                Word::Revoked => "revoked, confirmed",
            };
            table.push_str(&format!(
                "| {} | {said} | {first} | {later} |\n",
                operation.name()
            ));
        }
    }
    table
}

fn describe(before: Situation, step: Step) -> String {
    let secrets = match step.secrets {
        Secrets::Keep => "",
        Secrets::Replace => ", new key",
        Secrets::Destroy => ", key destroyed",
    };
    match (step.ends, step.standing == before.standing, secrets) {
        (false, ..) => "stays begun".to_owned(),
        (true, true, "") => "over".to_owned(),
        (true, _, secrets) => format!("**{}**{secrets}", step.standing.name()),
    }
}

#[test]
fn the_drawn_table_is_the_one_that_is_computed() {
    let drawn = include_str!("../../../docs/ARCHITECTURE.md");
    let table = table();
    assert!(
        drawn.contains(&table),
        "docs/ARCHITECTURE.md lacks this table:\n{table}"
    );
}
