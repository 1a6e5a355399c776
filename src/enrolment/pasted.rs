//! Text that came through word processors, mail programs and pages.

use zeroize::Zeroizing;

/// The text with plain quotes and blanks, and without what can't be seen.
pub(super) fn cleaned(text: &str) -> Zeroizing<String> {
    let mut cleaned = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (c, length) = match c {
            '&' => entity(rest).unwrap_or((c, 1)),
            c => (c, c.len_utf8()),
        };
        rest = rest.get(length..).unwrap_or_default();
        match c {
            '“' | '”' | '„' | '‟' | '«' | '»' | '″' | '〝' | '〞' | '＂' => {
                cleaned.push('"')
            }
            '‘' | '’' | '‚' | '‛' | '‹' | '›' => cleaned.push('\''),
            c if is_invisible(c) => {}
            '\u{2028}' | '\u{2029}' | '\u{85}' => cleaned.push('\n'),
            c if c.is_whitespace() && !c.is_control() => cleaned.push(' '),
            c => cleaned.push(c),
        }
    }
    cleaned
}

/// The text without what terminals send with it, as the marks `ESC [200~` and `ESC [201~` around what is
/// pasted, or an arrow key. The escape character goes in any case: it tells of Alt.
pub(super) fn without_escapes(text: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut parts = text.split('\x1b');
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        plain.push_str(part.get(sequence_length(part)..).unwrap_or_default());
    }
    plain
}

/// How long the control sequence is that stands behind an escape character: `[`, numbers and one more.
fn sequence_length(text: &str) -> usize {
    let Some(sequence) = text.strip_prefix('[') else {
        return 0;
    };
    let numbers = sequence
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b';');
    let numbers = numbers.count();
    match sequence.as_bytes().get(numbers) {
        Some(byte) if *byte == b'~' || byte.is_ascii_alphabetic() => numbers + 2,
        _ => 0,
    }
}

/// What a mail's source writes as quoted-printable, where it is: `=3D` for `=`, and `=` before a line end
/// that is none.
pub(super) fn unquoted(text: &str) -> Option<Zeroizing<String>> {
    if !["=3D", "=22", "=\n", "=\r\n"]
        .iter()
        .any(|mark| text.contains(mark))
    {
        return None;
    }
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut parts = text.split('=');
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let code = part
            .get(..2)
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        let line_end = ["\r\n", "\n"].iter().find_map(|end| part.strip_prefix(end));
        match (code.filter(u8::is_ascii), line_end) {
            (Some(code), _) => {
                plain.push(char::from(code));
                plain.push_str(part.get(2..).unwrap_or_default());
            }
            (None, Some(rest)) => plain.push_str(rest),
            (None, None) => {
                plain.push('=');
                plain.push_str(part);
            }
        }
    }
    Some(plain)
}

/// What is in a text as texts of JSON within another document are, as `{\"url\": …}`: each on its own line.
pub(super) fn unescaped(text: &str) -> Option<Zeroizing<String>> {
    let mut plain = Zeroizing::new(String::new());
    let mut rest = text;
    while let Some(at) = rest.find(r#"{\""#) {
        let begun = rest.get(at..).unwrap_or_default();
        let mut is_escaped = false;
        let end = begun.find(|c| {
            let is_end = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_end
        });
        let inner = begun.get(..end.unwrap_or(begun.len())).unwrap_or_default();
        let quoted = Zeroizing::new(format!("\"{}\"", inner.trim_end()));
        let inner_text = Zeroizing::new(serde_json::from_str::<String>(&quoted).ok()?);
        plain.push_str(&inner_text);
        plain.push('\n');
        rest = begun.get(inner.len()..).unwrap_or_default();
    }
    (!plain.is_empty()).then_some(plain)
}

/// How long the marks are with which mail programs begin a line of what they quote.
pub(super) fn quote_marks(line: &str) -> usize {
    let is_mark = |c: char| matches!(c, '>' | ' ' | '\t');
    let marks = line.find(|c| !is_mark(c)).unwrap_or(line.len());
    let has_one = line.get(..marks).is_some_and(|marks| marks.contains('>'));
    if has_one { marks } else { 0 }
}

/// Whether nothing is seen of a character.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// The character that a page's source writes as `&amp;` or `&#38;`, and how long that is.
fn entity(text: &str) -> Option<(char, usize)> {
    const LONGEST: usize = 10;
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let c = match text.get(1..end)? {
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "lt" => '<',
        "gt" => '>',
        "nbsp" => ' ',
        "colon" => ':',
        "sol" => '/',
        "equals" => '=',
        name => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((c, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_terminals_send_with_a_text_is_left_out() {
        for (text, expected) in [
            ("\u{1b}[200~abc\u{1b}[201~", "abc"),
            ("a\u{1b}[Db\u{1b}[1;5C", "ab"),
            ("\u{1b}{\u{1b}\"a", "{\"a"),
            ("\u{1b}[\"a\"\u{1b}]", "[\"a\"]"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(*without_escapes(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_a_mail_s_source_writes_otherwise_is_undone() {
        for (text, expected) in [
            ("a=3Db=\r\nc=\nd", Some("a=bcd")),
            ("=22a=22=ü=", Some("\"a\"=ü=")),
            ("a=b&c=d", None),
        ] {
            assert_eq!(unquoted(text).as_deref().map(String::as_str), expected);
        }
    }

    #[test]
    fn what_programs_for_text_make_of_characters_is_undone() {
        for (text, expected) in [
            ("{“a”: „b‟, «c»}", "{\"a\": \"b\", \"c\"}"),
            ("a\u{a0}b\u{202f}c\u{3000}d\te\n", "a b c d\te\n"),
            ("\u{feff}a\u{200b}b\u{ad}c\u{2060}", "abc"),
            (
                "&lt;a&amp;b&quot;&#38;&#x26;&apos;&nbsp;&gt;",
                "<a&b\"&&' >",
            ),
            ("a&token=b;&", "a&token=b;&"),
            ("&#xffffffff; &#; &; &ü;", "&#xffffffff; &#; &; &ü;"),
        ] {
            assert_eq!(*cleaned(text), expected, "{text}");
        }
    }
}
