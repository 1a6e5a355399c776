//! Which requests come in: those that name a host of ours, by the path that is meant.

use hyper::http::uri::PathAndQuery;
use hyper::{Request, Uri, Version};

use super::client::Client;
use super::hosts;
use super::problem::Problem;
use super::state::Api;
use super::verify;
use crate::mask;
use crate::seldom::Seldom;

/// What the path of every endpoint begins with.
const API: &str = "/api/";

static FOREIGN: Seldom = Seldom::new();

/// Refuses what names no host of ours, and hands on the rest with the path that is meant.
pub(super) fn admitted<B>(api: &Api, mut request: Request<B>) -> Result<Request<B>, Problem> {
    check_host(api, &request)?;
    if let Some(uri) = meant(request.uri(), api.prefix()) {
        *request.uri_mut() = uri;
    }
    Ok(request)
}

fn check_host<B>(api: &Api, request: &Request<B>) -> Result<(), Problem> {
    let client = request.extensions().get().copied();
    let client: Client = client.unwrap_or_default();
    match hosts::named(request.uri(), request.headers(), &client)? {
        Some(host) if api.callers.hosts.allow(host, client.reached) => Ok(()),
        Some(host) => {
            FOREIGN.count(|times| {
                tracing::warn!(
                    host = mask::path(host),
                    client = client.address.map(tracing::field::display),
                    times,
                    "a request for another host was refused; if callers reach this server by that name, \
                     give it as --public-url or --allowed-host"
                );
            });
            Err(Problem::Host(
                "The host of this address is none of this server's. Whoever runs it can allow it with \
                 --public-url or --allowed-host; its log names it.",
            ))
        }
        None if request.version() == Version::HTTP_11 => {
            Err(Problem::Host("The request names no host."))
        }
        None => Ok(()),
    }
}

/// The address that is meant where it is not the one that came: without the path of the public address,
/// which a proxy may take away or leave, and without the second slash that an address with a slash at its
/// end leads to.
fn meant(uri: &Uri, prefix: &str) -> Option<Uri> {
    let path = uri.path();
    let meant = meant_path(path, prefix);
    if meant.len() == path.len() {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}"));
    let target = format!("{meant}{}", query.unwrap_or_default());
    let target: PathAndQuery = target.parse().ok()?;
    Some(target.into())
}

/// The path that is meant.
pub(super) fn meant_path<'p>(path: &'p str, prefix: &str) -> &'p str {
    let below = path.strip_prefix(prefix).map(with_one_slash);
    let below = below.filter(|below| below.starts_with(API) || *below == verify::PATH);
    below.unwrap_or_else(|| with_one_slash(path))
}

/// How often a host was named that is none of ours.
pub(super) fn foreign_hosts() -> u64 {
    FOREIGN.total()
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
            meant(&uri, prefix).unwrap_or(uri).to_string()
        };
        for (came, prefix, expected) in [
            ("/api/v1/x?a=//b", "", "/api/v1/x?a=//b"),
            ("//api/v1/x?a=//b", "", "/api/v1/x?a=//b"),
            ("///api/v1/x", "", "///api/v1/x"),
            ("/api//v1/x", "", "/api//v1/x"),
            ("/shop/api/v1/x?a", "/shop", "/api/v1/x?a"),
            ("/shop//api/v1/x", "/shop", "/api/v1/x"),
            ("/shop///api/v1/x", "/shop", "/shop///api/v1/x"),
            ("/shopapi/v1/x", "/shop", "/shopapi/v1/x"),
            ("/shop/shop/api/v1/x", "/shop", "/shop/shop/api/v1/x"),
            ("/api/v1/x", "/shop", "/api/v1/x"),
            ("//api/v1/x", "/shop", "/api/v1/x"),
            ("/api/v1/x", "/api", "/api/v1/x"),
            ("/api/api/v1/x", "/api", "/api/v1/x"),
            ("/shop", "/shop", "/shop"),
        ] {
            assert_eq!(path(came, prefix), expected, "{came} under {prefix:?}");
        }
    }
}
