//! The language that a page is told in: what its reader chose, else what the browser asks for.

use hyper::header::{self, HeaderMap};

use super::cookies;

/// The cookie that holds what its reader chose.
pub(super) const COOKIE: &str = "gatehand_language";

/// A language that all texts are there in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
}

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its name in addresses and headers.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Its own name for itself.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    pub(super) fn named(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(code))
    }

    /// The one that these headers ask for.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let chosen = cookies::values(headers, COOKIE).find_map(Self::named);
        let asked = headers.get(header::ACCEPT_LANGUAGE);
        let asked = asked.and_then(|value| value.to_str().ok());
        chosen
            .or_else(|| asked.and_then(Self::best))
            .unwrap_or(Self::English)
    }

    /// Of a list as `de-AT, en;q=0.8` the first of those that are wanted most.
    fn best(list: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for entry in list.split(',') {
            let mut parts = entry.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q="));
            let quality = quality.map_or(Some(1.0), |quality| quality.parse::<f32>().ok());
            let language = Self::named(tag.split('-').next().unwrap_or_default());
            if let (Some(language), Some(quality)) = (language, quality)
                && quality > best.map_or(0.0, |(quality, _)| quality)
            {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(header::HeaderName, &str)]) -> Language {
        let headers = headers.iter().map(|(name, value)| {
            let value = value.parse().unwrap();
            (name.clone(), value)
        });
        Language::of(&headers.collect())
    }

    #[test]
    fn what_was_chosen_comes_before_what_the_browser_asks_for() {
        let german = (header::ACCEPT_LANGUAGE, "de-AT,de;q=0.9,en;q=0.8");
        assert_eq!(of(&[]), Language::English);
        assert_eq!(of(std::slice::from_ref(&german)), Language::German);
        let chosen = (header::COOKIE, "a=b; gatehand_language=en");
        assert_eq!(of(&[german, chosen]), Language::English);
    }

    #[test]
    fn the_language_that_is_wanted_most_is_taken() {
        for (list, expected) in [
            ("fr, en;q=0.1, de;q=0.5", Some(Language::German)),
            ("EN-us", Some(Language::English)),
            ("de;q=0", None),
            ("fr", None),
            ("de;q=x, en", Some(Language::English)),
            ("*", None),
            (";;,,", None),
        ] {
            assert_eq!(Language::best(list), expected, "{list}");
        }
    }
}
