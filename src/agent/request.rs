//! Authenticated calls: the app names method and path, and the key is added here.

use reqwest::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::{Method, StatusCode};

use super::access::Access;
use super::answer;
use super::client::{Answer, Repeat, device_authorization};
use super::journal;
use super::key_check::AfterDoubt;
use super::state::State;
use super::{Agent, AgentError};
use crate::enrolment::ServerUrl;
use crate::secret::Secret;
use crate::wire::{self, IDEMPOTENCY_HEADER};

/// Largest answer of the API that is handed on, in bytes.
const RESPONSE_LIMIT: usize = 32 * 1024 * 1024;
/// How often a call is made anew because another process had just replaced the key.
const NEW_KEYS: u32 = 2;
/// What takes the place of the device's key where an answer repeats it.
const MASK: u8 = b'*';

/// A call to the API.
pub struct ApiRequest {
    /// As `GET`.
    pub method: String,
    /// Path below the server's address, or an absolute URL below it, as lists give for the next page.
    pub path: String,
    /// Empty for none.
    pub body: Vec<u8>,
    /// `application/json` if there is a body and nothing else is said.
    pub content_type: Option<String>,
    /// Key under which the server repeats its answer; one is made for methods that change something.
    pub idempotency_key: Option<Secret>,
}

/// An answer of the API, whatever its status.
pub struct ApiResponse {
    /// Status code.
    pub status: u16,
    /// Names and values, as far as they are text.
    pub headers: Vec<(String, String)>,
    /// The body, unpacked; where it repeats the device's key there are asterisks.
    pub body: Vec<u8>,
}

/// A call that can be made again with another key.
pub(super) struct Call {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
    limit: usize,
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
        }
    }
}

impl Agent {
    /// Makes an authenticated call. Any answer of the server is a result; what it says about the
    /// device's access is taken in first, and is an error.
    pub async fn request(&self, request: ApiRequest) -> Result<ApiResponse, AgentError> {
        let call = call(request)?;
        let (access, answer) = self.call(call).await?;
        let mut body = answer.body.to_vec();
        mask(&mut body, access.key.expose().as_bytes());
        let headers = answer.headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        Ok(ApiResponse {
            status: answer.status.as_u16(),
            headers: headers.collect(),
            body,
        })
    }

    /// Makes a call with the key. A 401 is looked into before it is handed on.
    pub(super) async fn call(&self, call: Call) -> Result<(Access, Answer), AgentError> {
        let mut new_keys = 0;
        loop {
            let access = self.access().await?;
            let answer = self.send_as(&access, &call).await?;
            if let Some(problem) = unauthorized(&answer) {
                match self.doubt(&access.key, &problem).await? {
                    AfterDoubt::OtherKey if new_keys < NEW_KEYS => {
                        new_keys += 1;
                        continue;
                    }
                    AfterDoubt::OtherKey | AfterDoubt::KeyWorks => {}
                }
            } else if access.state != State::Enrolled && answer.status.is_success() {
                self.hope(&access).await?;
            }
            return Ok((access, answer));
        }
    }

    async fn send_as(&self, access: &Access, call: &Call) -> Result<Answer, AgentError> {
        let server = &access.identity.server;
        let url = server.resolve(&call.path)?;
        refuse_own_paths(server, &url)?;
        let mut request = self
            .client
            .request(call.method.clone(), url)
            .headers(call.headers.clone())
            .header(AUTHORIZATION, device_authorization(&access.key)?);
        if !call.body.is_empty() {
            request = request.body(call.body.clone());
        }
        // An unsafe method has an idempotency key here.
        let ended = self.client.send(request, call.limit, Repeat::Safe).await;
        ended.result.map_err(|source| AgentError::Unanswered {
            operation: None,
            server: server.to_string(),
            pending: false,
            source,
        })
    }

    /// The key that was rejected seems to work again: asks, and takes it in.
    async fn hope(&self, access: &Access) -> Result<(), AgentError> {
        use super::key_check::KeyVerdict;
        match self.check_key(&access.identity, &access.key, None).await {
            KeyVerdict::Works(info) => self.hear_info(access, &info).await.map(drop),
            // It was the answer that mattered; the next call tells more.
            _ => Ok(()),
        }
    }
}

fn call(request: ApiRequest) -> Result<Call, AgentError> {
    let method = Method::from_bytes(request.method.to_ascii_uppercase().as_bytes())
        .map_err(|_| AgentError::Method(request.method))?;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*"));
    if !request.body.is_empty() {
        let content_type = request.content_type.as_deref();
        headers.insert(
            CONTENT_TYPE,
            header_value("content type", content_type.unwrap_or("application/json"))?,
        );
    }
    if !method.is_safe() {
        let key = match request.idempotency_key {
            Some(key) => key,
            None => journal::idempotency_key()?,
        };
        let mut value = header_value("idempotency key", key.expose())?;
        value.set_sensitive(true);
        let name = HeaderName::from_bytes(IDEMPOTENCY_HEADER.as_bytes());
        headers.insert(
            name.map_err(|_| AgentError::Header("idempotency key"))?,
            value,
        );
    }
    Ok(Call {
        method,
        path: request.path,
        headers,
        body: request.body,
        limit: RESPONSE_LIMIT,
    })
}

/// What changes the identity goes through the journal only.
fn refuse_own_paths(server: &ServerUrl, url: &url::Url) -> Result<(), AgentError> {
    let path = percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy();
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for (own, command) in [
        (wire::path::INITIALIZE, "init"),
        (wire::path::UPDATE, "update"),
        (wire::path::ROLL, "roll"),
        (wire::path::REVOKE, "revoke"),
    ] {
        let own = server.endpoint(own);
        let own: Vec<&str> = own
            .path()
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        if segments == own {
            return Err(AgentError::OwnPath {
                path: url.path().to_owned(),
                command,
            });
        }
    }
    Ok(())
}

fn header_value(what: &'static str, text: &str) -> Result<HeaderValue, AgentError> {
    HeaderValue::from_str(text).map_err(|_| AgentError::Header(what))
}

/// The words of a 401 of the API; a proxy's own is none.
fn unauthorized(answer: &Answer) -> Option<wire::Problem> {
    if answer.status != StatusCode::UNAUTHORIZED {
        return None;
    }
    match answer::read::<serde_json::Value>(answer) {
        Ok(answer::Reply::Refused(_, problem)) => Some(problem),
        _ => None,
    }
}

/// Overwrites each place where `body` has the key.
fn mask(body: &mut [u8], key: &[u8]) {
    if key.is_empty() {
        return;
    }
    let mut at = 0;
    while let Some(rest) = body.get_mut(at..) {
        let Some(found) = rest.windows(key.len()).position(|window| window == key) else {
            return;
        };
        if let Some(place) = rest.get_mut(found..found + key.len()) {
            place.fill(MASK);
        }
        at += found + key.len();
    }
}
