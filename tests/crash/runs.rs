//! What happens to a device in a run: every step of every operation in turn, or anything at random.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;

use crate::common::faulty_way::{Fault, first_line};
use crate::common::impostor;
use crate::device::{Ground, Life, Wish};
use crate::process::{Kill, Outcome};
use crate::tally::Tally;

/// Something that is done to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Initialize,
    /// Enrols a device anew that is enrolled.
    Replace,
    /// The same, and the device that was enrolled is revoked.
    ReplaceAndRevoke,
    Adopt,
    Update,
    Roll,
    Revoke,
    /// The organizer ends the device's access, and it learns of that.
    RevokedByOrganizer,
    /// Enrols a device anew whose vault can't be used any more.
    SetAside,
    Info,
    /// The first call of a device that was adopted with its RSA key.
    KeepKeySets,
    Request,
    /// A roll and an update by two processes at once.
    RollAndUpdate,
    /// Rolls by two processes at once, which must not roll past each other.
    TwoRolls,
}

/// What happens on the way while an operation is killed at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    Healthy,
    /// The first answer is lost.
    AnswerLost,
    /// All answers are lost, so that the operation stays pending.
    AllLost,
    /// All answers were lost before, and it is the command that finishes the operation which is killed.
    Finishing,
}

/// An operation that is killed at each of its steps in turn.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    operation: Operation,
    weather: Weather,
}

/// One run; its text is what replays it.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    Systematic(Chain, usize),
    Random(u64),
}

const OPERATIONS: [(Operation, &str); 10] = [
    (Operation::Initialize, "initialize"),
    (Operation::Replace, "replace"),
    (Operation::ReplaceAndRevoke, "replace-and-revoke"),
    (Operation::Adopt, "adopt"),
    (Operation::KeepKeySets, "keep-key-sets"),
    (Operation::Update, "update"),
    (Operation::Roll, "roll"),
    (Operation::Revoke, "revoke"),
    (Operation::RevokedByOrganizer, "revoked-by-organizer"),
    (Operation::SetAside, "set-aside"),
];

const WEATHERS: [(Weather, &str); 4] = [
    (Weather::Healthy, "healthy"),
    (Weather::AnswerLost, "answer-lost"),
    (Weather::AllLost, "all-lost"),
    (Weather::Finishing, "finishing"),
];

/// Every operation in all weathers.
pub fn chains() -> Vec<Chain> {
    let all = OPERATIONS.iter().flat_map(|&(operation, _)| {
        WEATHERS
            .iter()
            .map(move |&(weather, _)| Chain { operation, weather })
    });
    all.filter(|chain| chain.operation.is_journaled() || chain.weather != Weather::Finishing)
        .collect()
}

impl Run {
    /// Lets a device live; whether it was killed.
    pub fn live(&self, ground: &Ground, story: &Mutex<Vec<String>>, tally: &Tally) -> bool {
        let life = Life::new(ground, story, tally);
        let was_killed = match *self {
            Self::Systematic(chain, step) => chain.live(&life, step),
            Self::Random(seed) => live_at_random(&life, seed),
        };
        life.heal();
        was_killed
    }
}

impl Chain {
    fn live(self, life: &Life<'_>, step: usize) -> bool {
        let Self { operation, weather } = self;
        operation.prepare(life);
        let path = operation.path();
        let kill = Kill::AtStep(step);
        match weather {
            Weather::Healthy => {}
            Weather::AnswerLost => life.ground.way.once(path, Fault::LoseAnswer),
            Weather::AllLost | Weather::Finishing => {
                life.timeout.set(1);
                life.ground.way.follow(move |request| lost(request, path));
            }
        }
        if weather == Weather::Finishing {
            let outcome = operation.perform(life, Kill::Never);
            // A revocation that was lost does not undo the replacement.
            let is_told = match operation {
                Operation::ReplaceAndRevoke => outcome.ended.code == 0,
                _ => matches!(outcome.ended.code, 7 | 8),
            };
            assert!(is_told, "the answers were lost");
            life.ground.way.heal();
            let state = life.status()["state"].clone();
            let finish = if state == "enrolling" { "init" } else { "info" };
            return life.run(&[finish], kill).was_killed;
        }
        let outcome = operation.perform(life, kill);
        if !outcome.was_killed && weather != Weather::AllLost {
            assert_eq!(
                outcome.ended.code,
                operation.good_end(),
                "nothing stood in its way"
            );
        }
        outcome.was_killed
    }
}

fn lost(request: &str, path: &str) -> Fault {
    match first_line(request).contains(path) {
        true => Fault::LoseAnswer,
        false => Fault::Pass,
    }
}

impl Operation {
    fn is_journaled(self) -> bool {
        matches!(
            self,
            Self::Initialize
                | Self::Replace
                | Self::ReplaceAndRevoke
                | Self::Update
                | Self::Roll
                | Self::Revoke
        )
    }

    /// What its request has in its first line.
    fn path(self) -> &'static str {
        match self {
            Self::Initialize | Self::Replace | Self::SetAside => "/device/initialize",
            Self::Update => "/device/update",
            Self::Roll | Self::RollAndUpdate | Self::TwoRolls => "/device/roll",
            Self::Revoke | Self::ReplaceAndRevoke => "/device/revoke",
            Self::Adopt
            | Self::RevokedByOrganizer
            | Self::Info
            | Self::KeepKeySets
            | Self::Request => "/device/info",
        }
    }

    fn good_end(self) -> i32 {
        match self {
            Self::RevokedByOrganizer => 16,
            _ => 0,
        }
    }

    /// Makes a device that it can be done to, with nothing in its way.
    fn prepare(self, life: &Life<'_>) {
        life.create();
        match self {
            Self::Initialize => {}
            Self::Adopt | Self::KeepKeySets => {
                life.enrol_elsewhere();
                life.wish_for(Wish::Adopted);
                if self == Self::KeepKeySets {
                    life.become_as_wished(Kill::Never).ended.succeeds();
                }
            }
            _ => {
                life.become_as_wished(Kill::Never).ended.succeeds();
            }
        }
    }

    fn perform(self, life: &Life<'_>, kill: Kill) -> Outcome {
        let outcome = match self {
            Self::Initialize | Self::Adopt => life.become_as_wished(kill),
            Self::Replace => {
                life.create();
                life.wish_for(Wish::Enrolled(&["--replace"]));
                life.become_as_wished(kill)
            }
            Self::ReplaceAndRevoke => {
                let old = life.status()["unique_serial"].as_str().unwrap().to_owned();
                life.create();
                life.wish_for(Wish::Enrolled(&["--replace", "--revoke-old"]));
                *life.to_leave.borrow_mut() = Some(old);
                life.become_as_wished(kill)
            }
            Self::SetAside => {
                life.damage_vault();
                life.create();
                life.wish_for(Wish::SET_ASIDE);
                life.become_as_wished(kill)
            }
            Self::Update => {
                let model = life.another_model();
                life.run(&["update", "--hardware-model", &model], kill)
            }
            Self::Roll => life.run(&["roll"], kill),
            Self::Revoke => {
                life.ask_to_end();
                life.run(&["revoke", "--yes"], kill)
            }
            Self::RevokedByOrganizer => {
                life.revoke_at_server();
                life.run(&["info"], kill)
            }
            Self::Info | Self::KeepKeySets => life.run(&["info"], kill),
            Self::Request => life.run(&["request", "GET", "/api/v1/device/info"], kill),
            Self::RollAndUpdate => {
                let model = life.another_model();
                life.run_both(&["roll"], kill, &["update", "--hardware-model", &model])
            }
            Self::TwoRolls => life.run_both(&["roll"], kill, &["roll"]),
        };
        if outcome.ended.code == 0 {
            life.was_done(match self {
                Self::ReplaceAndRevoke => Self::Replace.path(),
                _ => self.path(),
            });
        }
        outcome
    }
}

/// Several operations one after the other, while the way does what it likes.
fn live_at_random(life: &Life<'_>, seed: u64) -> bool {
    let mut random = Rng::with_seed(seed);
    match random.u8(..100) {
        0..20 => Operation::Adopt.prepare(life),
        _ => life.create(),
    }
    life.ground.way.follow(chaos(random.fork()));
    let mut was_killed = false;
    for _ in 0..random.usize(3..=6) {
        life.timeout.set(random.u64(2..=4));
        let kill = match random.u8(..100) {
            0..35 => Kill::Never,
            35..70 => Kill::AtStep(random.usize(1..=25)),
            _ => Kill::After(Duration::from_millis(random.u64(..80))),
        };
        let outcome = match life.status()["state"].as_str().unwrap() {
            "enrolled" => pick(&mut random).perform(life, kill),
            "revoked" if random.bool() => break,
            "revoked" => {
                life.create();
                life.wish_for(Wish::Enrolled(&[]));
                life.become_as_wished(kill)
            }
            _ => life.become_as_wished(kill),
        };
        life.is_fair(&outcome);
        was_killed |= outcome.was_killed;
    }
    was_killed
}

fn pick(random: &mut Rng) -> Operation {
    match random.u8(..100) {
        0..28 => Operation::Roll,
        28..46 => Operation::Update,
        46..53 => Operation::RollAndUpdate,
        53..60 => Operation::TwoRolls,
        60..70 => Operation::Info,
        70..78 => Operation::Request,
        78..83 => Operation::Replace,
        83..88 => Operation::ReplaceAndRevoke,
        88..96 => Operation::Revoke,
        _ => Operation::RevokedByOrganizer,
    }
}

/// About every second request goes wrong, some ways of it lasting.
fn chaos(mut random: Rng) -> impl FnMut(&str) -> Fault + Send + 'static {
    let mut lasting = (Fault::Pass, 0);
    move |_| {
        if lasting.1 > 0 {
            lasting.1 -= 1;
            return lasting.0.clone();
        }
        let milliseconds = |random: &mut Rng, most| Duration::from_millis(random.u64(1..=most));
        match random.u8(..100) {
            0..50 => Fault::Pass,
            50..56 => Fault::LoseRequest,
            56..64 => Fault::LoseAnswer,
            64..69 => Fault::CutAnswer,
            69..74 => Fault::Repeat,
            74..78 => Fault::Delay(milliseconds(&mut random, 150)),
            78..82 => Fault::DelayAnswer(milliseconds(&mut random, 150)),
            82 => Fault::Silence,
            83..86 => Fault::KillServer,
            86..89 => Fault::KillServerAfter,
            89..92 => Fault::KillServerMeanwhile(milliseconds(&mut random, 10)),
            _ => {
                lasting = (impostor(&mut random), random.u8(..4));
                lasting.0.clone()
            }
        }
    }
}

fn impostor(random: &mut Rng) -> Fault {
    let later = [None, Some(0), Some(1)];
    match random.u8(..9) {
        0 => impostor::portal(),
        1 => impostor::json_portal(),
        2 => impostor::redirect("http://127.0.0.1:9/"),
        3 => impostor::proxy_refusal(),
        4 => impostor::not_now(429, later[random.usize(..3)]),
        5 | 6 => impostor::not_now(409, later[random.usize(..3)]),
        _ => impostor::away(random.u16(502..=504)),
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Systematic(Chain { operation, weather }, step) => {
                let operation = OPERATIONS.iter().find(|(known, _)| known == operation);
                let weather = WEATHERS.iter().find(|(known, _)| known == weather);
                write!(f, "{}:{}:{step}", operation.unwrap().1, weather.unwrap().1)
            }
            Self::Random(seed) => write!(f, "random:{seed}"),
        }
    }
}

impl FromStr for Run {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(':').collect();
        let number = |text: &str| text.parse().map_err(|_| format!("{text} is no number"));
        match parts[..] {
            ["random", seed] => Ok(Self::Random(number(seed)?)),
            [operation, weather, step] => {
                let operation = OPERATIONS.iter().find(|(_, name)| *name == operation);
                let weather = WEATHERS.iter().find(|(_, name)| *name == weather);
                let (&(operation, _), &(weather, _)) = operation
                    .zip(weather)
                    .ok_or("no such operation or weather")?;
                let step = usize::try_from(number(step)?).map_err(|error| error.to_string())?;
                Ok(Self::Systematic(Chain { operation, weather }, step))
            }
            _ => Err("neither OPERATION:WEATHER:STEP nor random:SEED".to_owned()),
        }
    }
}
