//! To which hardware a vault is bound, so that a copied disk is noticed.
//!
//! A copy goes where some of what told the hardware is not: against accident, as of a card that was cloned for the next
//! kiosk. Who steals a disk can leave all of this out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use base16ct::lower::encode_string;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::warning::Warning;
use crate::facts::{HardwareId, HardwareSource};

/// What is done where a vault was copied to other hardware.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CopiedCard {
    /// Nothing; it is not looked at.
    Off,
    /// It is told.
    #[default]
    Warn,
    /// It is told, and the key is not used.
    Refuse,
}

/// The hardware that this program runs on.
#[derive(Clone, Debug, Default)]
pub struct OwnHardware {
    /// What tells it from other; nothing if it can't be told.
    pub ids: Vec<HardwareId>,
    /// What is done where the vault is bound to other.
    pub copied_card: CopiedCard,
}

/// Whether the vault is bound to this hardware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kinship {
    /// It is not looked at.
    Unasked,
    /// It is bound to none yet.
    Unbound,
    /// Nothing is known of both.
    Unknown,
    /// It is this one.
    Same,
    /// Some of it is another, as after a repair: these, in words.
    Repaired(Vec<&'static str>),
    /// All of it is another: these, in words.
    Copied(Vec<&'static str>),
}

impl Kinship {
    /// What somebody should see to, if anything is.
    fn in_words(&self) -> Option<String> {
        match self {
            Self::Repaired(differs) => Some(format!(
                "this machine has another {} than the hardware that the vault is bound to, as after a repair",
                differs.join(" and another ")
            )),
            Self::Copied(differs) => Some(format!(
                "this vault was copied from another machine: its device was enrolled on hardware with another {}",
                differs.join(" and another ")
            )),
            Self::Unasked | Self::Unbound | Self::Unknown | Self::Same => None,
        }
    }
}

const AFTER_COPY: &str = "give this machine a device of its own: create one on the server, and run gatehand init with its code and --replace; if the other machine is gone, or this one was repaired, run gatehand vault adopt-hardware";
const AFTER_REPAIR: &str =
    "gatehand vault adopt-hardware binds the vault to this machine as it is now";

/// The kind of a warning that a copy would not be noticed here.
const COPY_UNSEEN: &str = "copy-not-noticed";

static TOLD: AtomicBool = AtomicBool::new(false);

/// What a vault is bound to: a salted hash of each id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bound {
    salt: String,
    sources: BTreeMap<String, String>,
}

impl Bound {
    /// To these.
    pub(super) fn to(ids: &[HardwareId]) -> Result<Self, getrandom::Error> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt)?;
        let bound = Self {
            salt: encode_string(&salt),
            sources: BTreeMap::new(),
        };
        Ok(bound.and(ids))
    }

    /// To these besides.
    pub(super) fn and(mut self, ids: &[HardwareId]) -> Self {
        for id in ids {
            let hash = self.hash(id);
            self.sources
                .entry(id.source.name().to_owned())
                .or_insert(hash);
        }
        self
    }

    fn hash(&self, id: &HardwareId) -> String {
        let mut hash = Sha256::new();
        for part in [&self.salt, id.source.name(), &id.hash] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        encode_string(&hash.finalize())
    }

    fn lacks(&self, ids: &[HardwareId]) -> bool {
        ids.iter()
            .any(|id| !self.sources.contains_key(id.source.name()))
    }

    fn kinship(&self, ids: &[HardwareId]) -> Kinship {
        let (mut same, mut differs) = (0, Vec::new());
        for id in ids {
            match self.sources.get(id.source.name()) {
                Some(known) if *known == self.hash(id) => same += 1,
                Some(_) => differs.push(HardwareSource::in_words(id.source)),
                None => {}
            }
        }
        match (same, differs.is_empty()) {
            (0, true) => Kinship::Unknown,
            (_, true) => Kinship::Same,
            (0, false) => Kinship::Copied(differs),
            (_, false) => Kinship::Repaired(differs),
        }
    }
}

impl OwnHardware {
    /// How a vault that is bound so stands to it.
    pub(super) fn kinship(&self, bound: Option<&Bound>) -> Kinship {
        match (self.copied_card, bound) {
            (CopiedCard::Off, _) => Kinship::Unasked,
            (_, None) => Kinship::Unbound,
            (_, Some(bound)) => bound.kinship(&self.ids),
        }
    }

    /// What somebody should see to who has a vault that stands so to it. Who has copies refused is told where none would
    /// be noticed.
    pub fn to_tell(&self, kinship: &Kinship) -> Option<Warning> {
        let is_refused = self.copied_card == CopiedCard::Refuse;
        let (kind, words, advice) = match kinship {
            Kinship::Copied(_) => {
                let then = match is_refused {
                    true => "no call is made with its key (copied_card = refuse)",
                    false => "whichever of the copies replaces the key first is the device",
                };
                let words = format!("{}; {then}", kinship.in_words()?);
                ("copied-card", words, AFTER_COPY)
            }
            Kinship::Repaired(_) => ("other-hardware-part", kinship.in_words()?, AFTER_REPAIR),
            Kinship::Unbound if is_refused && self.ids.is_empty() => (
                COPY_UNSEEN,
                "nothing here tells this machine from another: a copied card is not noticed".to_owned(),
                "set hardware_id",
            ),
            Kinship::Unknown if is_refused => (
                COPY_UNSEEN,
                "this machine's ids and the vault's have none in common: a copied card is not noticed".to_owned(),
                "was hardware_id set before? Set it as it was, or run gatehand vault adopt-hardware",
            ),
            Kinship::Unasked | Kinship::Unbound | Kinship::Unknown | Kinship::Same => return None,
        };
        Some(Warning {
            kind,
            words,
            advice,
        })
    }

    /// Tells in the log what somebody should see to, once a process.
    pub(super) fn tell_once(&self, kinship: &Kinship) {
        if let Some(warning) = self.to_tell(kinship)
            && !TOLD.swap(true, Ordering::Relaxed)
        {
            tracing::warn!("{}", warning.in_words());
        }
    }

    /// It is told elsewhere, so that the log needs not.
    pub fn is_told(&self) {
        TOLD.store(true, Ordering::Relaxed);
    }

    /// What a vault is bound to that is bound to all of it.
    pub(super) fn bound(&self) -> Result<Bound, getrandom::Error> {
        Bound::to(&self.ids)
    }

    /// What the vault is to be bound to, if that is more than it is, and nothing speaks against it.
    pub(super) fn to_bind(&self, bound: Option<&Bound>) -> Result<Option<Bound>, getrandom::Error> {
        if self.ids.is_empty() {
            return Ok(None);
        }
        match (self.kinship(bound), bound) {
            (Kinship::Unbound, _) => Bound::to(&self.ids).map(Some),
            (Kinship::Same, Some(bound)) if bound.lacks(&self.ids) => {
                Ok(Some(bound.clone().and(&self.ids)))
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(source: HardwareSource, hash: &str) -> HardwareId {
        let hash = hash.to_owned();
        HardwareId { source, hash }
    }

    fn own(ids: &[HardwareId]) -> OwnHardware {
        OwnHardware {
            ids: ids.to_vec(),
            copied_card: CopiedCard::Warn,
        }
    }

    #[test]
    fn who_has_copies_refused_is_told_where_none_would_be_noticed() {
        use HardwareSource::{Board, Given};
        let bound = Bound::to(&[id(Given, "g")]).unwrap();
        let told = |ids: &[HardwareId], copied_card, bound| {
            let own = OwnHardware {
                copied_card,
                ..own(ids)
            };
            let warning = own.to_tell(&own.kinship(bound));
            warning.map(|warning| warning.in_words())
        };
        for (ids, bound, words) in [
            (
                &[][..],
                None,
                "nothing here tells this machine from another",
            ),
            (&[], Some(&bound), "none in common"),
            (&[id(Board, "b")], Some(&bound), "none in common"),
        ] {
            let refused = told(ids, CopiedCard::Refuse, bound).unwrap();
            assert!(refused.contains(words), "{refused}");
            assert_eq!(told(ids, CopiedCard::Warn, bound), None);
        }
        let is_bound_next = told(&[id(Board, "b")], CopiedCard::Refuse, None);
        assert_eq!(is_bound_next, None);
    }

    #[test]
    fn a_copy_is_told_from_a_repair() {
        use HardwareSource::{Board, Card, Given, Machine};
        let [board, card] = [id(Board, "a"), id(Card, "b")];
        let bound = Bound::to(&[board.clone(), card.clone()]).unwrap();
        let kinship = |ids: &[HardwareId]| own(ids).kinship(Some(&bound));
        let [other_board, other_card] = [id(Board, "x"), id(Card, "y")];
        let [of_board, of_card] = [Board.in_words(), Card.in_words()];
        for (ids, expected) in [
            (&[board.clone(), card.clone()][..], Kinship::Same),
            (std::slice::from_ref(&card), Kinship::Same),
            (
                &[board.clone(), card.clone(), id(Machine, "m")],
                Kinship::Same,
            ),
            (
                &[other_board.clone(), card.clone()],
                Kinship::Repaired(vec![of_board]),
            ),
            (
                &[board.clone(), other_card.clone()],
                Kinship::Repaired(vec![of_card]),
            ),
            (
                &[other_board, other_card.clone()],
                Kinship::Copied(vec![of_board, of_card]),
            ),
            (&[other_card], Kinship::Copied(vec![of_card])),
            (&[id(Machine, "m")], Kinship::Unknown),
            (&[id(Given, "g")], Kinship::Unknown),
            (&[], Kinship::Unknown),
        ] {
            assert_eq!(kinship(ids), expected, "{ids:?}");
        }
        assert_eq!(
            own(std::slice::from_ref(&board)).kinship(None),
            Kinship::Unbound
        );
        let off = OwnHardware {
            copied_card: CopiedCard::Off,
            ..own(&[id(Card, "y")])
        };
        assert_eq!(off.kinship(Some(&bound)), Kinship::Unasked);
    }

    #[test]
    fn what_is_new_of_the_same_hardware_is_bound_too_and_nothing_of_other() {
        use HardwareSource::{Board, Card, Machine};
        let [board, machine] = [id(Board, "a"), id(Machine, "m")];
        let bound = Bound::to(std::slice::from_ref(&board)).unwrap();
        let both = own(&[board.clone(), machine.clone()]);
        let more = both.to_bind(Some(&bound)).unwrap().unwrap();
        assert_eq!(both.to_bind(Some(&more)).unwrap(), None);
        assert_eq!(
            own(std::slice::from_ref(&machine)).kinship(Some(&more)),
            Kinship::Same
        );
        let first = own(std::slice::from_ref(&machine)).to_bind(None).unwrap();
        assert!(first.is_some());
        for other in [
            vec![id(Board, "x"), machine.clone()],
            vec![machine],
            vec![id(Card, "y")],
            vec![],
        ] {
            assert_eq!(
                own(&other).to_bind(Some(&bound)).unwrap(),
                None,
                "{other:?}"
            );
        }
        assert_eq!(own(&[]).to_bind(None).unwrap(), None);
    }

    #[test]
    fn two_vaults_of_one_machine_do_not_show_that_they_are() {
        let ids = [id(HardwareSource::Board, "a")];
        let [one, other] = [Bound::to(&ids).unwrap(), Bound::to(&ids).unwrap()];
        assert_ne!(one.sources, other.sources);
    }
}
