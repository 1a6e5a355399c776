//! The way to a server, as errors name it.

use std::fmt;

use url::Url;

use super::proxy::HttpProxy;

/// A server and the proxy on the way to it, which may have caused whatever goes wrong there.
#[derive(Clone)]
pub(super) struct Route {
    /// Of which it is scheme, host and port; nothing if that can't even be read.
    url: Option<Url>,
    /// The proxy's address without its password, and what names it.
    pub(super) proxy: Option<String>,
    /// Whether the proxy was given a name and a password.
    pub(super) has_login: bool,
}

impl Route {
    pub(super) fn to(url: &Url, proxy: Option<&HttpProxy>) -> Self {
        let proxy = proxy.filter(|proxy| proxy.is_on_the_way_to(url));
        Self {
            url: Some(url.clone()),
            proxy: proxy.map(ToString::to_string),
            has_login: proxy.is_some_and(HttpProxy::has_login),
        }
    }

    /// Of a request whose address can't even be read.
    pub(super) fn unknown() -> Self {
        Self {
            url: None,
            proxy: None,
            has_login: false,
        }
    }

    /// Whether all that is sent can be read on the way.
    pub(super) fn is_plain(&self) -> bool {
        self.url.as_ref().is_some_and(|url| url.scheme() == "http")
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.url {
            Some(url) => f.write_str(&url.origin().ascii_serialization())?,
            None => f.write_str("the server")?,
        }
        match &self.proxy {
            Some(proxy) => write!(f, " through the proxy {proxy}"),
            None => Ok(()),
        }
    }
}
