//! Serials, tokens and keys from the operating system's randomness.

use zeroize::Zeroize;

use crate::secret::Secret;

const SERIAL: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const TOKEN: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A `unique_serial`: 16 of A-Z0-9.
pub(super) fn serial() -> Result<String, getrandom::Error> {
    text(SERIAL, 16)
}

/// An initialization token: 16 of a-z0-9.
pub(super) fn initialization_token() -> Result<Secret, getrandom::Error> {
    text(TOKEN, 16).map(Secret::new)
}

/// A device's API key or a team's token: 64 of a-z0-9.
pub(super) fn api_key() -> Result<Secret, getrandom::Error> {
    text(TOKEN, 64).map(Secret::new)
}

/// Bytes beyond the largest multiple of 36 are thrown away: each letter is equally likely.
fn text(alphabet: &[u8; 36], length: usize) -> Result<String, getrandom::Error> {
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 96];
    while text.len() < length {
        getrandom::fill(&mut bytes)?;
        let letters = bytes
            .iter()
            .filter(|&&byte| byte < 36 * 7)
            .filter_map(|&byte| alphabet.get(usize::from(byte % 36)));
        text.extend(letters.take(length - text.len()).map(|&l| char::from(l)));
    }
    bytes.zeroize();
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn texts_have_their_length_and_alphabet() {
        let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        let is_lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let serial = serial().unwrap();
        assert!(serial.len() == 16 && serial.chars().all(is_upper));
        let token = initialization_token().unwrap();
        assert!(token.expose().len() == 16 && token.expose().chars().all(is_lower));
        let key = api_key().unwrap();
        assert!(key.expose().len() == 64 && key.expose().chars().all(is_lower));
    }

    #[test]
    fn every_letter_is_equally_likely() {
        let mut counts: HashMap<char, u32> = HashMap::new();
        for letter in text(TOKEN, 360_000).unwrap().chars() {
            *counts.entry(letter).or_default() += 1;
        }
        assert_eq!(counts.len(), 36);
        // 10,000 expected; a modulo bias alone would make some 9,800 and others 11,200.
        assert!(counts.values().all(|count| (9_300..10_700).contains(count)));
    }
}
