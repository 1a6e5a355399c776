//! The tokens that servers hand out.

/// Their length, of a-z0-9.
pub(super) const LENGTH: usize = 16;

/// Whether a text looks as the tokens do that servers hand out. A number alone is rather a ticket's.
pub(super) fn is_usual_token(text: &str) -> bool {
    let is_of_it = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.len() == LENGTH && text.bytes().all(is_of_it) && !is_number
}
