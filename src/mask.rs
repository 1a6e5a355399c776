//! Keeps a secret out of what others see of a text, also in the forms in which a server may repeat it.
//!
//! These are the secret itself, in capitals too, its hexadecimal digits, and its base64, alone or amid
//! other data; in each of them any characters may be percent-encoded or escaped as in JSON.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::{memchr, memmem};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// How an escape of JSON for a character of ASCII begins.
const JSON_ESCAPE: &[u8] = b"\\u00";
/// What takes the place of a character that is escaped as in JSON: it may stand where an asterisk alone
/// would leave half an escape.
const ESCAPED_MASK: &[u8] = b"\\u002a";
/// Longest escape, in bytes.
const ESCAPE_LENGTH: usize = ESCAPED_MASK.len();

/// Shortest secret that is looked for in other forms than its own, in bytes: those of a shorter one are
/// in many texts.
const RECOGNIZABLE: usize = 8;

/// Overwrites each place where a text has the secret. What is put there is as long.
///
/// It takes longer to make than to use: keep it as long as the secret.
pub(crate) struct Mask {
    forms: Vec<Form>,
    starts: Starts,
    parts: Parts,
}

/// Overwrites each place where a text has the secret, also across the pieces that it comes in.
pub(crate) struct Masking {
    mask: Arc<Mask>,
    /// What may be the beginning of a form.
    held_back: Vec<u8>,
}

/// What a secret may look like.
struct Form {
    text: Zeroizing<Vec<u8>>,
}

/// What stands at a place of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// A form that ends before this place.
    Whole(usize),
    /// What may become one when the text goes on.
    Beginning,
    Nothing,
}

/// A character that is written by its number.
#[derive(Clone, Copy)]
enum Escape {
    Char { char: u8, length: usize },
    Beginning,
    None,
}

impl Mask {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self::of(secret.expose())
    }

    pub(crate) fn of(secret: &str) -> Self {
        let forms = forms(secret.as_bytes());
        Self {
            starts: Starts::of(&forms),
            parts: Parts::of(&forms),
            forms,
        }
    }

    /// A text as a whole.
    pub(crate) fn hide(&self, text: &str) -> String {
        if !self.may_be_in(text.as_bytes()) {
            return text.to_owned();
        }
        let mut bytes = text.as_bytes().to_vec();
        self.cover(&mut bytes, 0);
        // What is covered begins and ends with ASCII.
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The same of any bytes.
    pub(crate) fn hide_in(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        if self.may_be_in(&bytes) {
            self.cover(&mut bytes, 0);
        }
        bytes
    }

    /// Whether a form may be in a text as a whole. Most texts have none and no escapes, which is found
    /// much faster than a form is.
    fn may_be_in(&self, text: &[u8]) -> bool {
        memchr(b'%', text).is_some()
            || memchr(b'\\', text).is_some() && memmem::find(text, JSON_ESCAPE).is_some()
            || self.parts.may_be_in(text)
    }

    /// Covers every form from `at` on, and returns where one may begin that is not there as a whole yet.
    fn cover(&self, text: &mut [u8], mut at: usize) -> usize {
        while let Some((start, forms)) = self.starts.next(text, at) {
            match self.find(forms, text, start) {
                Found::Whole(end) => {
                    if let Some(place) = text.get_mut(start..end) {
                        cover(place);
                    }
                    at = end;
                }
                Found::Beginning => return start,
                Found::Nothing => at = start + 1,
            }
        }
        text.len()
    }

    /// How much of a form may stand at the end of a text that has no escapes as a whole.
    fn longest_beginning(&self) -> usize {
        let longest = self.forms.iter().map(|form| form.text.len()).max();
        longest.unwrap_or(0) + ESCAPE_LENGTH
    }

    fn find(&self, forms: u16, text: &[u8], start: usize) -> Found {
        let mut best = Found::Nothing;
        let possible = self.forms.iter().enumerate();
        for (_, form) in possible.filter(|(number, _)| forms >> number & 1 == 1) {
            match form.find(0, text, start) {
                whole @ Found::Whole(_) => return whole,
                Found::Beginning => best = Found::Beginning,
                Found::Nothing => {}
            }
        }
        best
    }
}

impl Masking {
    pub(crate) fn new(mask: Arc<Mask>) -> Self {
        Self {
            mask,
            held_back: Vec::new(),
        }
    }

    /// Takes a piece and returns what can be shown by now.
    pub(crate) fn next(&mut self, piece: Vec<u8>) -> Vec<u8> {
        let mut shown = match self.held_back.is_empty() {
            true => piece,
            false => [std::mem::take(&mut self.held_back), piece].concat(),
        };
        let from = match self.mask.may_be_in(&shown) {
            true => 0,
            false => shown.len().saturating_sub(self.mask.longest_beginning()),
        };
        let end = self.mask.cover(&mut shown, from);
        self.held_back = shown.split_off(end);
        shown
    }

    /// What was held back at the end.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held_back)
    }
}

impl Form {
    /// Whether the form, of which `known` bytes were found before, goes on at `at`.
    fn find(&self, known: usize, text: &[u8], mut at: usize) -> Found {
        let mut otherwise = Found::Nothing;
        for (number, expected) in self.text.iter().enumerate().skip(known) {
            let Some((first, rest)) = text.get(at..).and_then(<[u8]>::split_first) else {
                return Found::Beginning;
            };
            let escape = escape(*first, rest);
            match escape {
                Escape::None if first == expected => {
                    at += 1;
                    continue;
                }
                // The secret may itself hold what looks like an escape.
                _ if first == expected => match self.find(number + 1, text, at + 1) {
                    whole @ Found::Whole(_) => return whole,
                    Found::Beginning => otherwise = Found::Beginning,
                    Found::Nothing => {}
                },
                _ => {}
            }
            match escape {
                Escape::Char { char, length } if char == *expected => at += length,
                Escape::Beginning => return Found::Beginning,
                _ => return otherwise,
            }
        }
        Found::Whole(at)
    }
}

/// At most ten.
fn forms(secret: &[u8]) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut add = |text: &[u8]| {
        if !text.is_empty() && forms.iter().all(|form| *form.text != text) {
            let text = Zeroizing::new(text.to_vec());
            forms.push(Form { text });
        }
    };
    add(secret);
    if secret.len() < RECOGNIZABLE {
        return forms;
    }
    add(&Zeroizing::new(secret.to_ascii_uppercase()));
    let digits = secret.iter().map(|byte| format!("{byte:02x}"));
    let digits = Zeroizing::new(digits.collect::<String>());
    add(digits.as_bytes());
    add(Zeroizing::new(digits.to_ascii_uppercase()).as_bytes());
    for before in [&[][..], &[0], &[0, 0]] {
        let data = Zeroizing::new([before, secret].concat());
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let encoded = Zeroizing::new(engine.encode(&*data));
            // The characters that hold nothing but the secret.
            let inner = (before.len() * 8).div_ceil(6)..data.len() * 8 / 6;
            add(encoded.as_bytes().get(inner).unwrap_or_default());
        }
    }
    forms
}

/// `%6b` or `\u006b`.
fn escape(first: u8, rest: &[u8]) -> Escape {
    let prefix = match first {
        b'%' => &[],
        b'\\' => JSON_ESCAPE.get(1..).unwrap_or_default(),
        _ => return Escape::None,
    };
    let mut char = 0;
    for number in 0..prefix.len() + 2 {
        let Some(found) = rest.get(number) else {
            return Escape::Beginning;
        };
        match (prefix.get(number), char::from(*found).to_digit(16)) {
            (Some(expected), _) if expected == found => {}
            (None, Some(digit)) => char = char << 4 | digit,
            _ => return Escape::None,
        }
    }
    u8::try_from(char).map_or(Escape::None, |char| Escape::Char {
        char,
        length: 1 + prefix.len() + 2,
    })
}

fn cover(place: &mut [u8]) {
    let mut at = 0;
    while let Some(rest) = place.get_mut(at..).filter(|rest| !rest.is_empty()) {
        let mask = match rest.starts_with(JSON_ESCAPE) {
            true => ESCAPED_MASK,
            false => b"*",
        };
        rest.iter_mut().zip(mask).for_each(|(to, from)| *to = *from);
        at += mask.len();
    }
}

/// The short parts of all forms, so that a text without escapes is looked at only here and there: wherever a form
/// stands in it, one of these stands at a place that is looked at.
struct Parts {
    /// A bit for each part, by a number made of it.
    seen: Zeroizing<Vec<u64>>,
    /// From one place that is looked at to the next; nothing if there are forms shorter than a part.
    stride: usize,
}

/// In bytes.
const PART: usize = 4;

impl Parts {
    /// Bits for parts. Of some hundred parts, few others have the number of one.
    const BITS: usize = 1 << 18;

    fn of(forms: &[Form]) -> Self {
        let mut seen = Zeroizing::new(vec![0; Self::BITS / 64]);
        for part in forms.iter().flat_map(|form| form.text.windows(PART)) {
            let (word, bit) = Self::place(part);
            if let Some(word) = seen.get_mut(word) {
                *word |= bit;
            }
        }
        let shortest = forms.iter().map(|form| form.text.len()).min();
        let stride = (shortest.unwrap_or(0) + 1).saturating_sub(PART);
        Self { seen, stride }
    }

    /// The word and the bit of a part.
    fn place(part: &[u8]) -> (usize, u64) {
        let number = part
            .iter()
            .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        // The high bits of a product with an odd number depend on all of its digits.
        let bit = number.wrapping_mul(0x9E37_79B1) >> (u32::BITS - Self::BITS.ilog2());
        (bit as usize / 64, 1 << (bit % 64))
    }

    fn may_be_in(&self, text: &[u8]) -> bool {
        if self.stride == 0 {
            return !text.is_empty();
        }
        let mut at = self.stride - 1;
        while let Some(part) = text.get(at..at + PART) {
            let (word, bit) = Self::place(part);
            if self.seen.get(word).is_some_and(|word| word & bit != 0) {
                return true;
            }
            at += self.stride;
        }
        false
    }
}

/// Which bytes forms begin with, so that a text with escapes is gone through once: a bit a form.
struct Starts {
    first: [u16; 256],
    second: [u16; 256],
}

impl Starts {
    fn of(forms: &[Form]) -> Self {
        let bits = |may: &dyn Fn(&Form, u8) -> bool| {
            let of_byte = |byte| {
                let bits = forms.iter().enumerate().filter(|(_, form)| may(form, byte));
                bits.fold(0, |bits, (number, _)| bits | 1 << number)
            };
            std::array::from_fn(|byte| u8::try_from(byte).map_or(0, of_byte))
        };
        let is_escape = |byte| matches!(byte, b'%' | b'\\');
        let first = |form: &Form, byte| is_escape(byte) || form.text.first() == Some(&byte);
        let second = |form: &Form, byte: u8| {
            let high_digit = |char: &u8| char::from_digit(u32::from(char >> 4), 16);
            is_escape(byte)
                || byte == b'u'
                || form.text.get(1).is_none_or(|char| *char == byte)
                || form.text.first().and_then(high_digit)
                    == Some(char::from(byte.to_ascii_lowercase()))
        };
        Self {
            first: bits(&first),
            second: bits(&second),
        }
    }

    /// The next place, from `at` on, where forms may begin, and which.
    fn next(&self, text: &[u8], at: usize) -> Option<(usize, u16)> {
        let of = |table: &[u16; 256], byte: u8| table.get(usize::from(byte)).copied().unwrap_or(0);
        let rest = text.get(at..)?;
        let both = |pair: &[u8]| match pair {
            [first, second] => of(&self.first, *first) & of(&self.second, *second),
            _ => 0,
        };
        let found = rest.windows(2).enumerate().find_map(|(number, pair)| {
            let forms = both(pair);
            (forms != 0).then_some((at + number, forms))
        });
        found.or_else(|| {
            let (last, before) = rest.split_last()?;
            let forms = of(&self.first, *last);
            (forms != 0).then_some((at + before.len(), forms))
        })
    }
}

/// As many letters and digits in a row as the shortest token has.
const TOKEN_LENGTH: usize = 16;

/// The path of a request with what may be a token or key covered, whichever: whoever sends one to a
/// wrong address must not find it in a log.
pub(crate) fn path(path: &str) -> String {
    // An escape may stand for any of the characters.
    let may_belong = |c: char| c.is_ascii_alphanumeric() || matches!(c, '%' | '\\');
    let mut shown = String::with_capacity(path.len());
    let mut rest = path;
    while !rest.is_empty() {
        let length = rest.find(|c| !may_belong(c)).unwrap_or(rest.len());
        let (row, after) = rest.split_at(length);
        match row.len() < TOKEN_LENGTH {
            true => shown.push_str(row),
            false => shown.extend(std::iter::repeat_n('*', row.len())),
        }
        let mut after = after.chars();
        shown.extend(after.next());
        rest = after.as_str();
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;

    fn masked(secret: &str, text: &[u8], sizes: &[usize]) -> Vec<u8> {
        let mut mask = Masking::new(Arc::new(Mask::of(secret)));
        let (mut rest, mut masked) = (text, Vec::new());
        for size in sizes.iter().cycle() {
            let (piece, more) = rest.split_at((*size).min(rest.len()));
            masked.extend(mask.next(piece.to_vec()));
            rest = more;
            if rest.is_empty() {
                break;
            }
        }
        masked.extend(mask.finish());
        masked
    }

    #[test]
    fn the_key_is_masked_wherever_it_stands() {
        for (body, expected) in [
            ("", ""),
            ("abab", "****"),
            ("xababx", "x****x"),
            ("ababab", "****ab"),
            ("aabba", "aabba"),
            ("ab%61bABAB", "******ABAB"),
            ("\\u0061bab", "\\u002a***"),
            ("%2561bab %61b%6", "%2561bab %61b%6"),
        ] {
            for size in [1, 2, 3, 100] {
                let masked = masked("abab", body.as_bytes(), &[size]);
                assert_eq!(masked, expected.as_bytes(), "{body} in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_path_is_shown_but_for_what_may_be_a_token() {
        for shown in [
            "/api/v1/organizers/bigevents/devices/12/",
            "/api/v1/device/event_selection",
            "/api/v1/organizers/summer-festival-2027/devices/",
            "/\u{e9}t\u{e9}",
            "",
        ] {
            assert_eq!(path(shown), shown);
        }
        for (before, token, after) in [
            ("/api/v1/device/initialize/", "gu9jxbc28mfrm3q5", ""),
            ("/api/v1/device/initialize/", "GU9JXBC28MFRM3Q5", "/"),
            ("/x=", "%67u9jxbc28mfrm3q5", "&y"),
            ("/", "Z3U5anhiYzI4bWZybTNxNQ", "=="),
            ("/", &"k".repeat(64), "/\u{e9}"),
        ] {
            let masked = format!("{before}{}{after}", "*".repeat(token.len()));
            assert_eq!(path(&format!("{before}{token}{after}")), masked);
        }
    }

    #[test]
    fn json_stays_json() {
        let key = "k3yk3yk3y";
        for json in [
            r#"{"a": "k3yk3yk3y", "b": "\u006b3yk3yk\u0033\u0079"}"#,
            r#"{"a": "\\u006b3yk3yk3y"}"#,
            r#"{"a": "\\\u006b3yk3yk3y\\"}"#,
        ] {
            let masked = Mask::of(key).hide(json);
            assert_eq!(masked.len(), json.len());
            let value: serde_json::Value = serde_json::from_str(&masked).unwrap();
            assert!(!value.to_string().contains("3yk3"), "{masked}");
        }
    }

    /// The text in a form, with what is to be found in no output.
    fn form(key: &str, number: usize, before: &str, after: &str, chosen: &[Index]) -> Vec<u8> {
        let escaped = |written: &dyn Fn(u8) -> String| {
            let mut parts: Vec<String> = key.bytes().map(|c| char::from(c).to_string()).collect();
            for index in chosen {
                let at = index.index(key.len());
                parts[at] = written(key.as_bytes()[at]);
            }
            parts.concat().into_bytes()
        };
        let data = format!("{before}{key}{after}");
        match number {
            0 => key.into(),
            1 => key.to_ascii_uppercase().into(),
            2 => escaped(&|c| format!("%{c:02x}")),
            3 => escaped(&|c| format!("%{c:02X}")),
            4 => escaped(&|c| format!("\\u{c:04x}")),
            5 => escaped(&|c| format!("\\u00{c:02X}")),
            6 => key
                .bytes()
                .map(|c| format!("{c:02x}"))
                .collect::<String>()
                .into(),
            7 => key
                .bytes()
                .map(|c| format!("{c:02X}"))
                .collect::<String>()
                .into(),
            8 => base64::prelude::BASE64_STANDARD.encode(data).into(),
            9 => base64::prelude::BASE64_URL_SAFE.encode(data).into(),
            10 => STANDARD_NO_PAD.encode(data).into(),
            _ => URL_SAFE_NO_PAD.encode(data).into(),
        }
    }

    /// What a form still tells of the key: read in every way, the longest part of it.
    fn is_in(key: &str, text: &[u8]) -> bool {
        let has = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|found| found == part);
        let lower = text.to_ascii_lowercase();
        let unescaped = unescape(&lower);
        let hex: String = key.bytes().map(|c| format!("{c:02x}")).collect();
        // Whatever stands before it, the middle of a base64 is one of three texts.
        let in_base64 = (0..3).any(|before| {
            let data = format!("{}{key}", "\0".repeat(before));
            [STANDARD_NO_PAD.encode(&data), URL_SAFE_NO_PAD.encode(&data)]
                .iter()
                .any(|encoded| has(text, &encoded.as_bytes()[4..encoded.len() - 2]))
        });
        let key = key.to_ascii_lowercase();
        has(&unescaped, key.as_bytes()) || has(&lower, hex.as_bytes()) || in_base64
    }

    fn unescape(text: &[u8]) -> Vec<u8> {
        let (mut at, mut plain) = (0, Vec::new());
        while at < text.len() {
            match escape(text[at], &text[at + 1..]) {
                Escape::Char { char, length } => {
                    plain.push(char);
                    at += length;
                }
                _ => {
                    plain.push(text[at]);
                    at += 1;
                }
            }
        }
        plain.to_ascii_lowercase()
    }

    #[test]
    fn a_text_is_looked_at_closely_where_a_form_is_and_hardly_ever_else() {
        let mask = Mask::of("g7d0k2m5q8s1v4x6z9b3f0h2j5l8n1p4r7t0w3y6a9c2e5i8");
        for before in 0..200 {
            for form in &mask.forms {
                let text = [&vec![b'-'; before], &**form.text, b"-"].concat();
                assert!(mask.may_be_in(&text), "after {before}");
            }
        }
        let text = format!("{{\"results\": [{}]}}", "\"museum\", ".repeat(500));
        assert!(!mask.may_be_in(text.as_bytes()));
    }

    proptest! {
        #[test]
        fn no_token_in_a_path_is_shown(
            token in "[a-z0-9]{16}|[a-z0-9]{64}",
            number in select(vec![0, 1, 2, 3, 6, 7, 8, 9, 10, 11]),
            chosen in vec(any::<Index>(), 0..64),
            (before, after) in ("(/[ -~]{0,20})?/", "(/[ -~]{0,20})?"),
        ) {
            let form = form(&token, number, "", "", &chosen);
            let sent = format!("{before}{}{after}", String::from_utf8_lossy(&form));
            prop_assert!(!is_in(&token, path(&sent).as_bytes()), "{sent}");
        }

        #[test]
        fn no_form_of_a_key_is_shown(
            key in "[a-z0-9]{16,64}",
            number in 0..12_usize,
            (before, after) in ("[ -~]{0,5}", "[ -~]{0,5}"),
            chosen in vec(any::<Index>(), 0..64),
            around in (".{0,40}", ".{0,40}"),
            sizes in vec(1..60_usize, 1..10),
        ) {
            let form = form(&key, number, &before, &after, &chosen);
            let text = [around.0.as_bytes(), b"\"", &form, b"\"", around.1.as_bytes()].concat();
            prop_assert!(is_in(&key, &text));
            let masked = masked(&key, &text, &sizes);
            prop_assert!(!is_in(&key, &masked), "{}", String::from_utf8_lossy(&masked));
            prop_assert_eq!(masked.len(), text.len());
            prop_assert!(masked.starts_with(around.0.as_bytes()));
            prop_assert!(masked.ends_with(around.1.as_bytes()));
        }

        #[test]
        fn a_key_of_any_characters_is_masked(
            key in "[!-)+-~]{1,20}",
            number in select(vec![0, 2, 3, 4, 5]),
            chosen in vec(any::<Index>(), 0..20),
            sizes in vec(1..9_usize, 1..4),
        ) {
            let form = form(&key, number, "", "", &chosen);
            let masked = masked(&key, &form, &sizes);
            prop_assert!(masked.len() == form.len() && masked != form);
        }

        #[test]
        fn a_text_without_the_key_is_shown_as_it_is(
            key in "[a-z0-9]{64}",
            parts in vec(
                prop_oneof![
                    ".{0,9}",
                    "[a-z0-9]{1,20}",
                    "%[0-9a-f]{0,2}",
                    r"\\u00[0-9a-f]{0,2}",
                    Just("%".to_owned()),
                    Just("\\".to_owned()),
                ],
                0..30,
            ),
            beginning in 0..63_usize,
            sizes in vec(1..60_usize, 1..10),
        ) {
            let text = format!("{}{}{}", parts.concat(), &key[..beginning], parts.concat());
            prop_assert_eq!(masked(&key, text.as_bytes(), &sizes), text.as_bytes());
        }
    }
}
