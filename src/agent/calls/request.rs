//! Authenticated calls: the key is added here, and what an answer says of it is looked into.

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH};
use url::Url;

use super::call::{ApiRequest, Call};
use crate::agent::access::{Access, access, at_hand};
use crate::agent::answer::{self, Reply, visible_headers};
use crate::agent::client::{Answer, Client, NO_BODY, device_authorization};
use crate::agent::core::{Core, Known, apart};
use crate::agent::device_api::{self, KeyVerdict};
use crate::agent::error::AgentError;
use crate::agent::learn::{AfterDoubt, doubt, has_news, hear_info, keep_given_if_known};
use crate::agent::operate::freshen;
use crate::agent::record::Identity;
use crate::agent::state::State;
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
    let is_info = call.is_info();
    let (access, mut answer) = self::call(core, call).await?;
    if is_info {
        learn_in_passing(core, &access, &answer).await;
    }
    Ok(ApiResponse {
        status: answer.status.as_u16(),
        headers: visible_headers(&answer.headers, &access.mask),
        body: access.mask.hide_in(std::mem::take(&mut *answer.body)),
    })
}

/// What a call is made with, and where it goes. What is refused is refused before anything is sent, be it
/// a report that is due.
pub(super) async fn access_for(core: &Core, call: &Arc<Call>) -> Result<(Access, Url), AgentError> {
    if let Some(known) = core.recall() {
        let url = call.address_for(&known)?;
        if let Some(access) = at_hand(core, known)? {
            return Ok((access, url));
        }
    }
    let allowed = Arc::clone(call);
    let access = apart(core, |core| async move {
        let allow = |identity: &Identity| allowed.address(&identity.server).map(drop);
        access(&core, allow).await
    });
    let access = access.await?;
    let url = call.address(&access.identity.server)?;
    Ok((access, url))
}

/// Makes a call with the key. A 401 is looked into before it is handed on.
pub(super) async fn call(core: &Core, call: Call) -> Result<(Access, Answer), AgentError> {
    let core = &core.for_call(call.time_limit, call.read_timeout);
    let call = Arc::new(call);
    let mut new_keys = 0;
    loop {
        let (access, url) = access_for(core, &call).await?;
        let answer = send_as(core, &access, &call, url).await?;
        match look_into(core, &access, &answer).await? {
            Some(AfterDoubt::OtherKey) if new_keys < NEW_KEYS => new_keys += 1,
            // The key may have been replaced by what could not be finished.
            Some(AfterDoubt::OtherKey) if access.unfinished.is_some() => {
                return Err(access.unfinished.unwrap_or(AgentError::NotEnrolled));
            }
            _ => {
                hope_if(core, &access, answer.status).await;
                report_if_stale(core, &access, answer.status).await;
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
    let Some(problem) = unauthorized(answer, &access.key) else {
        return Ok(None);
    };
    let known = Arc::clone(&access.known);
    apart(core, |core| async move {
        doubt(&core, &known.key, &problem).await.map(Some)
    })
    .await
}

async fn send_as(
    core: &Core,
    access: &Access,
    call: &Call,
    url: Url,
) -> Result<Answer, AgentError> {
    let server = &access.identity.server;
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
    let ended = client.send(request, call.limit, call.repeat).await;
    if ended.result.is_ok() {
        keep_trust(core, &client, access).await;
    }
    ended.result.map_err(|source| AgentError::Unanswered {
        operation: None,
        server: server.to_string(),
        pending: ended.seen_before || !source.is_unsent(),
        source,
    })
}

/// Keeps whom the agent was told to trust, now that this has led to an answer.
pub(super) async fn keep_trust(core: &Core, client: &Client, access: &Access) {
    if core.clients.newly_given(&access.trust).is_none() {
        return;
    }
    let (client, known) = (client.clone(), Arc::clone(&access.known));
    let kept = apart(core, |core| async move {
        let Known {
            identity,
            key,
            trust,
            ..
        } = &*known;
        keep_given_if_known(&core, &client, identity, key, trust).await;
        Ok(())
    });
    if let Err(error) = kept.await {
        error.warn();
    }
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
        && let Err(error) = take_over(core, access, *info).await
    {
        error.warn();
    }
}

/// Reports diagnostics anew that are old: after a call that has shown that the server is there, for they are
/// no reason to keep one waiting that may fail. Looks at what is in memory alone unless they are.
pub(super) async fn report_if_stale(core: &Core, access: &Access, status: StatusCode) {
    let is_there = status.is_success() || status == StatusCode::NOT_MODIFIED;
    let is_stale = access.state == State::Enrolled && access.identity.is_stale();
    if is_there && is_stale && access.unfinished.is_none() && core.pause.end() {
        let reported = apart(core, |core| async move {
            freshen(&core).await;
            Ok(())
        });
        if let Err(error) = reported.await {
            error.warn();
        }
    }
}

/// Who the device is, of what `device/info` tells, which is stored.
pub(super) async fn take_over(
    core: &Core,
    access: &Access,
    info: DeviceInfo,
) -> Result<Identity, AgentError> {
    let known = Arc::clone(&access.known);
    apart(
        core,
        |core| async move { hear_info(&core, &known, &info).await },
    )
    .await
}

/// Takes over what an app's own look at `device/info` tells.
async fn learn_in_passing(core: &Core, access: &Access, answer: &Answer) {
    if let Ok(Reply::Done(info)) = answer::read::<DeviceInfo>(answer, &[&access.key])
        && access.identity.is(&info.device)
        && has_news(access, &info)
        && let Err(error) = take_over(core, access, info).await
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
