//! The fields of a change that nothing is made of: they are passed over, and named in a header.

use std::fmt::Write;

use super::body::Body;
use crate::wire::fields::Field;

/// The header that names them.
pub(super) const HEADER: &str = "x-ignored-fields";

/// How many are named at most, and how much of each: what a caller sends may be long.
const NAMED: usize = 10;
const LETTERS: usize = 64;

/// The names of those that are none of these fields or may only be read, in their order, percent-encoded.
pub(super) fn named(fields: &[Field], body: &Body) -> Option<String> {
    let mut names: Vec<&str> = match body {
        Body::Object(sent) => sent.keys().map(String::as_str).collect(),
        Body::Form(sent) => sent.keys().map(String::as_str).collect(),
        Body::Null | Body::Other(_) => Vec::new(),
    };
    names.retain(|name| {
        let taken = fields
            .iter()
            .any(|field| field.name == *name && !field.read_only);
        !taken
    });
    names.sort_unstable();
    let encoded: Vec<String> = names.into_iter().take(NAMED).map(encoded).collect();
    Some(encoded.join(", ")).filter(|names| !names.is_empty())
}

fn encoded(name: &str) -> String {
    let mut encoded = String::new();
    let letters = name.chars().take(LETTERS).collect::<String>();
    for byte in letters.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}
