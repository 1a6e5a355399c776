//! The one place where a text becomes an enrolment, whichever way it came in.

use zeroize::Zeroizing;

use super::apart::Apart;
use super::keyboard::{Change, Layout, Mapping, Undone};
use super::{Enrolment, ParseError, around, codes, pasted, payload};

/// Longest text that is looked at, in bytes. A QR code holds less than 3 KiB; typed under another
/// keyboard layout that may double, and again if the trigger is pulled twice.
pub const TEXT_LIMIT: usize = 16 * 1024;

/// An enrolment and how it was read.
pub struct Reading {
    enrolment: Enrolment,
    mapping: Option<Undone>,
    is_put_together: bool,
    others: Vec<Enrolment>,
}

impl Reading {
    /// Reads a QR code's payload or a setup link, as it is or as scanners, keyboards and programs change
    /// it.
    ///
    /// As it is goes first: what hand scanners add and what text was pasted from make no difference. Only
    /// if nothing results, it is looked at as typed through keyboard layouts that differ, or under caps
    /// lock; see [`Reading::mapping`]. `system` is the layout that this system is set to, if that is known.
    pub fn of(text: &str, system: Option<Layout>) -> Result<Self, ParseError> {
        if text.len() > TEXT_LIMIT {
            return Err(ParseError::TooLong);
        }
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let is_seen = !text.contains(pasted::is_invisible);
        if let Some(enrolment) = is_seen.then(|| exact(text)).flatten() {
            return Ok(enrolment.into());
        }
        // NUL is between the characters where a scanner sends two bytes for each.
        let typed = Zeroizing::new(pasted::without_escapes(text).replace('\0', ""));
        if is_seen && let Ok(enrolment) = codes::read(&typed) {
            return Ok(enrolment.into());
        }
        let text = pasted::cleaned(&typed);
        let refusal = match codes::read(&text) {
            Ok(enrolment) => return Ok(enrolment.into()),
            Err(error) => error,
        };
        // Written for something else to read, which did not.
        let inner = serde_json::from_str(&text).ok().map(Zeroizing::new);
        let written = [inner, pasted::unquoted(&text), pasted::unescaped(&text)];
        if let Some(enrolment) = written
            .iter()
            .flatten()
            .find_map(|text| codes::read(text).ok())
        {
            return Ok(enrolment.into());
        }
        if let Some(change) = Change::find(&text) {
            return mapped(&text, system, &change);
        }
        match Apart::find(&text).enrolment() {
            Some(enrolment) if refusal.is_no_code() => Ok(Self {
                is_put_together: true,
                ..Self::from(enrolment?)
            }),
            _ => Err(refusal),
        }
    }

    /// The enrolment.
    pub fn enrolment(&self) -> &Enrolment {
        &self.enrolment
    }

    /// The enrolment, if the rest does not matter.
    pub fn into_enrolment(self) -> Enrolment {
        self.enrolment
    }

    /// What was undone to read it, which a person has to be told before the token is sent. `None` if the
    /// text was read as it is.
    pub fn mapping(&self) -> Option<&Undone> {
        self.mapping.as_ref()
    }

    /// Whether it was no code, but an address and a token that stood in the text each for itself. That they
    /// belong together is a guess, which a person has to agree to before the token is sent.
    pub fn is_put_together(&self) -> bool {
        self.is_put_together
    }

    /// Enrolments at the same server with other tokens, which the text is too where it can't be told
    /// what the token's characters were. The server knows one of them; an unknown token uses nothing up.
    pub fn others(&self) -> &[Enrolment] {
        &self.others
    }
}

/// Read as it is.
impl From<Enrolment> for Reading {
    fn from(enrolment: Enrolment) -> Self {
        Self {
            enrolment,
            mapping: None,
            is_put_together: false,
            others: Vec::new(),
        }
    }
}

/// The payload or link and nothing else.
fn exact(text: &str) -> Option<Enrolment> {
    if text.starts_with('{') {
        return payload::of_json(text).ok();
    }
    let is_alone = !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\');
    let is_whole = is_alone && !text.ends_with(around::is_of_sentence);
    is_whole.then(|| payload::of_link(text).ok()).flatten()
}

fn mapped(text: &str, system: Option<Layout>, change: &Change) -> Result<Reading, ParseError> {
    let mut first: Option<Reading> = None;
    let mut servers: Vec<String> = Vec::new();
    let mut candidates: Vec<Mapping> = Vec::new();
    let mut mappings = Mapping::all(system);
    mappings.retain(|mapping| change.is_by(mapping));
    for mapping in mappings {
        let Ok(enrolment) = codes::read(&mapping.undone(text)) else {
            continue;
        };
        candidates.push(mapping);
        let server = enrolment.url().to_string();
        if !servers.contains(&server) {
            servers.push(server);
        }
        match &mut first {
            None => first = Some(Reading::from(enrolment)),
            Some(first) => {
                let known = |known: &Enrolment| known.is(&enrolment);
                if !known(&first.enrolment) && !first.others.iter().any(known) {
                    first.others.push(enrolment);
                }
            }
        }
    }
    match first {
        Some(_) if servers.len() > 1 => Err(ParseError::DifferentServers(servers)),
        Some(reading) => Ok(Reading {
            mapping: Some(Undone::of(candidates, system)),
            ..reading
        }),
        None if change.is_of_case => Err(ParseError::CapsLock),
        None => Err(ParseError::KeyboardLayout),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_refused() {
        let error = Reading::of(&"x".repeat(TEXT_LIMIT + 1), None)
            .err()
            .unwrap();
        assert!(matches!(error, ParseError::TooLong));
    }
}
