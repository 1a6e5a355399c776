//! Cookies as they come and as they are set.

use hyper::header::{self, HeaderMap};

/// The values of a cookie of this name, of which a browser may send several.
pub(super) fn values<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h str> {
    let sent = headers.get_all(header::COOKIE).iter();
    let pairs = sent
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter(move |(sent, _)| *sent == name)
        .map(|(_, value)| value)
}
