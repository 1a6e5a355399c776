//! The line a person types in, and what of it may be seen.

use std::io::Write;

use zeroize::Zeroizing;

use super::pace::Run;
use super::text::text_of;
use crate::cli::error::CliError;

/// What is asked for, and so what of it may be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Wanted {
    /// A code, or an address, which is shown.
    CodeOrAddress,
    /// A token, of which nothing is shown but its length.
    Token,
    /// Yes or no, which is shown.
    Answer,
}

/// The line a person types in, on standard error: standard output is for `--json`.
pub(super) struct Line {
    pub(super) wanted: Wanted,
    pub(super) is_asked: bool,
    pub(super) shown: usize,
    /// Something came too fast to be typed, so it may be a code.
    pub(super) is_hidden: bool,
}

impl Line {
    pub(super) fn ask(&self, question: &str) -> Result<(), CliError> {
        self.write(&format!("{question}\n> "))
    }

    pub(super) fn end(&self) -> Result<(), CliError> {
        self.write("\n")
    }

    fn write(&self, text: &str) -> Result<(), CliError> {
        if self.is_asked {
            let mut terminal = anstream::stderr().lock();
            terminal.write_all(text.as_bytes())?;
            terminal.flush()?;
        }
        Ok(())
    }

    /// Shows what was typed since, over what is there.
    pub(super) fn show(&mut self, typed: &[u8], run: &mut Run) -> Result<(), CliError> {
        const TYPED_AT_ONCE: u32 = 3;
        if run.unseen == 0 {
            return Ok(());
        }
        self.is_hidden |= run.unseen > TYPED_AT_ONCE;
        run.unseen = 0;
        let typed = text_of(typed);
        let is_seen = !self.is_hidden
            && match self.wanted {
                Wanted::CodeOrAddress => is_of_an_address(&typed),
                Wanted::Token => false,
                Wanted::Answer => is_of_an_answer(&typed),
            };
        let mut text = Zeroizing::new(String::with_capacity(typed.len()));
        let seen = typed.chars().filter(|c| !c.is_control());
        match self.is_hidden {
            true => {}
            false => text.extend(seen.map(|c| if is_seen { c } else { '*' })),
        }
        let width = self.shown;
        self.shown = text.chars().count();
        self.write(&format!("\r> {:width$}\r> {}", *text, *text))
    }
}

/// Whether a text is on its way to be yes or no, and so nothing of a code.
fn is_of_an_answer(text: &str) -> bool {
    let text = text.trim_end().to_ascii_lowercase();
    ["yes", "no"].iter().any(|answer| answer.starts_with(&text))
}

/// Whether a text is on its way to be a server's address, and so is no token and no code.
fn is_of_an_address(text: &str) -> bool {
    let has_begun = ["https://", "http://"]
        .iter()
        .any(|scheme| scheme.starts_with(text));
    (has_begun || text.contains(['.', ':', '/'])) && !text.contains(['{', '"', '?', '=', '%'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_of_a_token_or_code_is_not_shown() {
        for (text, is_shown) in [
            ("h", true),
            ("https", true),
            ("https://pretix.eu", true),
            ("pretix.eu", true),
            ("kpp4jn8g2ynzonp6", false),
            ("hkpp4", false),
            ("https://pretix.eu?token=", false),
            ("{\"url\": \"https://", false),
        ] {
            assert_eq!(is_of_an_address(text), is_shown, "{text}");
        }
        for (text, is_shown) in [("", true), ("Ye", true), ("no\r", true), ("nobody", false)] {
            assert_eq!(is_of_an_answer(text), is_shown, "{text}");
        }
    }
}
