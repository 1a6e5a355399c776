//! Names of many devices from one pattern, as `Lane {:02}`.

use std::str::FromStr;

/// A name in which a number takes the place of `{}`, or of `{:02}`, which fills it up with zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamePattern {
    before: String,
    /// Digits at least, and what follows; `None` where no number is asked for.
    number: Option<(usize, String)>,
}

/// Why a text is no pattern.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    /// Something else between braces.
    #[error("write the number's place as {{}}, or as {{:02}} for two digits")]
    Place,
    /// More than one number.
    #[error("the number has more than one place")]
    Twice,
}

/// Most digits that a number is filled up to.
const DIGITS: usize = 9;

impl NamePattern {
    pub(crate) fn has_number(&self) -> bool {
        self.number.is_some()
    }

    /// The name of the device with this number.
    pub(crate) fn name(&self, number: u64) -> String {
        match &self.number {
            Some((digits, after)) => format!("{}{number:0digits$}{after}", self.before),
            None => self.before.clone(),
        }
    }
}

impl FromStr for NamePattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let Some((before, rest)) = text.split_once('{') else {
            return Ok(Self {
                before: text.to_owned(),
                number: None,
            });
        };
        let (place, after) = rest.split_once('}').ok_or(PatternError::Place)?;
        if after.contains(['{', '}']) {
            return Err(PatternError::Twice);
        }
        let digits = match place {
            "" => 1,
            place => {
                let digits = place.strip_prefix(":0").ok_or(PatternError::Place)?;
                let digits = digits.parse().map_err(|_| PatternError::Place)?;
                if !(1..=DIGITS).contains(&digits) {
                    return Err(PatternError::Place);
                }
                digits
            }
        };
        Ok(Self {
            before: before.to_owned(),
            number: Some((digits, after.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_takes_its_place() {
        for (pattern, name) in [
            ("Lane {:02}", "Lane 07"),
            ("Lane {}", "Lane 7"),
            ("{:03} north", "007 north"),
            ("Lane", "Lane"),
        ] {
            assert_eq!(pattern.parse::<NamePattern>().unwrap().name(7), name);
        }
        let pattern: NamePattern = "Lane {:02}".parse().unwrap();
        assert_eq!(pattern.name(100), "Lane 100");
    }

    #[test]
    fn what_is_no_place_for_a_number_is_refused() {
        for pattern in [
            "Lane {",
            "Lane {x}",
            "Lane {:2}",
            "Lane {:0}",
            "Lane {:099}",
        ] {
            assert_eq!(pattern.parse::<NamePattern>(), Err(PatternError::Place));
        }
        assert_eq!("{} {}".parse::<NamePattern>(), Err(PatternError::Twice));
    }
}
