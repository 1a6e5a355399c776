//! What may be shown of a text that comes from elsewhere, on a screen, in a table or in a log.
//!
//! A server, a file or a person may put any character into a name. Such texts are kept as they are,
//! and cleaned here where they meet a reader: nothing may steer a terminal, begin a line of its own,
//! turn the direction of what stands around it, or make two texts differ that look alike.

/// What takes the place of a character that is not shown.
const INSTEAD: char = '\u{fffd}';

/// The text on one line, without what would do more than be read.
pub fn line(text: &str) -> String {
    text.chars().map(harmless).collect()
}

/// The character itself, or what is shown in its place.
pub fn harmless(c: char) -> char {
    match does_more_than_be_read(c) {
        true => INSTEAD,
        false => c,
    }
}

/// Control characters, line and paragraph separators, what turns the direction of writing, and what
/// takes no room. Joiners stay: names in some languages are spelt with them.
pub fn does_more_than_be_read(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_replaced_and_what_is_written_stays() {
        for c in "\0\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{61c}\u{200f}\u{2028}\u{202e}\u{2067}\u{206a}"
            .chars()
        {
            assert_eq!(line(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
        }
        for c in "\u{ad}\u{180e}\u{200b}\u{2060}\u{feff}\u{3164}\u{e0041}".chars() {
            assert_eq!(line(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
        }
        for text in [
            "Lane 1",
            "Größe \"M\" <b>",
            "入口 👩‍🚀",
            "می\u{200c}خواهم",
            "بوابة",
            "e\u{301}",
            "❤\u{fe0f}",
        ] {
            assert_eq!(line(text), text);
        }
    }
}
