//! `GET /auth/verify`: tells a proxy, as nginx by `auth_request`, whether a device may make a request that came to it.
//!
//! The request is judged as one to the API is: by the device's key and security profile, and by its path as it came. A
//! path that could mean something else to what is behind the proxy is denied, whatever the profile.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::authentication::{Caller, Device};
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::state::Api;
use crate::security_profile;
use crate::seldom::Seldom;
use crate::server::model::EnrolledDevice;
use crate::server::reception::{Client, VERIFY};

const METHOD: HeaderName = HeaderName::from_static("x-original-method");
const URI: HeaderName = HeaderName::from_static("x-original-uri");

/// What stands in a header as it is: what every reader takes for text.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

static UNTRUSTED: Seldom = Seldom::new();

/// Answers 204 with who the device is, 401 or 403; all else means that it can't be told now.
pub(super) async fn verify(api: &Api, request: hyper::Request<Body>) -> Reply {
    let judged = match *request.method() {
        Method::GET | Method::HEAD => judge(api, request).await,
        _ => Err(Problem::Method(request.method().clone())),
    };
    match judged {
        Ok(device) => admitted(&device),
        Err(problem) => {
            let is_unknown = matches!(problem, Problem::ManyUnknown { .. });
            let mut reply = Reply::refusal(problem);
            if is_unknown {
                // A proxy knows these two alone, and takes all else for a fault of ours.
                reply.status = StatusCode::UNAUTHORIZED.as_u16();
            }
            match reply.status {
                401 => reply
                    .headers
                    .push(("www-authenticate".into(), "Device".into())),
                405 => reply.headers.push(("allow".into(), "GET, HEAD".into())),
                _ => {}
            }
            reply
        }
    }
}

async fn judge(
    api: &Api,
    mut request: hyper::Request<Body>,
) -> Result<Arc<EnrolledDevice>, Problem> {
    let client: Client = request.extensions().get().copied().unwrap_or_default();
    if !client.by_proxy {
        UNTRUSTED.count(|times| {
            tracing::warn!(
                times,
                client = client.address.map(tracing::field::display),
                "{VERIFY} was asked by one that is not named with --trusted-proxy, and denied"
            );
        });
        return Err(Problem::Forbidden(
            "Only a trusted proxy may ask this: name it with --trusted-proxy.",
        ));
    }
    let original = original(request.headers(), api.prefix());
    let (method, uri) = original.ok_or(Problem::Forbidden(
        "The original request is not named, not clear, or has a path that could mean something else on the way.",
    ))?;
    (*request.method_mut(), *request.uri_mut()) = (method, uri);
    let request = Request::read(request, Vec::new()).await?;
    let Device { device, .. } = Device::authorize(api, &request).await?;
    Ok(device)
}

/// The request that came to the proxy: its method, and its path without the query string and that of the public
/// address. Nothing is decoded or put right: what is judged is what the proxy passes on.
fn original(headers: &HeaderMap, prefix: &str) -> Option<(Method, Uri)> {
    let method = only(headers, &METHOD)?;
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let method: Method = Some(method).filter(|_| is_method)?.parse().ok()?;
    let uri = only(headers, &URI)?;
    let path = uri.split_once('?').map_or(uri, |(path, _)| path);
    if path != "/" && !security_profile::is_plain_path(path) {
        return None;
    }
    let below = path.strip_prefix(prefix);
    let path = below.filter(|below| below.starts_with('/')).unwrap_or(path);
    Some((method, path.parse().ok()?))
}

/// The value of a header that is there once: of two, one may be the caller's own.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn admitted(device: &EnrolledDevice) -> Reply {
    let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let mut headers: Vec<(Cow<'static, str>, Cow<'static, str>)> = vec![
        (
            "x-gatehand-device".into(),
            device.device_id.to_string().into(),
        ),
        (
            "x-gatehand-organizer".into(),
            encoded(&device.organizer.slug).into(),
        ),
    ];
    if let Some(gate) = &device.gate {
        headers.push(("x-gatehand-gate".into(), encoded(&gate.identifier).into()));
    }
    Reply {
        status: StatusCode::NO_CONTENT.as_u16(),
        headers,
        body: String::new(),
        is_withheld: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(method: &str, uri: &str) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(METHOD, method.parse().unwrap());
        headers.insert(URI, uri.parse().ok()?);
        let (method, uri) = original(&headers, "/shop")?;
        Some((method.to_string(), uri.to_string()))
    }

    #[test]
    fn the_original_request_is_judged_without_its_query_and_the_path_of_the_public_address() {
        for (uri, path) in [
            ("/", "/"),
            ("/api/v1/device/info", "/api/v1/device/info"),
            ("/api/v1/device/info?a=%2F..", "/api/v1/device/info"),
            ("/shop/api/v1/device/info", "/api/v1/device/info"),
            ("/shopping", "/shopping"),
            ("/shop", "/shop"),
        ] {
            assert_eq!(told("GET", uri), Some(("GET".into(), path.into())), "{uri}");
        }
    }

    #[test]
    fn what_could_mean_something_else_on_the_way_is_denied() {
        for uri in [
            "",
            "api/v1",
            "?a=b",
            "*",
            "http://tickets.example/api/v1/device/info",
            "//api/v1/device/info",
            "/api//v1/device/info",
            "/api/v1/device/info//",
            "/api/./v1",
            "/api/../admin",
            "/..",
            "/api/%2e%2e/admin",
            "/api%2fv1/device/info",
            "/api%2Fv1",
            "/api/v1/device/info%00",
            "/api/v1/%69nfo",
            "/api\\v1",
            "/api/v1;x",
            "/api/v1#x",
            "/api/v1 /x",
            "/äpi",
        ] {
            assert_eq!(told("GET", uri), None, "{uri}");
        }
        for method in ["", "get", "Get", "GET ", "G-T", "GET\tX"] {
            assert_eq!(told(method, "/api/v1/device/info"), None, "{method}");
        }
    }

    #[test]
    fn what_is_named_twice_or_not_at_all_is_denied() {
        let mut headers = HeaderMap::new();
        assert_eq!(original(&headers, ""), None);
        headers.insert(METHOD, "GET".parse().unwrap());
        assert_eq!(original(&headers, ""), None);
        headers.insert(URI, "/a".parse().unwrap());
        assert!(original(&headers, "").is_some());
        headers.append(URI, "/b".parse().unwrap());
        assert_eq!(original(&headers, ""), None);
    }
}
