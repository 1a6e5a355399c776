//! Authenticated calls: the app names method and path, and the key is added here.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName,
    HeaderValue,
};
use reqwest::{Method, StatusCode};
use url::Url;

use super::access::Access;
use super::answer::{self, Reply, visible_headers};
use super::client::{Answer, Repeat, device_authorization};
use super::idempotency_key;
use super::key_check::{AfterDoubt, KeyVerdict};
use super::memory::Known;
use super::own_path;
use super::state::State;
use super::{Agent, AgentError};
use crate::enrolment::ServerUrl;
use crate::mask::Mask;
use crate::secret::Secret;
use crate::wire::{self, DeviceInfo, IDEMPOTENCY_HEADER};

/// Largest answer of the API that is handed on, in bytes.
const RESPONSE_LIMIT: usize = 32 * 1024 * 1024;
/// How often a call is made anew because another process had just replaced the key.
const NEW_KEYS: u32 = 2;
/// Length of a request without a body: some gateways take none whose length is left out.
pub(super) const NO_BODY: HeaderValue = HeaderValue::from_static("0");

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
    /// Longest time for the call with all its repetitions; that of the client without.
    pub time_limit: Option<Duration>,
}

/// An answer of the API, whatever its status.
pub struct ApiResponse {
    /// Status code.
    pub status: u16,
    /// Names and values, as far as they are text; masked like the body.
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
    repeat: Repeat,
    time_limit: Option<Duration>,
}

impl ApiRequest {
    /// A key for [`ApiRequest::idempotency_key`], as is made for a call that has none.
    pub fn new_idempotency_key() -> Result<Secret, AgentError> {
        idempotency_key::make().map_err(AgentError::Random)
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
        })
    }

    fn is_info(&self) -> bool {
        let path = self.path.split(['?', '#']).next().unwrap_or_default();
        self.method == Method::GET && path.trim_end_matches('/').ends_with(wire::path::INFO)
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn time_limit(&self) -> Option<Duration> {
        self.time_limit
    }

    /// Where the call goes.
    pub(super) fn address(&self, server: &ServerUrl) -> Result<Url, AgentError> {
        let url = server.resolve(&self.path)?;
        own_path::refuse(&url)?;
        Ok(url)
    }
}

impl Agent {
    /// Makes an authenticated call. Any answer of the server is a result; what it says about the
    /// device's access is taken in first, and is an error.
    pub async fn request(&self, request: ApiRequest) -> Result<ApiResponse, AgentError> {
        let call = Call::of(request, false)?;
        let known = self.refuse_early(&call)?;
        let is_info = call.is_info();
        let (access, answer) = self.call_with(known, call).await?;
        if is_info {
            self.learn_in_passing(&access, &answer).await;
        }
        let mut mask = Mask::new(&access.key);
        let headers = visible_headers(&answer.headers, &mask);
        let mut body = mask.next(answer.body.to_vec());
        body.extend(mask.finish());
        Ok(ApiResponse {
            status: answer.status.as_u16(),
            headers,
            body,
        })
    }

    /// What is refused is refused before anything is sent, be it a report that is due. Returns what
    /// the agent remembers, since looking whether that is still so costs something.
    pub(super) fn refuse_early(&self, call: &Call) -> Result<Option<Arc<Known>>, AgentError> {
        let known = self.recall();
        if let Some(known) = &known {
            call.address(&known.identity.server)?;
        } else if let Some(identity) = self.look()?.and_then(|device| device.identity) {
            call.address(&identity.server)?;
        }
        Ok(known)
    }

    /// Makes a call with the key. A 401 is looked into before it is handed on.
    pub(super) async fn call(&self, call: Call) -> Result<(Access, Answer), AgentError> {
        self.call_with(self.recall(), call).await
    }

    async fn call_with(
        &self,
        mut known: Option<Arc<Known>>,
        call: Call,
    ) -> Result<(Access, Answer), AgentError> {
        let mut new_keys = 0;
        loop {
            let access = self.access_with(known.take()).await?;
            let answer = self.send_as(&access, &call).await?;
            match self.look_into(&access, &answer).await? {
                Some(AfterDoubt::OtherKey) if new_keys < NEW_KEYS => new_keys += 1,
                // The key may have been replaced by what could not be finished.
                Some(AfterDoubt::OtherKey) if access.unfinished.is_some() => {
                    return Err(access.unfinished.unwrap_or(AgentError::NotEnrolled));
                }
                _ => {
                    self.hope_if(&access, answer.status).await;
                    return Ok((access, answer));
                }
            }
        }
    }

    /// Looks into an answer that is a 401 of the API.
    pub(super) async fn look_into(
        &self,
        access: &Access,
        answer: &Answer,
    ) -> Result<Option<AfterDoubt>, AgentError> {
        match unauthorized(answer, &access.key) {
            Some(problem) => self.doubt(&access.key, &problem).await.map(Some),
            None => Ok(None),
        }
    }

    async fn send_as(&self, access: &Access, call: &Call) -> Result<Answer, AgentError> {
        let server = &access.identity.server;
        let url = call.address(server)?;
        let client = self.client_at(&access.trust)?;
        let mut request = client
            .request(call.method.clone(), url)
            .headers(call.headers.clone())
            .header(AUTHORIZATION, device_authorization(&access.key)?);
        if !call.body.is_empty() {
            request = request.body(call.body.clone());
        } else if !call.method.is_safe() {
            request = request.header(CONTENT_LENGTH, NO_BODY);
        }
        let limited = client.within(call.time_limit);
        let ended = limited.send(request, call.limit, call.repeat).await;
        if ended.result.is_ok() {
            self.keep_given_if_known(&client, &access.identity, &access.key, &access.trust)
                .await;
        }
        ended.result.map_err(|source| AgentError::Unanswered {
            operation: None,
            server: server.to_string(),
            pending: ended.seen_before || !source.is_unsent(),
            source,
        })
    }

    /// A key that was rejected and seems to work again: asks, and takes that in. It was the answer
    /// that mattered; what fails here is found again by the next call.
    pub(super) async fn hope_if(&self, access: &Access, status: StatusCode) {
        if access.state == State::Enrolled || !status.is_success() {
            return;
        }
        let Ok(client) = self.client_at(&access.trust) else {
            return;
        };
        if let KeyVerdict::Works(info) = self
            .check_key(&client, &access.identity, &access.key, None)
            .await
            && let Err(error) = self.hear_info(access, &info).await
        {
            error.warn();
        }
    }

    /// Takes over what an app's own look at `device/info` tells.
    async fn learn_in_passing(&self, access: &Access, answer: &Answer) {
        if let Ok(Reply::Done(info)) = answer::read::<DeviceInfo>(answer, &[&access.key])
            && access.identity.is(&info.device)
            && let Err(error) = self.hear_info(access, &info).await
        {
            error.warn();
        }
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
    let name = name.replace('_', "-");
    NOT_FOR_APPS.contains(&name.as_str())
        || ["proxy-", "x-forwarded-"]
            .iter()
            .any(|kind| name.starts_with(kind))
}

/// The words of a 401 of the API; a proxy's own is none.
fn unauthorized(answer: &Answer, key: &Secret) -> Option<wire::Problem> {
    if answer.status != StatusCode::UNAUTHORIZED {
        return None;
    }
    match answer::read::<serde_json::Value>(answer, &[key]) {
        Ok(answer::Reply::Refused(_, problem)) => Some(problem),
        _ => None,
    }
}
