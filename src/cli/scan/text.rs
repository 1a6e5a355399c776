//! Bytes of a keyboard or scanner as text.

use zeroize::Zeroizing;

/// As UTF-8; where they are none, as the characters of a console of 8 bits, which is how some systems set theirs
/// up: ISO 8859-15, with the euro sign in the place of ISO 8859-1's currency sign.
pub(super) fn text_of(bytes: &[u8]) -> Zeroizing<String> {
    // So that it never grows, which would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(3 * bytes.len()));
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().copied().map(character));
    }
    text
}

/// How many bytes the last character has.
pub(super) fn last_character(bytes: &[u8]) -> usize {
    let lengths = 1..=bytes.len().min(4);
    let of_utf_8 = lengths.rev().find(|length| {
        let tail = bytes.get(bytes.len() - length..).unwrap_or_default();
        str::from_utf8(tail).is_ok_and(|text| text.chars().count() == 1)
    });
    of_utf_8.unwrap_or(bytes.len().min(1))
}

fn character(byte: u8) -> char {
    match byte {
        0xa4 => '€',
        byte => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf_8_are_those_of_a_console_of_8_bits() {
        assert_eq!(*text_of("{ö¤€".as_bytes()), "{ö¤€");
        assert_eq!(*text_of(b"\xd6\xe4\xdf:\xa4\xb0"), "Öäß:€°");
        assert_eq!(*text_of(b"https\xd6--tickets"), "httpsÖ--tickets");
    }

    #[test]
    fn the_last_character_is_taken_back_whole_and_alone() {
        assert_eq!(last_character(b""), 0);
        assert_eq!(last_character(b"ab"), 1);
        assert_eq!(last_character("a€".as_bytes()), 3);
        assert_eq!(last_character(b"a\xa7"), 1);
        assert_eq!(last_character(b"a\xd6"), 1);
    }
}
