//! Enrolment codes in a text: among what hand scanners put around them and what people write, and
//! more than once where the trigger was pulled twice.

use zeroize::Zeroizing;

use super::around::{is_of_sentence, unframed};
use super::usual_token::is_usual_token;
use super::{Enrolment, ParseError, no_code, pasted, payload};

/// Each link of the scanner app begins with it.
const SCHEME: &str = "pretixscan:";

/// Most line breaks in a link, which has about a hundred characters; a carriage return counts too.
const LINK_BREAKS: usize = 16;

/// Reads the one enrolment code in a text. It may be there more than once, the last time in part: a
/// scanner may be slower than anyone waits for it.
pub(super) fn read(text: &str) -> Result<Enrolment, ParseError> {
    let mut found: Option<(Enrolment, &str)> = None;
    let mut rest = text;
    let before = text.get(..start(text)).unwrap_or_default();
    while let Some(code) = rest.get(start(rest)..).filter(|code| !code.is_empty()) {
        if let Some((_, first)) = &found
            && first.starts_with(code)
        {
            break;
        }
        let (enrolment, length) = match code.starts_with('{') {
            true => object(code)?,
            false => link(code, before)?,
        };
        match &found {
            Some((first, _)) if !first.is(&enrolment) => return Err(ParseError::DifferentCodes),
            Some(_) => {}
            None => found = Some((enrolment, code.get(..length).unwrap_or_default())),
        }
        rest = code.get(length..).unwrap_or_default();
    }
    found
        .map(|(enrolment, _)| enrolment)
        .ok_or_else(|| no_code::named(unframed(text)))
}

/// Where the first code begins, or the length of the text.
fn start(text: &str) -> usize {
    let object = text.match_indices('{').find(|(at, _)| {
        let before = text.get(..*at).unwrap_or_default();
        let after = text.get(at + 1..).unwrap_or_default().trim_start();
        after.starts_with(['"', '}']) || unframed(before).is_empty()
    });
    let object = object.map_or(text.len(), |(at, _)| at);
    scheme(text).unwrap_or(text.len()).min(object)
}

fn scheme(text: &str) -> Option<usize> {
    let mut starts = text.as_bytes().windows(SCHEME.len());
    starts.position(|window| window.eq_ignore_ascii_case(SCHEME.as_bytes()))
}

/// Where the JSON object that begins in a text ends, if it does: behind its closing brace.
fn object_end(text: &[u8]) -> Option<usize> {
    let mut scan = ObjectScan::default();
    let end = text.iter().position(|byte| scan.ends_with(*byte))?;
    Some(end + 1)
}

/// Finds the end of the first JSON object in a text that comes byte by byte.
#[derive(Default)]
pub struct ObjectScan {
    has_begun: bool,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl ObjectScan {
    /// Whether the object's opening brace was among the bytes.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Takes the next byte; whether it is the object's closing brace.
    pub fn ends_with(&mut self, byte: u8) -> bool {
        let was_open = self.depth > 0;
        match byte {
            b'{' if !self.has_begun => (self.has_begun, self.depth) = (true, 1),
            _ if !was_open => {}
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            b'{' if !self.in_string => self.depth += 1,
            b'}' if !self.in_string => self.depth -= 1,
            _ => {}
        }
        was_open && self.depth == 0
    }
}

/// Reads the object at the beginning of a text; also tells its length.
fn object(text: &str) -> Result<(Enrolment, usize), ParseError> {
    let length = object_end(text.as_bytes()).unwrap_or(text.len());
    let object = text.get(..length).unwrap_or_default();
    // Lines were broken by what it was pasted from; in JSON they would be `\n`.
    let mut joined = Zeroizing::new(String::with_capacity(length));
    for line in object.split(['\r', '\n']) {
        // Mail programs begin the lines of what they quote so.
        let line = line.trim_start_matches(|c: char| c == '>' || c.is_whitespace());
        joined.extend(line.trim_end().chars().filter(|c| !c.is_control()));
    }
    Ok((payload::of_json(&joined)?, length))
}

/// Reads the link at the beginning of a text; also tells its length. `before` is what stands before the
/// first code, and so before the next one too, where a scanner puts something there.
fn link(text: &str, before: &str) -> Result<(Enrolment, usize), ParseError> {
    let read = |(link, length): (Zeroizing<String>, usize)| Ok((payload::of_link(&link)?, length));
    let line = read(cut(text, before, 0));
    let is_usual = |read: &Result<(Enrolment, usize), ParseError>| {
        read.as_ref()
            .is_ok_and(|(enrolment, _)| is_usual_token(enrolment.token().expose()))
    };
    if is_usual(&line) {
        return line;
    }
    // Mail programs break lines in the midst of a link; what follows the link may be text.
    let mut joined = (1..=LINK_BREAKS).map(|breaks| read(cut(text, before, breaks)));
    joined.find(is_usual).unwrap_or(line)
}

/// The link at the beginning of a text up to the end of the line or through some line breaks, without
/// the punctuation of the sentence around it, and its length in the text.
fn cut(text: &str, before: &str, mut breaks: usize) -> (Zeroizing<String>, usize) {
    let next = text.get(SCHEME.len()..).and_then(scheme);
    let end = next.map_or(text.len(), |next| next + SCHEME.len());
    let text = text.get(..end).unwrap_or_default();
    let text = match next {
        Some(_) => text.strip_suffix(before).unwrap_or(text),
        None => text,
    };
    let mut link = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_break = matches!(c, '\r' | '\n') && breaks > 0;
        let is_blank = c.is_whitespace() || c.is_control();
        let is_around = matches!(c, '<' | '>' | '"' | '\\' | '|') || is_between(rest);
        if is_around || is_blank && !is_break {
            break;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if is_break {
            breaks -= 1;
            let marks = pasted::quote_marks(rest);
            rest = rest.get(marks..).unwrap_or_default();
        } else {
            link.push(c);
        }
    }
    let length = match rest.is_empty() {
        true => end,
        false => text.len() - rest.len(),
    };
    let link_end = link.trim_end_matches(is_of_sentence).len();
    link.truncate(link_end);
    (link, length)
}

/// Whether a link's text ends here and its address follows, as in Markdown's `[text](address)`.
fn is_between(text: &str) -> bool {
    text.starts_with("](") || text.starts_with("][")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Reading;
    use super::*;

    const JSON: &str =
        r#"{"handshake_version": 1, "url": "https://pretix.eu", "token": "kpp4jn8g2ynzonp6"}"#;
    const LINK: &str = "pretixscan://setup?url=https%3A%2F%2Fpretix.eu&token=kpp4jn8g2ynzonp6";

    fn is_read(text: &str) {
        match Reading::of(text, None) {
            Ok(reading) => {
                let enrolment = reading.enrolment();
                assert_eq!(enrolment.url().to_string(), "https://pretix.eu", "{text:?}");
                assert_eq!(enrolment.token().expose(), "kpp4jn8g2ynzonp6", "{text:?}");
                assert!(reading.mapping().is_none(), "{text:?}");
            }
            Err(error) => panic!("{error}: {text:?}"),
        }
    }

    fn refusal(text: &str) -> ParseError {
        let error = Reading::of(text, None).err();
        error.unwrap_or_else(|| panic!("taken: {text}"))
    }

    #[test]
    fn a_repetition_that_was_cut_is_no_other_code() {
        for code in [JSON, LINK] {
            for cut in 0..code.len() {
                for between in ["", "\r", "\r\n"] {
                    if between.is_empty() && code == LINK && cut < SCHEME.len() {
                        continue; // It goes on the link, until its scheme is whole.
                    }
                    is_read(&format!("{code}{between}{}", &code[..cut]));
                }
            }
        }
        let other = JSON.replace("kpp4", "abcd");
        assert!(matches!(
            refusal(&format!("{JSON}{other}")),
            ParseError::DifferentCodes
        ));
    }

    #[test]
    fn what_chats_put_around_a_link_is_no_part_of_its_token() {
        for text in [
            format!("**{LINK}**"),
            format!("~{LINK}~"),
            format!("[{LINK}|click here]"),
            format!("*{LINK}*,"),
            format!("{LINK}…"),
            format!("{LINK}。"),
            format!("“{LINK}”"),
        ] {
            is_read(&text);
        }
    }

    #[test]
    fn what_a_hand_scanner_adds_makes_no_difference() {
        for code in [JSON, LINK] {
            for before in [
                "", "]Q1", "]d2", "\u{2}", "\u{1d}", "\u{1b}", "\0", "Q", "s", "QR: ", "\r\n",
            ] {
                for after in [
                    "", "\u{3}", "\t", "\r", "\n", "\r\n", r"\n", r"\r\n", "\u{4}", "\0", "\u{3}\r",
                ] {
                    let once = format!("{before}{code}{after}");
                    is_read(&once);
                    is_read(&once.repeat(2));
                    is_read(&once.repeat(5));
                }
            }
            let wide: String = code.chars().flat_map(|c| [c, '\0']).collect();
            is_read(&wide);
        }
        is_read(&format!("{JSON}\r{LINK}"));
    }

    #[test]
    fn codes_that_differ_are_refused() {
        for (code, field) in [
            (JSON, "pretix.eu"),
            (JSON, "kpp4"),
            (LINK, "pretix.eu"),
            (LINK, "kpp4"),
        ] {
            for between in ["", "\r", "\r\n", "\t"] {
                let other = code.replace(field, "other");
                let error = refusal(&format!("{code}{between}{other}"));
                assert!(matches!(error, ParseError::DifferentCodes), "{error}");
            }
        }
        let error = refusal(&format!("{JSON}\r{{\"handshake_version\": 2"));
        assert!(matches!(error, ParseError::BrokenJson(_)), "{error}");
    }

    #[test]
    fn what_a_code_was_pasted_from_makes_no_difference() {
        for quote in ["“”", "„“", "«»", "””", "\"\""] {
            let mut quotes = quote.chars().cycle();
            let json: String = JSON
                .chars()
                .map(|c| if c == '"' { quotes.next().unwrap() } else { c })
                .collect();
            is_read(&json);
        }
        let html = JSON.replace('"', "&quot;");
        let escaped = serde_json::to_string(JSON).unwrap();
        let document = format!("{{\n  \"link\": \"{LINK}\",\n  \"payload\": {escaped}\n}}");
        for text in [
            &html,
            &JSON.replace(' ', "\u{a0}"),
            &JSON.replace("url", "u\u{200b}rl"),
            &JSON.replace(' ', "\r\n   "),
            &JSON.replace("pretix", "pre\n  tix"),
            &JSON.replace("4jn8", "4jn\r\n8"),
            &format!("> {}", JSON.replace(", ", ",\n> > ")),
            &serde_json::to_string(JSON).unwrap(),
            &serde_json::to_string(LINK).unwrap(),
            &LINK.replace('=', "=3D"),
            &LINK.replace('=', "=3D").replace("8g2", "8=\r\ng2"),
            &JSON.replace("pretix", "pre=\ntix").replace('"', "=22"),
            &format!("The code is {JSON}, have fun!"),
            &format!("[{LINK}]({LINK})"),
            &format!("Open [{LINK}]({LINK} \"Enrol\"), please."),
            &format!("[{LINK}][1]\n\n[1]: {LINK}"),
            &format!("> {}\n> See you", LINK.replace("&token", "\n> &token")),
            &format!("Hello\r\n> > {}", LINK.replace("8g2", "8\r\n> > g2")),
            &format!("> {}", LINK.replace("tok", "\n>tok")),
            &escaped,
            &escaped[1..escaped.len() - 1],
            &format!("  \"payload\": {escaped},"),
            &document,
            &document.replace(LINK, ""),
            &serde_json::to_string(&document).unwrap(),
            &format!("<{LINK}>"),
            &format!("“{LINK}”"),
            &format!("({LINK})."),
            &format!("{LINK}."),
            &format!("{LINK}\nSee you at the gate"),
            &format!("Open [this]({LINK}), please."),
            &format!("Open\n\n  {LINK}\n\nand scan, or write to a@b.org."),
            &LINK.replace('&', "&amp;"),
            &LINK.replace('&', "&#38;"),
            &format!("<a href=\"{0}\">{0}</a>", LINK.replace('&', "&amp;")),
            &LINK.replace("url=", "u\u{ad}rl="),
            &LINK.replace("pretix.eu", "pretix\u{200b}.eu"),
            &JSON.replace("pretix.eu", "pretix.eu/\u{200b}"),
            &LINK.replace("8g2", "8\r\ng2"),
            &format!("{}\nSee you", LINK.replace("8g2", "8\r\ng2")),
            &LINK.replace("%2F%2F", "%2F\n%2F"),
        ] {
            is_read(text);
        }
    }

    #[test]
    fn an_object_ends_at_its_closing_brace() {
        for (text, end) in [
            ("{}", Some(2)),
            (r#"x{"a":{"b":"}\""}}}"#, Some(18)),
            ("{", None),
            (r#"{"a":"}"#, None),
            ("a}", None),
        ] {
            assert_eq!(object_end(text.as_bytes()), end, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_token_in_a_link_may_end_with_anything(token in r"[a-z0-9]{0,3}[!#-%'-.;@\[\]^-z|~a-z0-9]{1,4}") {
            let url = "https://pretix.eu".parse().unwrap();
            let enrolment = Enrolment::new(url, crate::secret::Secret::new(token)).ok().unwrap();
            for around in ["", "\r", "\n\nBye"] {
                let text = format!("{}{around}", enrolment.to_link().expose());
                prop_assert!(Reading::of(&text, None).ok().unwrap().enrolment().is(&enrolment));
            }
        }
    }
}
