//! What people get wrong as they copy or type a token.

use super::usual_token::LENGTH;
use crate::secret::Secret;

/// A difference from the tokens that servers hand out, which is most often a slip. Other servers may have
/// tokens of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenSlip {
    /// One character less or more.
    #[error("the token has {0} characters, where servers hand out {LENGTH}")]
    Length(usize),
    /// As under caps lock.
    #[error("the token is in capitals, where servers hand out small letters")]
    Capitals,
}

impl TokenSlip {
    /// The one in a token, if there is any.
    pub fn of(token: &Secret) -> Option<Self> {
        Self::in_word(token.expose())
    }

    pub(super) fn in_word(word: &str) -> Option<Self> {
        let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
        let (has_capital, has_small) = (has(u8::is_ascii_uppercase), has(u8::is_ascii_lowercase));
        let is_word = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_word || !has(u8::is_ascii_digit) || has_capital == has_small {
            return None;
        }
        match word.len() {
            LENGTH => has_capital.then_some(Self::Capitals),
            length if length.abs_diff(LENGTH) == 1 => Some(Self::Length(length)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_lacks_a_character_or_is_in_capitals_is_one_with_a_slip() {
        for (word, expected) in [
            ("kpp4jn8g2ynzonp", Some(TokenSlip::Length(15))),
            ("kpp4jn8g2ynzonp6x", Some(TokenSlip::Length(17))),
            ("KPP4JN8G2YNZONP6", Some(TokenSlip::Capitals)),
            ("kpp4jn8g2ynzonp6", None),
            ("Kpp4jn8g2ynzonp6", None),
            ("multilingualism", None),
            ("202611281234567", None),
            ("my-own.token-15", None),
            ("t", None),
        ] {
            assert_eq!(TokenSlip::in_word(word), expected, "{word}");
        }
    }
}
