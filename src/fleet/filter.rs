//! Which of an organizer's devices are meant.

use std::collections::HashSet;
use std::str::FromStr;

use jiff::Timestamp;
use url::form_urlencoded;

use super::device::FleetDevice;
use super::offered::Offer;

/// What devices have in common. A server that knows these parameters sends no others; whatever it sends is looked
/// at here again, since others know none of them and send all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// The beginning of its name or serial, whatever the case of its ASCII letters.
    pub(crate) search: Option<String>,
    pub(crate) revoked: Option<bool>,
    pub(crate) initialized: Option<bool>,
    /// A gate's identifier; `Some(None)` for those at no gate.
    pub(crate) gate: Option<Option<String>>,
    pub(crate) software_brand: Option<String>,
    pub(crate) software_version: Option<String>,
    /// Those that were never seen are not among them.
    pub(crate) last_seen_before: Option<Timestamp>,
}

/// Why a text is no filter.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterError {
    /// A part without an equals sign.
    #[error("{0:?} is not NAME=VALUE")]
    NoPair(String),
    /// Nothing that devices are told apart by.
    #[error("{0:?} is none of {NAMES}")]
    Unknown(String),
    /// Said twice, of which one would be passed over.
    #[error("it says {0} twice")]
    Twice(String),
    /// Neither yes nor no.
    #[error("{0} is yes or no")]
    NoTruth(&'static str),
    /// No time.
    #[error("last_seen_before is a time, as 2027-05-08T16:00:00Z")]
    NoTime,
    /// Nothing at all, which would mean every device.
    #[error("it says nothing, which would be every device")]
    Empty,
}

const NAMES: &str =
    "search, revoked, initialized, gate, software_brand, software_version, last_seen_before";

impl Filter {
    /// What a server is asked, as a query.
    pub(super) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let truth = |is: bool| if is { "true" } else { "false" };
        let texts = [
            ("search", self.search.as_deref()),
            ("revoked", self.revoked.map(truth)),
            ("initialized", self.initialized.map(truth)),
            (
                "gate",
                self.gate
                    .as_ref()
                    .map(|gate| gate.as_deref().unwrap_or_default()),
            ),
            ("software_brand", self.software_brand.as_deref()),
            ("software_version", self.software_version.as_deref()),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                query.append_pair(name, text);
            }
        }
        if let Some(time) = self.last_seen_before {
            query.append_pair("last_seen_before", &time.to_string());
        }
        query.finish()
    }

    /// Whether it is one of these, or what the server would have to tell for that.
    pub(crate) fn takes(&self, device: &FleetDevice) -> Result<bool, Offer> {
        let plain = &device.device;
        let is = |wanted: &Option<String>, has: &Option<String>| {
            wanted.is_none() || wanted.as_deref() == has.as_deref()
        };
        let mut takes = self.revoked.is_none_or(|revoked| revoked == plain.revoked)
            && (self.initialized).is_none_or(|is| is == plain.initialized.is_some())
            && is(&self.software_brand, &plain.software_brand)
            && is(&self.software_version, &plain.software_version);
        if let Some(search) = &self.search {
            let search = search.to_ascii_lowercase();
            let begins = |text: &str| text.to_ascii_lowercase().starts_with(&search);
            takes &= begins(&plain.name) || begins(&plain.unique_serial);
        }
        if let Some(wanted) = &self.gate {
            let gate = device.more.gate.as_ref().ok_or(Offer::Gates)?;
            takes &= gate.as_ref().map(|gate| &gate.identifier) == wanted.as_ref();
        }
        if let Some(time) = self.last_seen_before {
            let seen = device.more.last_seen.ok_or(Offer::LastSeen)?;
            takes &= seen.is_some_and(|seen| seen < time);
        }
        Ok(takes)
    }
}

/// As `gate=north,initialized=no`.
impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        let mut seen = HashSet::new();
        for part in text.split(',') {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| FilterError::NoPair(part.to_owned()))?;
            if !seen.insert(name.trim()) {
                return Err(FilterError::Twice(name.trim().to_owned()));
            }
            let told = || Some(value.trim().to_owned()).filter(|value| !value.is_empty());
            // As of a variable that is not set: it would mean all of them.
            if told().is_none() && name.trim() != "gate" {
                return Err(FilterError::Empty);
            }
            match name.trim() {
                "search" => filter.search = told(),
                "revoked" => filter.revoked = Some(truth("revoked", value)?),
                "initialized" => filter.initialized = Some(truth("initialized", value)?),
                "gate" => filter.gate = Some(told()),
                "software_brand" => filter.software_brand = told(),
                "software_version" => filter.software_version = told(),
                "last_seen_before" => {
                    let time = value.trim().parse().map_err(|_| FilterError::NoTime)?;
                    filter.last_seen_before = Some(time);
                }
                other => return Err(FilterError::Unknown(other.to_owned())),
            }
        }
        match filter == Self::default() {
            true => Err(FilterError::Empty),
            false => Ok(filter),
        }
    }
}

fn truth(name: &'static str, value: &str) -> Result<bool, FilterError> {
    match value.trim() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(FilterError::NoTruth(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_as_it_is_written() {
        let filter: Filter = "gate=north,initialized=no,search=lane 1".parse().unwrap();
        let expected = Filter {
            search: Some("lane 1".to_owned()),
            initialized: Some(false),
            gate: Some(Some("north".to_owned())),
            ..Filter::default()
        };
        assert_eq!(filter, expected);
        assert_eq!(filter.query(), "search=lane+1&initialized=false&gate=north");
        let nowhere: Filter = "gate=".parse().unwrap();
        assert_eq!(nowhere.gate, Some(None));
    }

    #[test]
    fn what_would_mean_other_devices_than_are_meant_is_refused() {
        let refused = |text: &str| text.parse::<Filter>().unwrap_err();
        assert_eq!(refused(""), FilterError::NoPair(String::new()));
        assert_eq!(refused("gates=n"), FilterError::Unknown("gates".to_owned()));
        assert_eq!(refused("revoked=1"), FilterError::NoTruth("revoked"));
        assert_eq!(refused("last_seen_before=today"), FilterError::NoTime);
        assert_eq!(refused("search="), FilterError::Empty);
        assert_eq!(
            refused("gate=a, gate=b"),
            FilterError::Twice("gate".to_owned())
        );
    }
}
