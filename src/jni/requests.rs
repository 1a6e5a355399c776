//! Calls of the server's API.

use std::sync::Arc;
use std::time::Duration;

use jni::Env;
use jni::objects::{JByteArray, JClass};
use jni::sys::{jboolean, jlong};

use super::agents::AGENTS;
use super::calls::{self, Success};
use super::context;
use super::failure::Failure;
use super::java::{Completion, Waiter, bytes, optional_bytes};
use super::streams::{self, RequestBody};
use super::{Answer, exports, shapes};
use crate::agent::{Agent, ApiRequest, StreamedBody};

exports! {
    (request(agent: jlong, call: jbyte[], body: jbyte[], completion: Completion) -> jlong),
    (request_streaming(agent: jlong, call: jbyte[], body: jbyte[], streams_body: jboolean, completion: Completion) -> jlong),
    (request_here(agent: jlong, call: jbyte[], body: jbyte[], is_streamed: jboolean, waiter: Waiter)),
    (check_may_wait()),
    (cancel(call: jlong)),
}

fn api_request(
    env: &Env<'_>,
    request: &JByteArray<'_>,
    body: &JByteArray<'_>,
) -> Answer<(ApiRequest, Option<u64>)> {
    let request: shapes::Request = shapes::read(&bytes(env, request)?)?;
    let length = request.content_length;
    let request = ApiRequest {
        method: request.method,
        path: request.path,
        body: optional_bytes(env, body)?
            .map(|mut body| std::mem::take(&mut *body))
            .unwrap_or_default(),
        content_type: request.content_type,
        idempotency_key: request.idempotency_key,
        headers: request.headers,
        once: request.once,
        time_limit: request.time_limit_ms.map(Duration::from_millis),
        read_timeout: request.read_timeout_ms.map(Duration::from_millis),
    };
    Ok((request, length))
}

// Boxed where they are made: they are moved from hand to hand.
async fn whole(agent: Arc<Agent>, request: ApiRequest) -> Result<Success, Failure> {
    let answer = agent.request(request).await?;
    Ok(Success {
        result: shapes::head(answer.status, &answer.headers).into(),
        body: Some(answer.body),
        ..Success::default()
    })
}

async fn streamed(
    agent: Arc<Agent>,
    request: ApiRequest,
    body: Option<StreamedBody>,
) -> Result<Success, Failure> {
    let stream = agent.stream(request, body).await?;
    let status = stream.status;
    let result = shapes::head(status, &stream.headers).into();
    let (begun, response) = streams::begin(stream).await?;
    Ok(Success {
        result,
        body: Some(begun),
        response,
        status: Some(status),
    })
}

fn request<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    request: JByteArray<'l>,
    body: JByteArray<'l>,
    completion: Completion<'l>,
) -> Answer<jlong> {
    let (request, _) = api_request(env, &request, &body)?;
    let open = AGENTS.get(agent)?;
    let work = Box::pin(whole(open.core(), request));
    calls::start(env, agent, &completion, None, work)
}

fn request_streaming<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    request: JByteArray<'l>,
    body: JByteArray<'l>,
    streams_body: jboolean,
    completion: Completion<'l>,
) -> Answer<jlong> {
    let (request, length) = api_request(env, &request, &body)?;
    let open = AGENTS.get(agent)?;
    let (writer, body) = match streams_body.then(|| crate::agent::streamed_body(length)) {
        Some((writer, body)) => (Some(RequestBody::new(writer)), Some(body)),
        None => (None, None),
    };
    let work = Box::pin(streamed(open.core(), request, body));
    calls::start(env, agent, &completion, writer, work)
}

fn request_here<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    request: JByteArray<'l>,
    body: JByteArray<'l>,
    is_streamed: jboolean,
    waiter: Waiter<'l>,
) -> Answer<()> {
    let (request, _) = api_request(env, &request, &body)?;
    let core = AGENTS.get(agent)?.core();
    match is_streamed {
        true => calls::wait(env, agent, &waiter, Box::pin(streamed(core, request, None))),
        false => calls::wait(env, agent, &waiter, Box::pin(whole(core, request))),
    }
}

fn check_may_wait<'l>(_: &mut Env<'l>, _: JClass<'l>) -> Answer<()> {
    Ok(context::refuse_own_thread()?)
}

fn cancel<'l>(_: &mut Env<'l>, _: JClass<'l>, call: jlong) -> Answer<()> {
    calls::end(call, Failure::cancelled());
    Ok(())
}
