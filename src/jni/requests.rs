//! Calls of the server's API.

use std::time::Duration;

use jni::Env;
use jni::objects::{JByteArray, JClass};
use jni::sys::{jboolean, jlong};

use super::agents::AGENTS;
use super::calls::{self, Success};
use super::context::{self, Use};
use super::failure::Failure;
use super::java::{Completion, bytes, optional_bytes};
use super::streams::{RequestBody, Response};
use super::{Answer, exports, shapes};
use crate::agent::ApiRequest;

exports! {
    (request(agent: jlong, call: jbyte[], body: jbyte[], completion: Completion) -> jlong),
    (request_streaming(agent: jlong, call: jbyte[], body: jbyte[], streams_body: jboolean, completion: Completion) -> jlong),
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
    };
    Ok((request, length))
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
    calls::start(env, agent, &completion, None, async move {
        let answer = open.core().request(request).await?;
        Ok(Success {
            result: shapes::head(answer.status, &answer.headers).into(),
            body: Some(answer.body),
            response: None,
        })
    })
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
    let (writer, streamed) = match streams_body.then(|| crate::agent::streamed_body(length)) {
        Some((writer, streamed)) => (Some(RequestBody::new(writer)), Some(streamed)),
        None => (None, None),
    };
    calls::start(env, agent, &completion, writer, async move {
        let stream = open.core().stream(request, streamed).await?;
        Ok(Success {
            result: shapes::head(stream.status, &stream.headers).into(),
            body: None,
            response: Some(Response {
                stream,
                unwritten: None,
                _uses: Use::begin()?,
            }),
        })
    })
}

fn check_may_wait<'l>(_: &mut Env<'l>, _: JClass<'l>) -> Answer<()> {
    Ok(context::refuse_own_thread()?)
}

fn cancel<'l>(_: &mut Env<'l>, _: JClass<'l>, call: jlong) -> Answer<()> {
    calls::end(call, Failure::cancelled());
    Ok(())
}
