//! Which requests come in: those that name a host of ours, by the path that is meant.

use hyper::http::uri::PathAndQuery;
use hyper::{Request, Uri, Version};

use super::callers::Callers;
use super::client::Client;
use super::hosts;
use super::refusal::Refusal;
use crate::mask;

/// What the path of every endpoint begins with.
const API: &str = "/api/";

/// Where proxies ask whether a device may make a request that came to them.
pub(in crate::server) const VERIFY: &str = "/auth/verify";

/// Who answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Destination {
    Api,
    Page,
}

/// Says who answers a request, by its path, and gives it the path that is meant.
pub(in crate::server) fn destination<B>(request: &mut Request<B>, prefix: &str) -> Destination {
    let (destination, uri) = meant(request.uri(), prefix);
    if let Some(uri) = uri {
        *request.uri_mut() = uri;
    }
    destination
}

/// Refuses what names no host of ours.
pub(in crate::server) fn check_host<B>(
    callers: &Callers,
    request: &Request<B>,
) -> Result<(), Refusal> {
    let client = request.extensions().get().copied();
    let client: Client = client.unwrap_or_default();
    match hosts::named(request.uri(), request.headers(), &client)? {
        Some(host) if callers.hosts.allow(host, client.reached) => Ok(()),
        Some(host) => {
            callers.foreign.count(|times| {
                tracing::warn!(
                    host = mask::path(host),
                    client = client.address.map(tracing::field::display),
                    times,
                    "a request for another host was refused; if callers reach this server by that name, \
                     give it as --public-url or --allowed-host"
                );
            });
            Err(Refusal::Host(
                "The host of this address is none of this server's. Whoever runs it can allow it with \
                 --public-url or --allowed-host; its log names it.",
            ))
        }
        None if request.version() == Version::HTTP_11 => {
            Err(Refusal::Host("The request names no host."))
        }
        None => Ok(()),
    }
}

/// Who answers, and the address that is meant where it is not the one that came: without the path of the public
/// address, which a proxy may take away or leave, and without the second slash that an address with a slash at
/// its end leads to.
fn meant(uri: &Uri, prefix: &str) -> (Destination, Option<Uri>) {
    let path = uri.path();
    let below = path.strip_prefix(prefix).map(with_one_slash);
    let (destination, meant) = match (api_path(path, prefix), below) {
        (Some(api), _) => (Destination::Api, api),
        (None, Some("")) => (Destination::Page, "/"),
        (None, Some(below)) if below.starts_with('/') => (Destination::Page, below),
        (None, _) => (Destination::Page, with_one_slash(path)),
    };
    if meant == path {
        return (destination, None);
    }
    let query = uri.query().map(|query| format!("?{query}"));
    let target = format!("{meant}{}", query.unwrap_or_default());
    let target = target.parse().ok();
    (
        destination,
        target.map(|target: PathAndQuery| target.into()),
    )
}

/// The path that is meant, if it is one of the API.
pub(in crate::server) fn api_path<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let is_api = |path: &&str| path.starts_with(API) || *path == VERIFY;
    let below = path.strip_prefix(prefix).map(with_one_slash);
    below
        .filter(is_api)
        .or_else(|| Some(with_one_slash(path)).filter(is_api))
}

fn with_one_slash(path: &str) -> &str {
    match path.strip_prefix("//") {
        Some(after) if !after.starts_with('/') => path.get(1..).unwrap_or(path),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_path_and_one_slash_before_the_rest_are_taken_away() {
        let path = |path: &str, prefix| {
            let uri: Uri = path.parse().unwrap();
            let (destination, meant) = meant(&uri, prefix);
            (destination, meant.unwrap_or(uri).to_string())
        };
        for (came, prefix, expected) in [
            ("/api/v1/x?a=//b", "", "/api/v1/x?a=//b"),
            ("//api/v1/x?a=//b", "", "/api/v1/x?a=//b"),
            ("///api/v1/x", "", "///api/v1/x"),
            ("/api//v1/x", "", "/api//v1/x"),
            ("/shop/api/v1/x?a", "/shop", "/api/v1/x?a"),
            ("/shop//api/v1/x", "/shop", "/api/v1/x"),
            ("/shop///api/v1/x", "/shop", "///api/v1/x"),
            ("/shopapi/v1/x", "/shop", "/shopapi/v1/x"),
            ("/shop/shop/api/v1/x", "/shop", "/shop/api/v1/x"),
            ("/api/v1/x", "/shop", "/api/v1/x"),
            ("//api/v1/x", "/shop", "/api/v1/x"),
            ("/api/v1/x", "/api", "/api/v1/x"),
            ("/api/api/v1/x", "/api", "/api/v1/x"),
            ("/shop", "/shop", "/"),
            ("/shop?a", "/shop", "/?a"),
            ("/shop/", "/shop", "/"),
            ("/shop/devices", "/shop", "/devices"),
            ("/devices", "/shop", "/devices"),
            ("/shopping", "/shop", "/shopping"),
            ("/", "", "/"),
        ] {
            let destination = match expected.starts_with(API) {
                true => Destination::Api,
                false => Destination::Page,
            };
            let expected = (destination, expected.to_owned());
            assert_eq!(path(came, prefix), expected, "{came} under {prefix:?}");
        }
    }
}
