//! What hand scanners, sentences, terminals and programs put around what is meant.

use zeroize::Zeroizing;

use super::pasted;

/// The text without what a hand scanner adds: characters that steer, blanks, a suffix that was
/// configured as `\n` but is typed as that, and the AIM identifier of the symbology, as `]Q1`.
pub(super) fn unframed(text: &str) -> &str {
    let is_around = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
    let mut text = text.trim_matches(is_around);
    while let Some(rest) = [r"\n", r"\r", r"\t"]
        .iter()
        .find_map(|suffix| text.strip_suffix(suffix))
    {
        text = rest.trim_end_matches(is_around);
    }
    match text.as_bytes() {
        [b']', symbology, modifier, ..]
            if symbology.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() =>
        {
            text.get(3..)
                .unwrap_or_default()
                .trim_start_matches(is_around)
        }
        _ => text,
    }
}

/// Whether a link that ends with it goes on without it.
pub(super) fn is_of_sentence(c: char) -> bool {
    matches!(
        c,
        '.' | ','
            | ';'
            | ':'
            | '!'
            | '?'
            | ')'
            | ']'
            | '}'
            | '\''
            | '`'
            | '*'
            | '~'
            | '…'
            | '。'
            | '，'
            | '”'
            | '»'
    )
}

/// A text as a person means it: without what terminals, scanners and programs for text add, and without
/// quotes or brackets around all of it.
pub fn plain(text: &str) -> Zeroizing<String> {
    let text = pasted::cleaned(&pasted::without_escapes(text));
    let mut inner = unframed(&text);
    while let Some(text) = unwrapped(inner) {
        inner = unframed(text);
    }
    Zeroizing::new(inner.to_owned())
}

fn unwrapped(text: &str) -> Option<&str> {
    const PAIRS: [(char, char); 4] = [('"', '"'), ('\'', '\''), ('<', '>'), ('(', ')')];
    PAIRS
        .iter()
        .find_map(|(begin, end)| text.strip_prefix(*begin)?.strip_suffix(*end))
}
