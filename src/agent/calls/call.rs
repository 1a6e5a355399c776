//! What may be called for, and how: the app names method and path, and what else it likes.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::own_path;
use crate::agent::answer;
use crate::agent::client::Repeat;
use crate::agent::core::Known;
use crate::agent::error::AgentError;
use crate::agent::idempotency_key;
use crate::enrolment::ServerUrl;
use crate::secret::Secret;
use crate::wire::{self, IDEMPOTENCY_HEADER};

/// Largest answer of the API that is handed on, in bytes.
const RESPONSE_LIMIT: usize = 32 * 1024 * 1024;

/// Headers that are not an app's to set: the agent or its connection does it, or they make another
/// method, path or server of what is asked for.
const NOT_FOR_APPS: [&str; 28] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "idempotency-key",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-idempotency-key",
    "x-method-override",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-rewrite-uri",
    "x-rewrite-url",
];

/// A call to the API.
pub struct ApiRequest {
    /// GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE.
    pub method: String,
    /// Path below the server's address, or an absolute URL below it, as lists give for the next page.
    pub path: String,
    /// Empty for none.
    pub body: Vec<u8>,
    /// `application/json` if there is a body and nothing else is said.
    pub content_type: Option<String>,
    /// More headers, as names and values; those that the agent sets itself are refused.
    pub headers: Vec<(String, String)>,
    /// Key under which the server repeats its answer; one is made for methods that change something.
    pub idempotency_key: Option<Secret>,
    /// Send it again only if it surely never arrived: for what changes something at a server that may
    /// not know idempotency keys.
    pub once: bool,
    /// Longest time for the call with all its repetitions and what comes before it, as a report that is
    /// due; that of the client without. That of the client holds, too, but for a streamed call itself, whose
    /// answer has to begin by then: a large body may take long.
    pub time_limit: Option<Duration>,
    /// Longest silence of the server, in place of the client's
    /// [`read_timeout`](super::super::ClientConfig::read_timeout).
    pub read_timeout: Option<Duration>,
}

/// A call that can be made again with another key.
pub(super) struct Call {
    pub(super) method: Method,
    path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) limit: usize,
    pub(super) repeat: Repeat,
    pub(super) time_limit: Option<Duration>,
    pub(super) read_timeout: Option<Duration>,
}

impl ApiRequest {
    /// A key for [`ApiRequest::idempotency_key`], as is made for a call that has none.
    pub fn new_idempotency_key() -> Result<Secret, AgentError> {
        idempotency_key::make().map_err(AgentError::Random)
    }

    /// Whether [`ApiRequest::headers`] may have one of this name.
    pub fn may_have(name: &str) -> bool {
        !is_not_for_apps(name)
    }

    /// Whether the method may change something, so that the call has an idempotency key.
    pub fn may_change_something(&self) -> bool {
        method(&self.method).is_some_and(|method| !method.is_safe())
    }
}

impl Call {
    /// A question to the device API itself.
    pub(super) fn get(path: String) -> Self {
        let mut headers = HeaderMap::new();
        // Its words have to be understood.
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
        Self {
            method: Method::GET,
            path,
            headers,
            body: Vec::new(),
            limit: answer::ANSWER_LIMIT,
            repeat: Repeat::Safe,
            time_limit: None,
            read_timeout: None,
        }
    }

    /// A call of an app. `is_streamed`: whether a body follows that is not in the request.
    pub(super) fn of(request: ApiRequest, is_streamed: bool) -> Result<Self, AgentError> {
        let method = method(&request.method).ok_or(AgentError::Method(request.method))?;
        let mut headers = own_headers(request.headers)?;
        if !headers.contains_key(ACCEPT) {
            headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*"));
        }
        if is_streamed || !request.body.is_empty() {
            let content_type = request.content_type.as_deref();
            let content_type = content_type.unwrap_or("application/json");
            headers.insert(CONTENT_TYPE, header_value("content type", content_type)?);
        }
        if !method.is_safe() {
            let key = match request.idempotency_key {
                Some(key) => key,
                None => idempotency_key::make().map_err(AgentError::Random)?,
            };
            let mut value = header_value("idempotency key", key.expose())?;
            value.set_sensitive(true);
            let name = HeaderName::from_bytes(IDEMPOTENCY_HEADER.as_bytes());
            headers.insert(
                name.map_err(|_| AgentError::Header("idempotency key"))?,
                value,
            );
        }
        Ok(Self {
            method,
            path: request.path,
            headers,
            body: request.body,
            limit: RESPONSE_LIMIT,
            repeat: match request.once {
                true => Repeat::No,
                false => Repeat::Safe,
            },
            time_limit: request.time_limit,
            read_timeout: request.read_timeout,
        })
    }

    pub(super) fn is_info(&self) -> bool {
        let path = self.path.split(['?', '#']).next().unwrap_or_default();
        self.method == Method::GET && path.trim_end_matches('/').ends_with(wire::path::INFO)
    }

    /// Where the call goes.
    pub(super) fn address(&self, server: &ServerUrl) -> Result<Url, AgentError> {
        let url = server.resolve(&self.path)?;
        own_path::refuse(&url)?;
        Ok(url)
    }

    /// The same at a device's server, which remembers the last one.
    pub(super) fn address_for(&self, known: &Known) -> Result<Url, AgentError> {
        let find = || self.address(&known.identity.server);
        known.last.address(&self.path, find)
    }
}

/// Those that an API may have: CONNECT and TRACE would be answered by what is between.
fn method(name: &str) -> Option<Method> {
    [
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ]
    .into_iter()
    .find(|method| method.as_str().eq_ignore_ascii_case(name))
}

fn header_value(what: &'static str, text: &str) -> Result<HeaderValue, AgentError> {
    HeaderValue::from_str(text).map_err(|_| AgentError::Header(what))
}

/// Headers of an app. What the agent or the connection is in charge of is refused, and so is what would
/// pack the answer, in which the key is masked.
fn own_headers(given: Vec<(String, String)>) -> Result<HeaderMap, AgentError> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| AgentError::Header("name of a header"))?;
        if is_not_for_apps(header.as_str()) {
            return Err(AgentError::OwnHeader(name));
        }
        headers.append(header, header_value("value of a header", &value)?);
    }
    Ok(headers)
}

/// A gateway or server may take an underscore for a hyphen.
fn is_not_for_apps(name: &str) -> bool {
    let is = |known: &str, name: &[u8]| {
        let as_known = |byte: &u8| match byte {
            b'_' => b'-',
            byte => byte.to_ascii_lowercase(),
        };
        known.len() == name.len() && name.iter().map(as_known).eq(known.bytes())
    };
    let begins = |kind: &str| {
        let beginning = name.as_bytes().get(..kind.len());
        beginning.is_some_and(|beginning| is(kind, beginning))
    };
    NOT_FOR_APPS.iter().any(|known| is(known, name.as_bytes()))
        || ["proxy-", "x-forwarded-"].into_iter().any(begins)
}
