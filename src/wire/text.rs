//! Text within the wire's limits.

use serde::{Deserialize, Serialize};

/// Longest text of any field, in characters; longer ones are refused with 400.
pub const TEXT_LIMIT: usize = 190;

/// Text that every server accepts in a reported field: trimmed, not blank, without NUL, at most
/// [`TEXT_LIMIT`] characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(String);

impl Text {
    /// Makes `text` fit: control characters become blanks, blanks at the ends go, and what is too
    /// long is cut on a character boundary. `None` if nothing is left.
    pub fn fit(text: &str) -> Option<Self> {
        let printable: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let cut: String = printable.trim().chars().take(TEXT_LIMIT).collect();
        let cut = cut.trim_end();
        (!cut.is_empty()).then(|| Self(cut.to_owned()))
    }

    /// A text of the program itself.
    #[allow(clippy::expect_used, reason = "our own words are never blank")]
    pub(crate) fn own(words: &str) -> Self {
        Self::fit(words).expect("words of our own")
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match Self::fit(&text) {
            Some(fit) if fit.0 == text => Ok(fit),
            _ => Err("text that is blank, untrimmed, too long or has control characters"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_on_a_character_boundary() {
        let fit = Text::fit(&"ü".repeat(500)).unwrap();
        assert_eq!(fit.as_str(), "ü".repeat(TEXT_LIMIT));
    }

    #[test]
    fn blanks_and_control_characters_never_reach_the_wire() {
        assert_eq!(Text::fit(" Zebra\0 \n").unwrap().as_str(), "Zebra");
        assert_eq!(Text::fit("a\tb").unwrap().as_str(), "a b");
        assert!(Text::fit("\0 \n").is_none());
    }

    #[test]
    fn a_cut_that_ends_in_a_blank_is_trimmed_again() {
        let text = format!("{} b", "a".repeat(TEXT_LIMIT - 1));
        assert_eq!(
            Text::fit(&text).unwrap().as_str(),
            "a".repeat(TEXT_LIMIT - 1)
        );
    }
}
