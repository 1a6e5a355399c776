//! Keeps the device's key out of what apps see of an answer.

use memchr::memmem;
use reqwest::header::HeaderMap;

use crate::secret::Secret;

/// What takes the place of the key.
const MASK: &str = "*";

/// The headers that are text, without the key.
pub(super) fn visible_headers(headers: &HeaderMap, key: &Secret) -> Vec<(String, String)> {
    let key = key.expose();
    let visible = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        let value = match value.contains(key) {
            true => value.replace(key, &MASK.repeat(key.len())),
            false => value.to_owned(),
        };
        Some((name.as_str().to_owned(), value))
    });
    visible.collect()
}

/// Overwrites each place where a body has the key, also across the pieces that it comes in.
pub(super) struct Mask {
    key: Secret,
    /// What may be the beginning of the key.
    held_back: Vec<u8>,
}

impl Mask {
    pub(super) fn new(key: &Secret) -> Self {
        Self {
            key: key.clone(),
            held_back: Vec::new(),
        }
    }

    /// Takes a piece and returns what can be shown by now.
    pub(super) fn next(&mut self, piece: Vec<u8>) -> Vec<u8> {
        let key = self.key.expose().as_bytes();
        if key.is_empty() {
            return piece;
        }
        let mut shown = std::mem::take(&mut self.held_back);
        shown.extend(piece);
        let mut at = 0;
        while let Some(rest) = shown.get_mut(at..) {
            let Some(found) = memmem::find(rest, key) else {
                break;
            };
            if let Some(place) = rest.get_mut(found..found + key.len()) {
                place.copy_from_slice(MASK.repeat(key.len()).as_bytes());
            }
            at += found + key.len();
        }
        let longest = (key.len() - 1).min(shown.len());
        let begins_key = |length: &usize| shown.ends_with(key.get(..*length).unwrap_or_default());
        let held = (1..=longest).rev().find(begins_key).unwrap_or(0);
        self.held_back = shown.split_off(shown.len() - held);
        shown
    }

    /// What was held back at the end.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held_back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_masked_wherever_it_stands() {
        for (body, expected) in [
            ("", ""),
            ("abab", "****"),
            ("xababx", "x****x"),
            ("ababab", "****ab"),
            ("aabba", "aabba"),
        ] {
            for size in [1, 2, 3, 100] {
                let mut mask = Mask::new(&Secret::new("abab".to_owned()));
                let mut masked = Vec::new();
                for piece in body.as_bytes().chunks(size) {
                    masked.extend(mask.next(piece.to_vec()));
                }
                masked.extend(mask.finish());
                assert_eq!(masked, expected.as_bytes(), "{body} in pieces of {size}");
            }
        }
    }
}
