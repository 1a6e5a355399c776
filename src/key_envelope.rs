//! The forms in which a key of 32 bytes is kept, whichever program wrote it: docs/KEYS.md has them all.
//!
//! They are read here and written where they are kept, each in the form that older versions read.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::seal::KEY_LENGTH;

/// Longest form of a key, in bytes.
pub const LENGTH_LIMIT: u64 = 4 * 1024;
/// Newest version of the JSON form.
pub const VERSION: u64 = 1;
/// The method of a key that lies open in its envelope.
const PLAIN: &str = "plain";
/// Longest name of a method, in characters.
const METHOD_LIMIT: usize = 64;

/// Why what is kept is no key that can be used. It repeats nothing that may be a part of one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFormError {
    /// None of the forms, or damaged.
    #[error("it is no form of a key that is known")]
    NoForm,
    /// A newer gatehand wrote it.
    #[error("it has version {found}, and only those up to {VERSION} are known")]
    Newer {
        /// Its version.
        found: u64,
    },
    /// The key is wrapped by something that only its maker can ask, as the Android Keystore.
    #[error("the key in it is wrapped by {method}")]
    Wrapped {
        /// Name of the method: printable ASCII, 64 characters at most.
        method: String,
    },
    /// The key lies open, and is not base64 of 32 bytes.
    #[error("what it holds is not base64 of {KEY_LENGTH} bytes")]
    NotAKey,
}

/// Reads a key in any form.
///
/// 32 bytes are always a raw key, which may look like the beginning of another form.
pub fn read(bytes: &[u8]) -> Result<Zeroizing<[u8; KEY_LENGTH]>, KeyFormError> {
    match <&[u8; KEY_LENGTH]>::try_from(bytes) {
        Ok(raw) => Ok(Zeroizing::new(*raw)),
        Err(_) => read_text(bytes),
    }
}

/// Reads a key in a form that is text. 32 characters are none: they may be half of the hexadecimal digits.
pub fn read_text(bytes: &[u8]) -> Result<Zeroizing<[u8; KEY_LENGTH]>, KeyFormError> {
    if bytes.len() as u64 > LENGTH_LIMIT {
        return Err(KeyFormError::NoForm);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| KeyFormError::NoForm)?;
    let text = text.trim();
    match text.starts_with('{') {
        true => read_envelope(text),
        false => from_hex(text).ok_or(KeyFormError::NoForm),
    }
}

fn from_hex(text: &str) -> Option<Zeroizing<[u8; KEY_LENGTH]>> {
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    let decoded = base16ct::mixed::decode(text, &mut *key).ok()?;
    (decoded.len() == KEY_LENGTH).then_some(key)
}

/// What every version has.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

/// What every envelope of version 1 has.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
}

/// The envelope of a key that lies open, and nothing else in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain<'a> {
    #[serde(rename = "version")]
    _version: u64,
    #[serde(rename = "method", borrow)]
    _method: Cow<'a, str>,
    // As it is written: the parser would copy a text with escapes to where nobody wipes it.
    #[serde(borrow)]
    key: &'a RawValue,
}

fn read_envelope(text: &str) -> Result<Zeroizing<[u8; KEY_LENGTH]>, KeyFormError> {
    // The version first: only it says what else there is.
    match part::<Versioned>(text)?.version {
        0 => return Err(KeyFormError::NoForm),
        1..=VERSION => {}
        found => return Err(KeyFormError::Newer { found }),
    }
    let method = part::<Envelope<'_>>(text)?.method;
    match &*method {
        PLAIN => from_base64(part::<Plain<'_>>(text)?.key.get()).ok_or(KeyFormError::NotAKey),
        _ if is_name(&method) => Err(KeyFormError::Wrapped {
            method: method.into_owned(),
        }),
        _ => Err(KeyFormError::NoForm),
    }
}

/// What the parser complains of may be a part of the key, so it is not told.
fn part<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, KeyFormError> {
    serde_json::from_str(text).map_err(|_| KeyFormError::NoForm)
}

/// A JSON text, without escapes, that is base64 of a key.
fn from_base64(json: &str) -> Option<Zeroizing<[u8; KEY_LENGTH]>> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    // The decoder wants room for what the text's length might hold.
    let mut room = Zeroizing::new([0; KEY_LENGTH + 2]);
    let length = STANDARD.decode_slice(text, &mut *room).ok()?;
    let key = room.get(..length)?;
    <[u8; KEY_LENGTH]>::try_from(key).ok().map(Zeroizing::new)
}

fn is_name(method: &str) -> bool {
    (1..=METHOD_LIMIT).contains(&method.len()) && method.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    const KEY: [u8; KEY_LENGTH] = *b"a key that everyone knows: 00000";

    fn fixture(name: &str) -> Vec<u8> {
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys");
        fs::read(keys.join(name)).unwrap()
    }

    fn why(bytes: &[u8]) -> KeyFormError {
        match read(bytes) {
            Ok(_) => panic!("{:?} is a key", String::from_utf8_lossy(bytes)),
            Err(error) => error,
        }
    }

    fn plain(key: &str) -> String {
        format!(r#"{{"version":1,"method":"plain","key":"{key}"}}"#)
    }

    #[test]
    fn a_key_is_read_in_each_of_its_forms() {
        for name in ["raw.key", "hex.key", "plain.json"] {
            assert_eq!(*read(&fixture(name)).unwrap(), KEY, "{name}");
        }
        assert!(read_text(&fixture("raw.key")).is_err());
        let hex = String::from_utf8(fixture("hex.key")).unwrap();
        for text in [hex.to_uppercase(), format!("\r\n\t {hex} \n")] {
            assert_eq!(*read(text.as_bytes()).unwrap(), KEY, "{text:?}");
        }
    }

    #[test]
    fn any_32_bytes_are_a_raw_key_whatever_they_look_like() {
        for text in [
            "{\"version\":2,\"method\":\"plain\"}\r\n",
            "                                ",
            "00000000000000000000000000000000",
        ] {
            assert_eq!(*read(text.as_bytes()).unwrap(), *text.as_bytes());
            assert!(read_text(text.as_bytes()).is_err());
        }
    }

    #[test]
    fn a_key_that_the_keystore_wraps_is_said_to_be_wrapped_by_which_method() {
        for (name, method) in [("aes-gcm.json", "AES/GCM"), ("rsa-pkcs1.json", "RSA/PKCS1")] {
            let method = method.to_owned();
            assert_eq!(why(&fixture(name)), KeyFormError::Wrapped { method });
        }
    }

    #[test]
    fn a_newer_version_is_told_whatever_else_it_has() {
        for name in ["version-2.json", "version-2-without-method.json"] {
            let newer = KeyFormError::Newer { found: 2 };
            assert_eq!(why(&fixture(name)), newer, "{name}");
        }
    }

    #[test]
    fn what_is_damaged_is_no_key() {
        let damaged = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys/damaged");
        let files: Vec<_> = fs::read_dir(damaged).unwrap().collect();
        assert!(files.len() > 5);
        for file in files {
            let path = file.unwrap().path();
            assert_eq!(
                why(&fs::read(&path).unwrap()),
                KeyFormError::NoForm,
                "{path:?}"
            );
        }
        for length in [0, 31, 33, 63, 65] {
            assert_eq!(why(&vec![b'0'; length]), KeyFormError::NoForm, "{length}");
        }
        let method = |name: &str| format!(r#"{{"version":1,"method":"{name}"}}"#);
        for name in ["", "a\\u001bb", "a b", &"m".repeat(METHOD_LIMIT + 1)] {
            assert_eq!(why(method(name).as_bytes()), KeyFormError::NoForm, "{name}");
        }
        let more = plain("").replace('}', r#","alias":"a"}"#);
        assert_eq!(why(more.as_bytes()), KeyFormError::NoForm);
        let twice = plain("").replace("\"key\"", "\"method\":\"plain\",\"key\"");
        assert_eq!(why(twice.as_bytes()), KeyFormError::NoForm);
    }

    #[test]
    fn a_plain_key_is_base64_of_32_bytes() {
        for length in [0, 30, 31, 33, 34, 35, 64] {
            let text = STANDARD.encode(vec![b'k'; length]);
            assert_eq!(
                why(plain(&text).as_bytes()),
                KeyFormError::NotAKey,
                "{length}"
            );
        }
        let whole = STANDARD.encode(KEY);
        for text in ["!", whole.trim_end_matches('='), &format!("{whole}=")] {
            assert_eq!(why(plain(text).as_bytes()), KeyFormError::NotAKey, "{text}");
        }
        let number = plain(&whole).replace(&format!("{whole:?}"), "7");
        assert_eq!(why(number.as_bytes()), KeyFormError::NotAKey);
    }

    #[test]
    fn no_more_than_the_limit_is_read() {
        let limit = LENGTH_LIMIT as usize;
        let padded = |length| format!("{:length$}", plain(&STANDARD.encode(KEY)));
        assert!(read(padded(limit).as_bytes()).is_ok());
        assert_eq!(why(padded(limit + 1).as_bytes()), KeyFormError::NoForm);
    }
}
