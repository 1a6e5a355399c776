//! The base URL of a server.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use percent_encoding::percent_decode;
use url::{Host, Url};

/// Longest URL in bytes; with it a payload still fits into a QR code.
const LENGTH_LIMIT: usize = 1024;

/// Longest path or URL that is resolved, in bytes.
const RESOLVED_LIMIT: usize = 8 * 1024;

/// Why a text is not the address of a server, or not one to send secrets to.
#[derive(Debug, thiserror::Error)]
pub enum ServerUrlError {
    /// Nothing but blanks.
    #[error("the server's address is empty")]
    Empty,
    /// A host without `https://`.
    #[error("the server's address lacks its beginning")]
    NoScheme(String),
    /// Neither an address nor the name of a host.
    #[error("this is no server's address")]
    NoAddress,
    /// Begins as an address, but is none.
    #[error("the server's address can't be read")]
    Malformed(#[source] url::ParseError),
    /// `ftp:`, `file:` and the like.
    #[error("the server's address begins with {0}: but must begin with https:// (or http://)")]
    NotHttp(String),
    /// `https://user:password@…`.
    #[error("the server's address holds a user name or password")]
    UserInfo,
    /// `https://…?…`.
    #[error("the server's address has a query")]
    Query,
    /// `https://…#…`.
    #[error("the server's address has a fragment")]
    Fragment,
    /// More than 1024 bytes.
    #[error("the server's address is longer than {LENGTH_LIMIT} bytes")]
    TooLong,
    /// `http:` to another machine: anyone on the way could read the API key.
    #[error("{0} is not encrypted, so anyone on the network could read the device's key")]
    PlainHttp(String),
    /// A path or address below the server's that can't be read.
    #[error("the path or address can't be read")]
    MalformedPath(#[source] url::ParseError),
    /// An address on another server, or over another protocol.
    #[error(
        "{named} is not the server this device is enrolled at ({server}), and only that one gets the device's key"
    )]
    Elsewhere {
        /// Scheme, host and port of the address.
        named: String,
        /// Those of the server.
        server: String,
    },
    /// A path that leads out of the server's own.
    #[error("the path leads out of {0}, and only what is below gets the device's key")]
    Outside(String),
}

impl ServerUrlError {
    /// What to do about it, where that is known.
    pub fn advice(&self) -> Option<Cow<'static, str>> {
        let advice = match self {
            Self::NoScheme(host) => return Some(format!("write https://{host}").into()),
            Self::Empty | Self::NoAddress | Self::Malformed(_) => {
                "write it as in https://pretix.eu"
            }
            Self::UserInfo => "leave out what is before the @",
            Self::Query => "leave out the ? and what follows",
            Self::Fragment => "leave out the # and what follows",
            Self::MalformedPath(_) => "write it as in api/v1/device/info",
            Self::NotHttp(_)
            | Self::TooLong
            | Self::PlainHttp(_)
            | Self::Elsewhere { .. }
            | Self::Outside(_) => return None,
        };
        Some(advice.into())
    }

    /// What is wrong, and what to do, in one sentence.
    pub fn in_full(&self) -> String {
        match self.advice() {
            Some(advice) => format!("{self}; {advice}"),
            None => self.to_string(),
        }
    }
}

/// Base URL of a server: http or https with a host, perhaps with a path prefix, without user
/// info, query and fragment.
///
/// A trailing slash makes no difference. Shown and parsed as text without one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerUrl(Url); // its path ends in exactly one slash, so that `join` keeps the prefix

impl ServerUrl {
    /// Address of a resource, as `api/v1/device/info`, below the path prefix.
    ///
    /// The path is taken as it is: it may hold a query, a leading slash makes no difference, and it
    /// never leads to another server.
    pub fn endpoint(&self, relative_path: &str) -> Url {
        let (path, query) = match relative_path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (relative_path, None),
        };
        let mut url = self.0.clone();
        url.set_path(&format!(
            "{}{}",
            self.0.path(),
            path.trim_start_matches('/')
        ));
        url.set_query(query);
        url
    }

    /// The address of something below this one: from a path, as `api/v1/device/info`, or from a whole
    /// address, as the `next` of a list.
    ///
    /// Whatever leads to another origin or out of the path prefix is refused, in all the spellings
    /// that a server behind a gateway may understand, so that the device's key can be sent there. A
    /// fragment is dropped.
    pub fn resolve(&self, path_or_url: &str) -> Result<Url, ServerUrlError> {
        let text = path_or_url.trim();
        if text.len() > RESOLVED_LIMIT {
            return Err(ServerUrlError::Outside(self.to_string()));
        }
        let mut url = match Url::parse(text) {
            Err(url::ParseError::RelativeUrlWithoutBase) => {
                let path = text.strip_prefix('/').unwrap_or(text);
                if path.starts_with(['/', '\\']) {
                    return Err(ServerUrlError::Outside(self.to_string()));
                }
                self.0.join(&format!("./{path}"))
            }
            parsed => parsed,
        }
        .map_err(ServerUrlError::MalformedPath)?;
        if url.origin() != self.0.origin() {
            return Err(ServerUrlError::Elsewhere {
                named: url.origin().ascii_serialization(),
                server: self.exact_origin(),
            });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ServerUrlError::UserInfo);
        }
        let Some(below) = url.path().strip_prefix(self.0.path()) else {
            return Err(ServerUrlError::Outside(self.to_string()));
        };
        for path in decodings(below) {
            if climbs(&path) {
                return Err(ServerUrlError::Outside(self.to_string()));
            }
        }
        url.set_fragment(None);
        Ok(url)
    }

    /// Scheme, host and port for a person's eyes. An international name is followed by its ASCII
    /// form, since it may look like another.
    pub fn origin(&self) -> String {
        let (shown, exact) = (self.0.origin().unicode_serialization(), self.exact_origin());
        if shown == exact {
            exact
        } else {
            format!("{shown} ({exact})")
        }
    }

    /// Scheme, host and port for programs to compare: in ASCII.
    pub fn exact_origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The path, without a slash at the end.
    pub fn path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// The host alone, in ASCII.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether the server is on this machine: `localhost`, `*.localhost`, `127.0.0.0/8` or `::1`.
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name == "localhost" || name.ends_with(".localhost")
            }
            Some(Host::Ipv4(address)) => address.is_loopback(),
            // Canonical, because ::ffff:127.0.0.1 connects to 127.0.0.1.
            Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
            None => false,
        }
    }

    /// Refuses plain http to another machine unless it is allowed.
    pub fn check_transport(&self, allow_plain_http: bool) -> Result<(), ServerUrlError> {
        if self.0.scheme() == "https" || allow_plain_http || self.is_loopback() {
            Ok(())
        } else {
            Err(ServerUrlError::PlainHttp(self.origin()))
        }
    }
}

impl TryFrom<String> for ServerUrl {
    type Error = ServerUrlError;

    fn try_from(text: String) -> Result<Self, ServerUrlError> {
        text.parse()
    }
}

impl From<ServerUrl> for String {
    fn from(url: ServerUrl) -> Self {
        url.to_string()
    }
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ServerUrlError::Empty);
        }
        if text.len() > LENGTH_LIMIT {
            return Err(ServerUrlError::TooLong);
        }
        // Before parsing, which takes `localhost:8000` for a scheme.
        if let Some(host) = bare_host(text) {
            return Err(ServerUrlError::NoScheme(host));
        }
        let mut url = Url::parse(text).map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => ServerUrlError::NoAddress,
            error => ServerUrlError::Malformed(error),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ServerUrlError::NotHttp(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ServerUrlError::UserInfo);
        }
        if url.query().is_some() {
            return Err(ServerUrlError::Query);
        }
        if url.fragment().is_some() {
            return Err(ServerUrlError::Fragment);
        }
        url.set_path(&format!("{}/", url.path().trim_end_matches('/')));
        if url.as_str().len() > LENGTH_LIMIT {
            return Err(ServerUrlError::TooLong); // percent-encoding made it longer
        }
        Ok(Self(url))
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// A path as it is sent, and as a gateway or server may decode it, some of which do so more than once;
/// with U+FFFD for what is not UTF-8 then.
pub(crate) fn decodings(path: &str) -> impl Iterator<Item = String> {
    std::iter::successors(Some(path.to_owned()), |path| {
        let decoded = percent_decode(path.as_bytes()).decode_utf8_lossy();
        (decoded != path.as_str()).then(|| decoded.into_owned())
    })
}

/// Whether a path goes up in a spelling that was not resolved when it was parsed.
fn climbs(path: &str) -> bool {
    let mut segments = path.split(['/', '\\']);
    segments.any(|segment| segment == ".." || segment.starts_with("..;"))
}

/// The host (with port and path) of an address whose scheme was left out.
///
/// `None` unless it has a dot or is localhost: a token in the wrong place must not be repeated.
fn bare_host(text: &str) -> Option<String> {
    if text.contains("://") || text.contains(['@', '?', '#']) {
        return None;
    }
    let (host, _) = text.split_once(['/', ':']).unwrap_or((text, ""));
    let named = host.contains('.') || host.eq_ignore_ascii_case("localhost");
    let url = Url::parse(&format!("https://{text}")).ok()?;
    (named && url.has_host()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> ServerUrl {
        text.parse().unwrap()
    }

    fn refusal(text: &str) -> ServerUrlError {
        text.parse::<ServerUrl>().unwrap_err()
    }

    #[test]
    fn a_trailing_slash_and_blanks_make_no_difference() {
        for text in [
            "https://x.org/tickets",
            "https://x.org/tickets/",
            " https://x.org/tickets//\n",
            "HTTPS://X.org:443/tickets",
        ] {
            assert_eq!(url(text), url("https://x.org/tickets"), "{text}");
            assert_eq!(url(text).to_string(), "https://x.org/tickets");
        }
        assert_eq!(url("https://x.org/").to_string(), "https://x.org");
    }

    #[test]
    fn an_endpoint_keeps_the_path_prefix() {
        let endpoint = |base: &str, path: &str| url(base).endpoint(path).to_string();
        assert_eq!(
            endpoint("https://x.org", "api/v1/device/info"),
            "https://x.org/api/v1/device/info"
        );
        assert_eq!(
            endpoint(
                "https://x.org/tickets",
                "/api/v1/organizers/o/devices/?page=2"
            ),
            "https://x.org/tickets/api/v1/organizers/o/devices/?page=2"
        );
    }

    #[test]
    fn an_endpoint_never_leads_to_another_server() {
        for path in [
            "https://evil.org/",
            "//evil.org/",
            "\\\\evil.org/",
            "@evil.org",
        ] {
            let endpoint = url("https://x.org/tickets").endpoint(path);
            assert_eq!(endpoint.host_str(), Some("x.org"), "{endpoint}");
        }
    }

    #[test]
    fn an_address_without_scheme_is_answered_with_the_one_to_write() {
        for (text, advice) in [
            ("pretix.eu", "https://pretix.eu"),
            ("pretix.eu/tickets/", "https://pretix.eu/tickets/"),
            ("localhost:8000", "https://localhost:8000"),
            ("192.168.1.4:80", "https://192.168.1.4:80"),
        ] {
            let error = refusal(text);
            assert!(matches!(error, ServerUrlError::NoScheme(_)), "{error:?}");
            assert_eq!(error.in_full(), format!("{error}; write {advice}"));
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        use ServerUrlError as E;
        for (text, expected) in [
            ("", "empty"),
            (" \n", "empty"),
            ("pretix", "none"),
            ("https://", "malformed"),
            ("https://a b.org", "malformed"),
            ("https://x.org:99999", "malformed"),
            ("/api/v1", "none"),
            ("ftp://x.org", "not http"),
            ("file:///etc/passwd", "not http"),
            ("javascript:alert(1)", "not http"),
            ("https://user@x.org", "user info"),
            ("https://user:secret@x.org", "user info"),
            ("https://:secret@x.org", "user info"),
            ("https://x.org/?a=b", "query"),
            ("https://x.org?", "query"),
            ("https://x.org/#a", "fragment"),
        ] {
            let kind = match refusal(text) {
                E::Empty => "empty",
                E::NoScheme(_) => "no scheme",
                E::NoAddress => "none",
                E::Malformed(_) => "malformed",
                E::NotHttp(_) => "not http",
                E::UserInfo => "user info",
                E::Query => "query",
                E::Fragment => "fragment",
                E::TooLong => "too long",
                E::PlainHttp(_) => "plain http",
                E::MalformedPath(_) | E::Elsewhere { .. } | E::Outside(_) => "resolved",
            };
            assert_eq!(kind, expected, "{text}");
        }
        let long = format!("https://x.org/{}", "ü".repeat(400));
        assert!(matches!(refusal(&long), E::TooLong));
        assert!(
            !refusal("https://user:secret@x.org")
                .to_string()
                .contains("secret")
        );
    }

    #[test]
    fn an_international_name_is_shown_in_both_forms() {
        let server = url("https://tickets.münchen.example/shop");
        assert_eq!(
            server.to_string(),
            "https://tickets.xn--mnchen-3ya.example/shop"
        );
        assert_eq!(
            server.origin(),
            "https://tickets.münchen.example (https://tickets.xn--mnchen-3ya.example)"
        );
        assert_eq!(url("http://x.org:8000/a").origin(), "http://x.org:8000");
    }

    #[test]
    fn plain_http_goes_to_this_machine_only_unless_it_is_allowed() {
        for near in [
            "http://localhost:8000",
            "http://LOCALHOST",
            "http://localhost./",
            "http://pretix.localhost",
            "http://127.0.0.1",
            "http://127.8.9.10:1",
            "http://0x7f.1",
            "http://[::1]:8000/a",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(url(near).is_loopback(), "{near}");
            url(near).check_transport(false).unwrap();
        }
        for far in [
            "http://pretix.eu",
            "http://localhost.evil.org",
            "http://notlocalhost",
            "http://128.0.0.1",
            "http://0.0.0.0",
            "http://[::2]",
            "http://127.0.0.1.evil.org",
        ] {
            assert!(!url(far).is_loopback(), "{far}");
            let error = url(far).check_transport(false).unwrap_err();
            assert!(matches!(error, ServerUrlError::PlainHttp(_)));
            url(far).check_transport(true).unwrap();
        }
        url("https://pretix.eu").check_transport(false).unwrap();
    }

    fn resolved(base: &str, text: &str) -> Result<String, &'static str> {
        use ServerUrlError as E;
        match url(base).resolve(text) {
            Ok(url) => Ok(url.to_string()),
            Err(E::MalformedPath(_)) => Err("malformed"),
            Err(E::Elsewhere { .. }) => Err("elsewhere"),
            Err(E::Outside(_)) => Err("outside"),
            Err(E::UserInfo) => Err("user info"),
            Err(error) => panic!("{error:?}"),
        }
    }

    #[test]
    fn a_path_or_an_address_below_the_server_is_resolved() {
        let base = "https://x.org/tickets";
        for (text, expected) in [
            ("api/v1/device/info", "/api/v1/device/info"),
            ("/api/v1/device/info", "/api/v1/device/info"),
            ("api/v1/?page=2&q=a%2Fb", "/api/v1/?page=2&q=a%2Fb"),
            ("api/v1/?next=../../up", "/api/v1/?next=../../up"),
            ("api/v1/#part", "/api/v1/"),
            ("api/v2/../v1/./info", "/api/v1/info"),
            ("api/..x/...", "/api/..x/..."),
            ("api/%C3%BC%20a", "/api/%C3%BC%20a"),
            ("", "/"),
            ("https://x.org/tickets/api/?page=2", "/api/?page=2"),
            ("HTTPS://X.ORG:443/tickets/api/#a", "/api/"),
        ] {
            assert_eq!(
                resolved(base, text),
                Ok(format!("{base}{expected}")),
                "{text}"
            );
        }
        assert_eq!(
            resolved("http://localhost:8000", "http://localhost:8000/api/?page=2"),
            Ok("http://localhost:8000/api/?page=2".to_owned())
        );
    }

    #[test]
    fn what_leads_elsewhere_is_not_resolved() {
        for (text, expected) in [
            ("https://evil.org/tickets/api", "elsewhere"),
            ("http://x.org/tickets/api", "elsewhere"),
            ("https://x.org:8443/tickets/api", "elsewhere"),
            ("https://x.org.evil.org/tickets/", "elsewhere"),
            ("https:evil.org/tickets/", "elsewhere"),
            ("https:\\\\evil.org\\tickets\\", "elsewhere"),
            ("ht\ntps://evil.org/tickets/", "elsewhere"),
            ("https://x.org@evil.org/tickets/", "elsewhere"),
            ("file:///tickets/", "elsewhere"),
            ("javascript:alert(1)", "elsewhere"),
            ("https://me@x.org/tickets/", "user info"),
            ("https://:word@x.org/tickets/", "user info"),
            ("//evil.org/tickets/", "outside"),
            ("///evil.org/tickets/", "outside"),
            ("/\\evil.org/", "outside"),
            ("\\\\evil.org/", "outside"),
            ("\\evil.org", "outside"),
            ("https://x.org/", "outside"),
            ("https://x.org/tickets", "outside"),
            ("https://x.org/tickets-of-others/", "outside"),
            ("https://x.org/tickets/../admin", "outside"),
            ("../admin", "outside"),
            ("/../admin", "outside"),
            ("api/../../admin", "outside"),
            ("api/%2e%2e/%2E./admin", "outside"),
            ("api\\..\\..\\admin", "outside"),
            ("..%2fadmin", "outside"),
            ("api/..%2F..%2fadmin", "outside"),
            ("api/..%5c..%5cadmin", "outside"),
            ("api/%252e%252e/admin", "outside"),
            ("..%25252fadmin", "outside"),
            ("api/..;/..;/admin", "outside"),
            ("https://", "malformed"),
            ("https://x.org:99999/", "malformed"),
        ] {
            assert_eq!(
                resolved("https://x.org/tickets", text),
                Err(expected),
                "{text}"
            );
        }
        let long = "a/".repeat(5000);
        assert_eq!(resolved("https://x.org", &long), Err("outside"));
        assert_eq!(
            resolved("http://x.org/tickets", "https://x.org/tickets/"),
            Err("elsewhere")
        );
    }

    proptest! {
        #[test]
        fn any_prefix_is_kept(prefix in "(/[a-zA-Z0-9äß_~%.-]{1,8}){0,4}/{0,2}") {
            let base = url(&format!("https://x.org{prefix}"));
            let endpoint = base.endpoint("api/v1/device/info");
            prop_assert_eq!(endpoint.to_string(), format!("{base}/api/v1/device/info"));
            prop_assert_eq!(base.to_string().parse::<ServerUrl>().unwrap(), base);
        }

        #[test]
        fn what_is_resolved_is_below_the_server(text in prop_oneof![
            ".{0,40}",
            "[./\\\\%2eEfF5cC;a@:?#]{0,30}",
            "(https?:)?[/\\\\]{0,3}(x\\.org|evil\\.org|a@x\\.org)?(/tickets)?[./\\\\%2ef5c;]{0,20}",
        ]) {
            let base = url("https://x.org/tickets");
            if let Ok(resolved) = base.resolve(&text) {
                prop_assert!(resolved.as_str().starts_with("https://x.org/tickets/"));
                prop_assert_eq!(resolved.fragment(), None);
                // Decoded to the end, and in the words of those for whom \\ is a slash.
                let mut path = resolved.path().to_owned();
                for _ in 0..text.len() {
                    path = percent_decode(path.as_bytes()).decode_utf8_lossy().into_owned();
                }
                prop_assert!(!path.split(['/', '\\']).any(|segment| segment == ".."), "{}", path);
                prop_assert_eq!(base.resolve(resolved.as_str()).unwrap(), resolved);
            }
        }

        #[test]
        fn a_plain_path_is_resolved_like_an_endpoint(
            path in "(/[a-z0-9_~-]{1,8}){1,5}/?(\\?[a-z=&./]{0,9})?",
        ) {
            let base = url("https://x.org/tickets");
            prop_assert_eq!(base.resolve(&path).unwrap(), base.endpoint(&path));
            let whole = format!("{base}{path}");
            prop_assert_eq!(base.resolve(&whole).unwrap(), base.endpoint(&path));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}", path in ".{0,60}") {
            if let Ok(base) = text.parse::<ServerUrl>() {
                prop_assert_eq!(base.to_string().parse::<ServerUrl>().unwrap(), base.clone());
                prop_assert_eq!(base.endpoint(&path).origin(), base.0.origin());
            }
        }

        #[test]
        fn any_http_address_is_read_or_refused(rest in "[ -~äß]{0,40}", path in ".{0,30}") {
            if let Ok(base) = format!("http://{rest}").parse::<ServerUrl>() {
                prop_assert_eq!(base.to_string().parse::<ServerUrl>().unwrap(), base.clone());
                prop_assert_eq!(base.endpoint(&path).origin(), base.0.origin());
            }
        }
    }
}
