//! Why a text can't be an initialization token.

/// Longest token in characters: the API takes no longer text.
pub(super) const TOKEN_LIMIT: usize = crate::wire::TEXT_LIMIT;

/// Why a text can't be an initialization token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing but blanks.
    #[error("the token is empty")]
    Empty,
    /// More than 190 characters.
    #[error("the token is longer than {TOKEN_LIMIT} characters")]
    TooLong,
    /// A blank, a control character, one beyond ASCII, or one that codes and addresses are made of.
    #[error("the token has blanks or special characters, as whole codes and addresses have")]
    Characters,
}

impl TokenError {
    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Empty => "copy it as the server shows it for the device",
            Self::TooLong => "copy it as the server shows it",
            Self::Characters => "copy the token alone as the server shows it",
        }
    }
}
