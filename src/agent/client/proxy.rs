//! The proxy of the environment: for https to other machines only.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{NoProxy, Proxy};
use url::Url;

use super::ClientError;

/// In the order in which they count.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
/// This machine in all spellings: a proxy's own `localhost` is another one.
const THIS_MACHINE: &str = "localhost,localhost.,127.0.0.0/8,::1,::ffff:127.0.0.0/104";

/// The proxy to use. Never for plain http, which is for this machine and trusted networks.
#[derive(Clone)]
pub(super) struct EnvironmentProxy {
    proxy: Proxy,
    /// The rules by which the HTTP library uses it, which does not tell.
    rules: Arc<Matcher>,
    /// Without its password.
    address: String,
    variable: &'static str,
}

impl EnvironmentProxy {
    pub(super) fn read() -> Result<Option<Self>, ClientError> {
        let setting = Setting::read(|name| std::env::var_os(name))?;
        setting.map(Self::new).transpose()
    }

    fn new(setting: Setting) -> Result<Self, ClientError> {
        let Setting {
            variable,
            address,
            direct,
        } = setting;
        let rules = Matcher::builder()
            .https(address.to_string())
            .no(direct.clone())
            .build();
        let shown = address.origin().ascii_serialization();
        let proxy = Proxy::https(address).map_err(ClientError::Http)?;
        Ok(Self {
            proxy: proxy.no_proxy(NoProxy::from_string(&direct)),
            rules: Arc::new(rules),
            address: shown,
            variable,
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
}

impl fmt::Display for EnvironmentProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.address, self.variable)
    }
}

/// What the environment says.
struct Setting {
    variable: &'static str,
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
            variable: name,
            address,
            direct,
        }))
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
            assert_eq!(EnvironmentProxy::new(set).unwrap().to_string(), named);
        }
    }

    #[test]
    fn this_machine_and_what_is_excepted_are_reached_without_it() {
        let goes_through = |no_proxy: &str, url: &str| {
            let set = read(&[("https_proxy", "http://proxy"), ("NO_PROXY", no_proxy)]);
            let proxy = set.unwrap().map(|set| EnvironmentProxy::new(set).unwrap());
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
