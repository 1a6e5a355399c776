//! A token that a person gives for itself.

use super::Reading;
use super::apart::labelled_token;
use super::around::plain;
use crate::secret::Secret;

/// A token as it was typed, scanned or pasted: without what a terminal or scanner put around it, and
/// without a label. A whole code is not taken apart, and so is no token: its own may be for another server.
pub fn token_alone(text: &str) -> Secret {
    let text = plain(text);
    let labelled = match Reading::of(&text, None) {
        Err(error) if error.is_no_code() => labelled_token(&text),
        _ => None,
    };
    labelled.unwrap_or_else(|| Secret::new((*text).clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "r0m771huuvfcbqrd";

    #[test]
    fn a_token_is_taken_without_its_label_and_the_marks_of_pasting() {
        for (text, expected) in [
            (format!("{TOKEN}\r"), TOKEN),
            (format!("\u{1b}[200~{TOKEN}\u{1b}[201~\r"), TOKEN),
            (format!("Initialization token: {TOKEN}\n"), TOKEN),
            ("my-own.token\t".to_owned(), "my-own.token"),
            (format!("\u{201c}{TOKEN}\u{201d}\n"), TOKEN),
            (format!(" <'{TOKEN}' >"), TOKEN),
            ("'".to_owned(), "'"),
        ] {
            assert_eq!(token_alone(&text).expose(), expected, "{text:?}");
        }
    }
}
