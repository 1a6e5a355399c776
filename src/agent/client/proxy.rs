//! The proxy on the way, of the environment or given: for https to other machines only.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{NoProxy, Proxy, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::ClientError;

/// In the order in which they count.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
/// This machine in all spellings: a proxy's own `localhost` is another one.
const THIS_MACHINE: &str = "localhost,localhost.,127.0.0.0/8,::1,::ffff:127.0.0.0/104";

/// The proxy to use. Never for plain http, which is for this machine and trusted networks.
#[derive(Clone)]
pub(super) struct HttpProxy {
    proxy: Proxy,
    /// The rules by which the HTTP library uses it, which does not tell.
    rules: Arc<Matcher>,
    /// Without its password.
    address: String,
    has_login: bool,
    /// The variable that names it, or who else does.
    named_by: &'static str,
}

/// The proxy on the way to a server.
#[cfg(feature = "cli")]
pub struct ProxyOnTheWay {
    /// Its address without a password, and what names it.
    pub shown: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// Which proxy to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyChoice {
    /// That of the environment, if it names one.
    #[default]
    Environment,
    /// None.
    Direct,
    /// The one for HTTP at this host and port.
    Http {
        /// Name or numeric address.
        host: String,
        /// Its port.
        port: u16,
    },
}

/// Why a proxy does not connect to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyRefusal {
    /// It was given no name and password.
    #[error("the proxy wants a login (status 407)")]
    LoginWanted,
    /// It was given others than it accepts.
    #[error("the proxy does not accept the name and password in its address (status 407)")]
    LoginRefused,
    /// The network lets nothing through yet.
    #[error("the proxy wants a login to the network first (status {})", .0.as_u16())]
    NetworkLogin(StatusCode),
    /// It gets nowhere itself.
    #[error("the proxy can't reach the server (status {})", .0.as_u16())]
    Unreachable(StatusCode),
    /// It does not let this device through.
    #[error("the proxy refuses to connect to the server (status {})", .0.as_u16())]
    Refused(StatusCode),
    /// It does not connect, with a status that is not known.
    #[error("the proxy does not connect to the server")]
    Unknown,
}

impl ProxyRefusal {
    fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::NETWORK_AUTHENTICATION_REQUIRED => Self::NetworkLogin(status),
            _ if status.is_redirection() => Self::NetworkLogin(status),
            _ if status.is_server_error() => Self::Unreachable(status),
            // Now it does.
            _ if status.is_success() => Self::Unknown,
            _ => Self::Refused(status),
        }
    }

    /// Whether it may be another one within a minute.
    pub(super) fn may_heal(self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Unknown)
    }
}

impl HttpProxy {
    pub(super) fn chosen(choice: &ProxyChoice) -> Result<Option<Self>, ClientError> {
        let setting = match choice {
            ProxyChoice::Environment => Setting::read(|name| std::env::var_os(name))?,
            ProxyChoice::Direct => None,
            ProxyChoice::Http { host, port } => Some(Setting::given(host, *port)?),
        };
        setting.map(Self::new).transpose()
    }

    fn new(setting: Setting) -> Result<Self, ClientError> {
        let Setting {
            named_by,
            address,
            direct,
        } = setting;
        let rules = Matcher::builder()
            .https(address.to_string())
            .no(direct.clone())
            .build();
        let shown = address.origin().ascii_serialization();
        let has_login = !address.username().is_empty() || address.password().is_some();
        let proxy = Proxy::https(address).map_err(ClientError::Http)?;
        Ok(Self {
            proxy: proxy.no_proxy(NoProxy::from_string(&direct)),
            rules: Arc::new(rules),
            address: shown,
            has_login,
            named_by,
        })
    }

    /// For the HTTP library.
    pub(super) fn setting(&self) -> Proxy {
        self.proxy.clone()
    }

    pub(super) fn is_on_the_way_to(&self, url: &Url) -> bool {
        let uri = url.as_str().parse();
        uri.is_ok_and(|uri| self.rules.intercept(&uri).is_some())
    }

    /// The same as it is connected to, if it is on the way.
    #[cfg(feature = "cli")]
    pub(super) fn on_the_way_to(&self, url: &Url) -> Option<ProxyOnTheWay> {
        let way = self.rules.intercept(&url.as_str().parse().ok()?)?;
        let proxy = way.uri();
        let usual = match proxy.scheme_str() {
            Some("https") => 443,
            _ => 80,
        };
        Some(ProxyOnTheWay {
            shown: self.to_string(),
            host: proxy.host()?.trim_matches(['[', ']']).to_owned(),
            port: proxy.port_u16().unwrap_or(usual),
        })
    }

    /// Whether its address has a name or a password.
    pub(super) fn has_login(&self) -> bool {
        self.has_login
    }

    /// Asks it once more for a connection to `url`, to hear why it makes none: the HTTP library hides
    /// the status.
    pub(super) async fn ask_why(&self, url: &Url) -> ProxyRefusal {
        let status = self.status_of_connecting(url).await;
        status.map_or(ProxyRefusal::Unknown, ProxyRefusal::of)
    }

    async fn status_of_connecting(&self, url: &Url) -> Option<StatusCode> {
        let way = self.rules.intercept(&url.as_str().parse().ok()?)?;
        let proxy = way.uri();
        if proxy.scheme_str() != Some("http") {
            return None;
        }
        let host = proxy.host()?.trim_matches(['[', ']']);
        let mut stream = TcpStream::connect((host, proxy.port_u16().unwrap_or(80))).await;
        let stream = stream.as_mut().ok()?;
        let to = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
        // With room for all of it, so that the login is not left behind elsewhere.
        let mut request = Zeroizing::new(Vec::with_capacity(4096));
        request.extend_from_slice(format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n").as_bytes());
        if let Some(login) = way.basic_auth() {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(login.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request).await.ok()?;
        let mut line = [0; "HTTP/1.1 200".len()];
        stream.read_exact(&mut line).await.ok()?;
        let (_, status) = std::str::from_utf8(&line).ok()?.split_once(' ')?;
        status.parse().ok()
    }
}

impl fmt::Display for HttpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.address, self.named_by)
    }
}

/// What the environment says, or was given.
struct Setting {
    named_by: &'static str,
    address: Url,
    /// What is reached without it, in the form of `NO_PROXY`.
    direct: String,
}

impl Setting {
    fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>, ClientError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let Some((name, value)) = VARIABLES
            .into_iter()
            .find_map(|name| Some((name, set(name)?)))
        else {
            return Ok(None);
        };
        let address = value.to_string_lossy();
        // Without a scheme `proxy:3128` would be the scheme `proxy`.
        let address = if address.contains("://") {
            Url::parse(&address)
        } else {
            Url::parse(&format!("http://{address}"))
        };
        let address = address.map_err(|source| ClientError::Proxy {
            variable: name,
            source,
        })?;
        if !matches!(address.scheme(), "http" | "https") {
            return Err(ClientError::ProxyKind { variable: name });
        }
        let more = set("NO_PROXY").or_else(|| set("no_proxy"));
        let more = more.unwrap_or_default();
        let more = more.to_string_lossy();
        // The library takes it for any name, but for no number.
        if more.split(',').any(|entry| entry.trim() == "*") {
            return Ok(None);
        }
        let direct = format!("{THIS_MACHINE},{more}");
        Ok(Some(Self {
            named_by: name,
            address,
            direct,
        }))
    }

    /// A proxy by its host and port; numeric addresses of version 6 with or without brackets.
    fn given(host: &str, port: u16) -> Result<Self, ClientError> {
        let host = host.trim_matches(['[', ']']);
        let host = match host.contains(':') {
            true => Host::parse(&format!("[{host}]")),
            false => Host::parse(host),
        };
        let host = host.map_err(ClientError::GivenProxy)?;
        let address = Url::parse(&format!("http://{host}:{port}"));
        Ok(Self {
            named_by: "set for this network",
            address: address.map_err(ClientError::GivenProxy)?,
            direct: THIS_MACHINE.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(environment: &[(&str, &str)]) -> Result<Option<Setting>, ClientError> {
        Setting::read(|name| {
            let entry = environment.iter().find(|(set, _)| *set == name);
            entry.map(|(_, value)| value.into())
        })
    }

    fn address(environment: &[(&str, &str)]) -> Option<String> {
        read(environment)
            .unwrap()
            .map(|setting| setting.address.to_string())
    }

    #[test]
    fn the_first_variable_that_is_not_empty_counts() {
        for (environment, expected) in [
            (&[][..], None),
            (&[("https_proxy", "")], None),
            (&[("http_proxy", "http://a")], None),
            (&[("HTTPS_PROXY", "http://a")], Some("http://a/")),
            (
                &[("ALL_PROXY", "http://b"), ("https_proxy", "https://a:8")],
                Some("https://a:8/"),
            ),
            (
                &[("https_proxy", ""), ("all_proxy", "proxy:3128")],
                Some("http://proxy:3128/"),
            ),
            (
                &[("https_proxy", "me:word@proxy")],
                Some("http://me:word@proxy/"),
            ),
        ] {
            assert_eq!(address(environment).as_deref(), expected);
        }
    }

    #[test]
    fn an_address_that_is_none_is_told_without_its_password() {
        for (text, words) in [
            ("http://me:s3cret@[proxy", "can't be read"),
            ("me:s3cret@proxy:none", "can't be read"),
            ("http://", "can't be read"),
            ("socks5://me:s3cret@proxy", "is none for HTTP"),
            ("s3cret://proxy", "is none for HTTP"),
        ] {
            let Err(error) = read(&[("all_proxy", text)]) else {
                panic!("{text} is refused");
            };
            let chain = format!("{error}: {:?}", std::error::Error::source(&error));
            assert!(chain.contains(words), "{chain}");
            assert!(chain.contains("all_proxy"), "{chain}");
            assert!(!chain.contains("s3cret"), "{chain}");
        }
    }

    #[test]
    fn a_proxy_is_named_without_what_it_is_told_in_secret() {
        for (text, named) in [
            (
                "http://me:s3cret@proxy:3128",
                "http://proxy:3128 (all_proxy)",
            ),
            (
                "s3cret@proxy:3128/s3cret?s3cret",
                "http://proxy:3128 (all_proxy)",
            ),
            ("https://proxy.example", "https://proxy.example (all_proxy)"),
        ] {
            let set = read(&[("all_proxy", text)]).unwrap().unwrap();
            assert_eq!(HttpProxy::new(set).unwrap().to_string(), named);
        }
    }

    #[test]
    fn a_proxy_that_is_given_is_used_for_https_to_other_machines() {
        for (host, named) in [
            ("proxy", "http://proxy:3128 (set for this network)"),
            ("10.0.0.1", "http://10.0.0.1:3128 (set for this network)"),
            ("::1", "http://[::1]:3128 (set for this network)"),
            ("[fe80::1]", "http://[fe80::1]:3128 (set for this network)"),
        ] {
            let (host, port) = (host.to_owned(), 3128);
            let choice = ProxyChoice::Http { host, port };
            let proxy = HttpProxy::chosen(&choice).unwrap().unwrap();
            assert_eq!(proxy.to_string(), named);
            let is_on_the_way = |url| proxy.is_on_the_way_to(&Url::parse(url).unwrap());
            assert!(is_on_the_way("https://pretix.eu/"));
            assert!(!is_on_the_way("https://127.0.0.1/") && !is_on_the_way("http://pretix.eu/"));
        }
        for host in ["", "a b", "me:word@proxy", "a/b"] {
            let (host, port) = (host.to_owned(), 3128);
            let chosen = HttpProxy::chosen(&ProxyChoice::Http { host, port });
            assert!(matches!(chosen, Err(ClientError::GivenProxy(_))));
        }
        assert!(HttpProxy::chosen(&ProxyChoice::Direct).unwrap().is_none());
    }

    #[test]
    fn this_machine_and_what_is_excepted_are_reached_without_it() {
        let goes_through = |no_proxy: &str, url: &str| {
            let set = read(&[("https_proxy", "http://proxy"), ("NO_PROXY", no_proxy)]);
            let proxy = set.unwrap().map(|set| HttpProxy::new(set).unwrap());
            proxy.is_some_and(|proxy| proxy.is_on_the_way_to(&Url::parse(url).unwrap()))
        };
        for near in [
            "https://localhost/",
            "https://LOCALHOST:8000/",
            "https://localhost./",
            "https://pretix.localhost/",
            "https://127.8.9.10/",
            "https://0x7f.1/",
            "https://[::1]:8000/",
            "https://[::ffff:127.0.0.1]/",
            "http://pretix.eu/",
        ] {
            assert!(!goes_through("", near), "{near}");
        }
        for far in [
            "https://pretix.eu/",
            "https://notlocalhost/",
            "https://localhost.evil.org/",
            "https://128.0.0.1/",
            "https://[::2]/",
        ] {
            assert!(goes_through("", far), "{far}");
            assert!(goes_through("other.org, 10.0.0.0/8", far), "{far}");
            assert!(!goes_through("*", far), "{far}");
        }
        assert!(!goes_through("pretix.eu", "https://pretix.eu/"));
        assert!(!goes_through(".pretix.eu", "https://shop.pretix.eu/"));
        assert!(!goes_through("10.0.0.0/8", "https://10.1.2.3/"));
    }
}
