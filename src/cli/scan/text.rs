//! Bytes of a keyboard or scanner as text.

use zeroize::Zeroizing;

/// As UTF-8; if they are none, as the characters of a console of 8 bits, which is how some systems set theirs up
/// (ISO 8859-15). A keyboard sends one of the two, so that all of it is read in one way.
pub(super) fn text_of(bytes: &[u8]) -> Zeroizing<String> {
    if let Ok(text) = str::from_utf8(bytes) {
        return Zeroizing::new(text.to_owned());
    }
    // So that it never grows, which would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(3 * bytes.len()));
    text.extend(bytes.iter().copied().map(character));
    text
}

/// How many bytes the last character has.
pub(super) fn last_character(bytes: &[u8]) -> usize {
    let last = str::from_utf8(bytes).map(|text| text.chars().next_back().map(char::len_utf8));
    last.unwrap_or(Some(1)).unwrap_or(0)
}

/// Where it differs from ISO 8859-1, which has the code points of Unicode.
fn character(byte: u8) -> char {
    match byte {
        0xa4 => '€',
        0xa6 => 'Š',
        0xa8 => 'š',
        0xb4 => 'Ž',
        0xb8 => 'ž',
        0xbc => 'Œ',
        0xbd => 'œ',
        0xbe => 'Ÿ',
        byte => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf_8_are_those_of_a_console_of_8_bits() {
        assert_eq!(*text_of("{ö¤€".as_bytes()), "{ö¤€");
        assert_eq!(*text_of(b"\xd6\xe4\xdf\xa4\xb0"), "Öäß€°");
        assert_eq!(*text_of(b"\xd6\xa7: \xb8\xe4"), "Ö§: žä");
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
