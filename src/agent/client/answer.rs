//! An answer as it came, whoever gave it.

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use url::Url;
use zeroize::Zeroizing;

use super::headers;
use super::retry_after::RetryAfter;

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(in crate::agent) is_json: bool,
    pub(in crate::agent) redirect: Option<Redirect>,
    /// When the server wants to be asked again.
    pub(in crate::agent) retry_after: Option<RetryAfter>,
    /// The proxy that it came through, or from.
    pub(in crate::agent) proxy: Option<String>,
    /// It may hold the API key.
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// What came with these headers from `url`, asked for at that time.
    pub(super) fn of(
        status: StatusCode,
        url: &Url,
        headers: HeaderMap,
        now: Timestamp,
        proxy: Option<String>,
        body: Zeroizing<Vec<u8>>,
    ) -> Self {
        Self {
            status,
            is_json: headers::is_json(&headers),
            redirect: Redirect::read(url, &headers),
            retry_after: RetryAfter::read(&headers, now),
            headers,
            proxy,
            body,
        }
    }
}

/// Where an answer sends its reader.
pub(in crate::agent) struct Redirect {
    pub(in crate::agent) location: String,
    /// Whether that may be a page to log in to a network at.
    pub(in crate::agent) may_be_login: bool,
}

impl Redirect {
    fn read(asked: &Url, headers: &HeaderMap) -> Option<Self> {
        let location = headers::text(headers, LOCATION)?;
        // What is no address leads to nobody else.
        let may_be_login = asked.join(location).is_ok_and(|target| {
            let is_same_host = target.host() == asked.host();
            let is_encrypted_now = (asked.scheme(), target.scheme()) == ("http", "https");
            let is_same_server =
                is_same_host && (is_encrypted_now || target.origin() == asked.origin());
            !is_same_server || is_like_a_login(&target)
        });
        Some(Self {
            location: location.to_owned(),
            may_be_login,
        })
    }
}

/// Whether an address on the same host is like that of a page to log in at: by its words, or because
/// it hands on the address that was asked for.
fn is_like_a_login(target: &Url) -> bool {
    const WORDS: [&str; 6] = ["auth", "captive", "login", "logon", "portal", "signin"];
    let path = target.path().to_lowercase().replace(['-', '_'], "");
    WORDS.iter().any(|word| path.contains(word)) || target.query().is_some_and(hands_on)
}

fn hands_on(query: &str) -> bool {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.any(|(_, value)| value.starts_with('/') || value.contains("://"))
}
