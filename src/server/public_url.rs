//! The address under which callers reach a server.

use std::fmt;
use std::str::FromStr;

use crate::enrolment::{ServerUrl, ServerUrlError};

/// The address under which callers reach a server: http or https and a host, perhaps with a path of
/// plain characters. It stands in links and codes, and what is served under its path is served there too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(ServerUrl);

/// Why a text is no [`PublicUrl`].
#[derive(Debug, thiserror::Error)]
pub enum PublicUrlError {
    /// It is not even the address of a server.
    #[error("{}", .0.in_full())]
    Address(#[from] ServerUrlError),
    /// Its host is no name that can be looked up.
    #[error(
        "the server's address has the host {0:?}, which no name or address of a server can be; write it as in https://tickets.example"
    )]
    Host(String),
    /// A part of its path could mean something else on the way, or nothing.
    #[error(
        "the path of the server's address may have letters (a-z, A-Z), digits and -._~ between its slashes, \
         but not {0:?}; write it as in https://tickets.example or https://tickets.example/shop"
    )]
    Path(String),
}

impl PublicUrl {
    /// The host, in ASCII.
    pub fn host(&self) -> &str {
        self.0.host()
    }

    /// Scheme, host and port, as browsers write them.
    pub fn origin(&self) -> String {
        self.0.exact_origin()
    }

    /// Whether it is reached under TLS.
    pub fn is_https(&self) -> bool {
        self.origin().starts_with("https://")
    }

    /// The path, without a slash at the end.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// The address for codes.
    pub fn server_url(&self) -> &ServerUrl {
        &self.0
    }

    /// What to know of it, if there is anything.
    pub fn warning(&self) -> Option<&'static str> {
        let has_path = !self.path().is_empty();
        has_path.then_some(
            "the public address has a path, which the common Android app loses after its set-up: for \
             that app serve at the root of a host of its own",
        )
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let url: ServerUrl = text.parse()?;
        let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
        if !url.host().bytes().all(is_of_host) {
            return Err(PublicUrlError::Host(url.host().to_owned()));
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let mut segments = url.path().split('/').skip(1);
        match segments.find(|segment| segment.is_empty() || !segment.bytes().all(is_plain)) {
            None => Ok(Self(url)),
            Some(segment) => Err(PublicUrlError::Path(segment.to_owned())),
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_an_origin_with_an_optional_path() {
        for (text, shown, path) in [
            ("https://x.example", "https://x.example", ""),
            ("https://X.example:443/", "https://x.example", ""),
            ("http://127.0.0.1:8345", "http://127.0.0.1:8345", ""),
            ("http://[::1]:8345//", "http://[::1]:8345", ""),
            (
                "https://x.example/a/b-1/",
                "https://x.example/a/b-1",
                "/a/b-1",
            ),
            ("https://x.example/a/../b", "https://x.example/b", "/b"),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.path()), (shown, path));
            assert_eq!(url.warning().is_some(), !path.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_is_more_or_less_than_that_is_refused_in_words() {
        for (text, words) in [
            ("", "empty"),
            ("x.example", "write https://x.example"),
            ("ftp://x.example", "begins with ftp:"),
            ("https://u:secret@x.example", "user name or password"),
            ("https://u@x.example", "user name or password"),
            ("https://x.example/?a=b", "query"),
            ("https://x.example/#a", "fragment"),
            ("https://tickets,example", "\"tickets,example\""),
            ("https://x.example/*", "\"*\""),
            ("https://x.example/*rest", "\"*rest\""),
            ("https://x.example/a/:a", "\":a\""),
            ("https://x.example/{x}", "\"%7Bx%7D\""),
            ("https://x.example/a//b", "\"\""),
            ("https://x.example/a b", "\"a%20b\""),
            ("https://x.example/a;b", "\"a;b\""),
            ("https://x.example/%2e%2E%2f", "\"%2e%2E%2f\""),
        ] {
            let refused = text.parse::<PublicUrl>().unwrap_err().to_string();
            assert!(refused.contains(words), "{text}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_has_a_plain_path_and_is_read_as_it_is_shown(
            text in "(https?://)?[a-z.:@]{0,12}(/[ -~äé]{0,8}){0,3}",
        ) {
            if let Ok(url) = text.parse::<PublicUrl>() {
                let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
                prop_assert!(url.path().chars().all(is_plain));
                prop_assert!(!url.path().contains("//") && !url.path().ends_with('/'));
                prop_assert_eq!(&url.to_string().parse::<PublicUrl>().unwrap(), &url);
            }
        }
    }
}
