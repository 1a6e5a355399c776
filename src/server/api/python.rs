//! Values as the reference reads and shows them: it is written in Python, and callers know its ways.

use std::borrow::Cow;

use serde_json::Value;

pub(super) use crate::wire::fields::strip;

/// A number as `int()` reads it: `None` if it is none.
///
/// Blanks around it, a sign and underscores between digits are allowed. What is too large becomes
/// the largest or smallest number there is, which no resource has.
pub(super) fn integer(text: &str) -> Option<i64> {
    let text = strip(text);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut number: i64 = 0;
    for part in digits.split('_') {
        if part.is_empty() {
            return None;
        }
        for letter in part.chars() {
            let digit = i64::from(letter.to_digit(10)?);
            number = number.saturating_mul(10).saturating_add(digit);
        }
    }
    Some(number.saturating_mul(sign))
}

/// A JSON number as `str()` shows what Python makes of it.
pub(super) fn number(raw: &str) -> Cow<'_, str> {
    if raw.contains(['.', 'e', 'E']) {
        Cow::Owned(float(raw.parse().unwrap_or(f64::NAN)))
    } else if raw == "-0" {
        Cow::Borrowed("0")
    } else {
        Cow::Borrowed(raw)
    }
}

/// The shortest digits that mean this number, with an exponent where Python writes one.
fn float(number: f64) -> String {
    if !number.is_finite() {
        return format!("{number}").to_lowercase();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent @ -4..=15) if exponent < 0 || number.fract() != 0.0 => format!("{number}"),
        Ok(-4..=15) => format!("{number:.1}"),
        Ok(exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        Err(_) => scientific,
    }
}

/// What `str()` shows of a JSON value.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(raw) => number(&raw.to_string()).into_owned(),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| format!("{}: {}", quoted(key), repr(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut shown = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            '\\' => shown.push_str("\\\\"),
            letter if letter == quote => shown.extend(['\\', letter]),
            letter if letter.is_ascii_control() => {
                shown.push_str(&format!("\\x{:02x}", u32::from(letter)));
            }
            letter => shown.push(letter),
        }
    }
    shown.push(quote);
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_read_as_int_reads_them() {
        for (text, number) in [
            ("7", 7),
            (" 7\n", 7),
            ("+7", 7),
            ("-7", -7),
            ("007", 7),
            ("1_000", 1000),
            ("99999999999999999999", i64::MAX),
        ] {
            assert_eq!(integer(text), Some(number), "{text}");
        }
        for text in [
            "", " ", "-", "+-1", "1.0", "_1", "1_", "1__0", "0x1", "1e3", "a",
        ] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_shown_as_str_shows_them() {
        for (raw, shown) in [
            ("5", "5"),
            ("-0", "0"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("1.0", "1.0"),
            ("-0.0", "-0.0"),
            ("1.50", "1.5"),
            ("1e3", "1000.0"),
            ("1e15", "1000000000000000.0"),
            ("1e16", "1e+16"),
            ("1.5e22", "1.5e+22"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1e400", "inf"),
        ] {
            assert_eq!(number(raw), shown, "{raw}");
        }
    }

    #[test]
    fn values_are_shown_as_str_shows_them() {
        for (value, shown) in [
            (json!("a'b"), "a'b"),
            (json!(["full"]), "['full']"),
            (json!([1, 2.5, null, true]), "[1, 2.5, None, True]"),
            (json!({"a": "it's"}), "{'a': \"it's\"}"),
            (json!(["\n\u{1}\\"]), "['\\n\\x01\\\\']"),
        ] {
            assert_eq!(show(&value), shown);
        }
    }
}
