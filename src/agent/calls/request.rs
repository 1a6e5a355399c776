//! Authenticated calls: the key is added here, and what an answer says of it is looked into.

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH};

use super::call::{ApiRequest, Call};
use crate::agent::access::{Access, access_with};
use crate::agent::answer::{self, Reply, visible_headers};
use crate::agent::client::{Answer, NO_BODY, device_authorization};
use crate::agent::core::{Core, Known};
use crate::agent::device_api::{self, KeyVerdict};
use crate::agent::error::AgentError;
use crate::agent::learn::{AfterDoubt, doubt, hear_info, keep_given_if_known};
use crate::agent::state::State;
use crate::mask::Mask;
use crate::secret::Secret;
use crate::wire::{DeviceInfo, Problem};

/// How often a call is made anew because another process had just replaced the key.
const NEW_KEYS: u32 = 2;

/// An answer of the API, whatever its status.
pub struct ApiResponse {
    /// Status code.
    pub status: u16,
    /// Names and values, as far as they are text; masked like the body.
    pub headers: Vec<(String, String)>,
    /// The body, unpacked; where it repeats the device's key there are asterisks.
    pub body: Vec<u8>,
}

pub(in crate::agent) async fn request(
    core: &Core,
    request: ApiRequest,
) -> Result<ApiResponse, AgentError> {
    let call = Call::of(request, false)?;
    let known = refuse_early(core, &call)?;
    let is_info = call.is_info();
    let (access, answer) = call_with(core, known, call).await?;
    if is_info {
        learn_in_passing(core, &access, &answer).await;
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
pub(super) fn refuse_early(core: &Core, call: &Call) -> Result<Option<Arc<Known>>, AgentError> {
    let known = core.recall();
    if let Some(known) = &known {
        call.address(&known.identity.server)?;
    } else if let Some(identity) = core.look()?.and_then(|device| device.identity) {
        call.address(&identity.server)?;
    }
    Ok(known)
}

/// Makes a call with the key. A 401 is looked into before it is handed on.
pub(super) async fn call(core: &Core, call: Call) -> Result<(Access, Answer), AgentError> {
    call_with(core, core.recall(), call).await
}

async fn call_with(
    core: &Core,
    mut known: Option<Arc<Known>>,
    call: Call,
) -> Result<(Access, Answer), AgentError> {
    let mut new_keys = 0;
    loop {
        let access = access_with(core, known.take()).await?;
        let answer = send_as(core, &access, &call).await?;
        match look_into(core, &access, &answer).await? {
            Some(AfterDoubt::OtherKey) if new_keys < NEW_KEYS => new_keys += 1,
            // The key may have been replaced by what could not be finished.
            Some(AfterDoubt::OtherKey) if access.unfinished.is_some() => {
                return Err(access.unfinished.unwrap_or(AgentError::NotEnrolled));
            }
            _ => {
                hope_if(core, &access, answer.status).await;
                return Ok((access, answer));
            }
        }
    }
}

/// Looks into an answer that is a 401 of the API.
pub(super) async fn look_into(
    core: &Core,
    access: &Access,
    answer: &Answer,
) -> Result<Option<AfterDoubt>, AgentError> {
    match unauthorized(answer, &access.key) {
        Some(problem) => doubt(core, &access.key, &problem).await.map(Some),
        None => Ok(None),
    }
}

async fn send_as(core: &Core, access: &Access, call: &Call) -> Result<Answer, AgentError> {
    let server = &access.identity.server;
    let url = call.address(server)?;
    let client = core.clients.with_kept(&access.trust)?;
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
        keep_given_if_known(core, &client, &access.identity, &access.key, &access.trust).await;
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
pub(super) async fn hope_if(core: &Core, access: &Access, status: StatusCode) {
    if access.state == State::Enrolled || !status.is_success() {
        return;
    }
    let Ok(client) = core.clients.with_kept(&access.trust) else {
        return;
    };
    if let KeyVerdict::Works(info) =
        device_api::check_key(&client, &access.identity, &access.key, None).await
        && let Err(error) = hear_info(core, access, &info).await
    {
        error.warn();
    }
}

/// Takes over what an app's own look at `device/info` tells.
async fn learn_in_passing(core: &Core, access: &Access, answer: &Answer) {
    if let Ok(Reply::Done(info)) = answer::read::<DeviceInfo>(answer, &[&access.key])
        && access.identity.is(&info.device)
        && let Err(error) = hear_info(core, access, &info).await
    {
        error.warn();
    }
}

/// The words of a 401 of the API; a proxy's own is none.
fn unauthorized(answer: &Answer, key: &Secret) -> Option<Problem> {
    if answer.status != StatusCode::UNAUTHORIZED {
        return None;
    }
    match answer::read::<serde_json::Value>(answer, &[key]) {
        Ok(Reply::Refused(_, problem)) => Some(problem),
        _ => None,
    }
}
