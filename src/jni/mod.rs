//! The bridge to the JVM: native methods of `io.gatehand.internal.Native`, whose comments are the
//! contract of both sides.

// The macro's exports are `extern` functions with mangled names, which count as unsafe.
#![allow(unsafe_code, reason = "native methods are exported by name")]

mod agent;
mod calls;
mod context;
mod policy;
mod registry;
mod shapes;
mod streams;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jni::objects::{JByteArray, JClass, JLongArray, JObject, JString};
use jni::sys::{jboolean, jint, jlong};
use jni::{Env, native_method};

use crate::agent::{ApiRequest, ExistingIdentity, InitializeOptions};
use crate::enrolment::{Enrolment, ServerUrl};
use crate::secret::Secret;
use agent::{AGENTS, Open};
use calls::{CALLS, Success};
use context::{Counted, Use};
use policy::{BridgeError, Failure, Policy};
use streams::{RESPONSES, Response};

type Answer<T> = Result<T, BridgeError>;

macro_rules! exports {
    ($(($($signature:tt)*),)*) => {
        $(const _: jni::NativeMethod = native_method! {
            java_type = "io.gatehand.internal.Native",
            error_policy = Policy,
            static extern fn $($signature)*,
        };)*
    };
}

exports! {
    (version() -> JString),
    (nothing()),
    (alive() -> jlong[]),
    (parse_enrolment(text: jbyte[]) -> jbyte[]),
    (typed_enrolment(server: jbyte[], token: jbyte[]) -> jbyte[]),
    (open_agent(config: jbyte[], key: jbyte[], observer: "io.gatehand.internal.Observer") -> jlong),
    (close_agent(agent: jlong)),
    (state_version(agent: jlong) -> jlong),
    (state(agent: jlong) -> jbyte[]),
    (initialize(agent: jlong, enrolment: jbyte[], report: jbyte[], replace: jboolean, completion: "io.gatehand.internal.Completion") -> jlong),
    (adopt(agent: jlong, existing: jbyte[], report: jbyte[], completion: "io.gatehand.internal.Completion") -> jlong),
    (refresh(agent: jlong, report: jbyte[], completion: "io.gatehand.internal.Completion") -> jlong),
    (roll(agent: jlong, completion: "io.gatehand.internal.Completion") -> jlong),
    (revoke(agent: jlong, completion: "io.gatehand.internal.Completion") -> jlong),
    (event_selection(agent: jlong, current: jbyte[], completion: "io.gatehand.internal.Completion") -> jlong),
    (medium_key_sets(agent: jlong, public_key: jbyte[], completion: "io.gatehand.internal.Completion") -> jlong),
    (request(agent: jlong, call: jbyte[], body: jbyte[], completion: "io.gatehand.internal.Completion") -> jlong),
    (request_streaming(agent: jlong, call: jbyte[], body: jbyte[], streams_body: jboolean, completion: "io.gatehand.internal.Completion") -> jlong),
    (body_write(call: jlong, bytes: jbyte[], offset: jint, length: jint) -> jboolean),
    (body_finish(call: jlong)),
    (response_read(response: jlong, buffer: jbyte[], offset: jint, length: jint) -> jint),
    (response_close(response: jlong)),
    (cancel(call: jlong)),
}

fn bytes(env: &Env<'_>, array: &JByteArray<'_>) -> Answer<Vec<u8>> {
    if array.is_null() {
        return Err(
            Failure::new("argument_invalid", "null was passed where bytes are needed").into(),
        );
    }
    Ok(env.convert_byte_array(array)?)
}

fn version<'l>(env: &mut Env<'l>, _: JClass<'l>) -> Answer<JString<'l>> {
    context::failures(env)?;
    Ok(JString::from_str(env, env!("CARGO_PKG_VERSION"))?)
}

fn nothing<'l>(_: &mut Env<'l>, _: JClass<'l>) -> Answer<()> {
    Ok(())
}

fn alive<'l>(env: &mut Env<'l>, _: JClass<'l>) -> Answer<JLongArray<'l>> {
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let counts = [
        count(AGENTS.len()),
        count(CALLS.len()),
        count(RESPONSES.len()),
        context::globals(),
    ];
    let array = env.new_long_array(counts.len())?;
    array.set_region(env, 0, &counts)?;
    Ok(array)
}

fn parse_enrolment<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    text: JByteArray<'l>,
) -> Answer<JByteArray<'l>> {
    let text = shapes::text(bytes(env, &text)?)?;
    let enrolment = Enrolment::parse(&text).map_err(Failure::from)?;
    Ok(env.byte_array_from_slice(&shapes::enrolment(&enrolment))?)
}

fn typed(server: &str, token: String) -> Result<Enrolment, Failure> {
    let invalid =
        |error: &(dyn std::error::Error + 'static)| Failure::of("enrolment_invalid", error);
    // People leave out what goes without saying.
    let url = server.parse::<ServerUrl>().or_else(|error| {
        let with_scheme = format!("https://{}", server.trim()).parse();
        if server.contains("://") {
            Err(error)
        } else {
            with_scheme
        }
    });
    let url = url.map_err(|error| invalid(&error))?;
    Enrolment::new(url, Secret::new(token)).map_err(|error| invalid(&error))
}

fn typed_enrolment<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    server: JByteArray<'l>,
    token: JByteArray<'l>,
) -> Answer<JByteArray<'l>> {
    let server = shapes::text(bytes(env, &server)?)?;
    let token = shapes::text(bytes(env, &token)?)?;
    Ok(env.byte_array_from_slice(&shapes::enrolment(&typed(&server, token)?))?)
}

fn open_agent<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    config: JByteArray<'l>,
    key: JByteArray<'l>,
    observer: JObject<'l>,
) -> Answer<jlong> {
    context::failures(env)?;
    let config = shapes::read(&bytes(env, &config)?)?;
    let key = bytes(env, &key)?;
    let observer = Counted::new(env, &observer)?;
    Ok(agent::open(&config, key, observer)?)
}

fn close_agent<'l>(_: &mut Env<'l>, _: JClass<'l>, agent: jlong) -> Answer<()> {
    agent::close(agent);
    Ok(())
}

fn state_version<'l>(_: &mut Env<'l>, _: JClass<'l>, agent: jlong) -> Answer<jlong> {
    Ok(AGENTS.get(agent)?.app.changes())
}

fn state<'l>(env: &mut Env<'l>, _: JClass<'l>, agent: jlong) -> Answer<JByteArray<'l>> {
    let state = AGENTS.get(agent)?.state()?;
    Ok(env.byte_array_from_slice(&state)?)
}

/// Begins an operation of an agent.
fn begin<'l, W>(
    env: &Env<'l>,
    id: jlong,
    completion: &JObject<'l>,
    work: impl FnOnce(Arc<Open>) -> W,
) -> Answer<jlong>
where
    W: Future<Output = Result<Success, Failure>> + Send + 'static,
{
    let open = AGENTS.get(id)?;
    calls::start(env, id, completion, None, work(open))
}

fn initialize<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    enrolment: JByteArray<'l>,
    report: JByteArray<'l>,
    replace: jboolean,
    completion: JObject<'l>,
) -> Answer<jlong> {
    let redeemed: shapes::Redeemed = shapes::read(&bytes(env, &enrolment)?)?;
    let enrolment = typed(&redeemed.server, redeemed.token)?;
    let report = shapes::read(&bytes(env, &report)?)?;
    begin(env, agent, &completion, |open| async move {
        open.app.reports(report);
        let options = InitializeOptions {
            replace,
            ..InitializeOptions::default()
        };
        open.core.initialize(&enrolment, &options).await?;
        open.done()
    })
}

fn adopt<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    existing: JByteArray<'l>,
    report: JByteArray<'l>,
    completion: JObject<'l>,
) -> Answer<jlong> {
    let existing: shapes::Existing = shapes::read(&bytes(env, &existing)?)?;
    let server = existing.server.parse::<ServerUrl>();
    let existing = ExistingIdentity {
        server: server.map_err(|error| Failure::of("argument_invalid", &error))?,
        key: Secret::new(existing.key),
        unique_serial: existing.unique_serial,
    };
    let report = shapes::read(&bytes(env, &report)?)?;
    begin(env, agent, &completion, |open| async move {
        open.app.reports(report);
        open.core
            .adopt(&existing, &InitializeOptions::default())
            .await?;
        open.done()
    })
}

fn refresh<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    report: JByteArray<'l>,
    completion: JObject<'l>,
) -> Answer<jlong> {
    let report = shapes::read(&bytes(env, &report)?)?;
    begin(env, agent, &completion, |open| async move {
        open.app.reports(report);
        open.core.info().await?;
        open.done()
    })
}

fn roll<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    completion: JObject<'l>,
) -> Answer<jlong> {
    begin(env, agent, &completion, |open| async move {
        open.core.roll().await?;
        open.done()
    })
}

fn revoke<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    completion: JObject<'l>,
) -> Answer<jlong> {
    begin(env, agent, &completion, |open| async move {
        open.core.revoke().await?;
        open.done()
    })
}

fn event_selection<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    current: JByteArray<'l>,
    completion: JObject<'l>,
) -> Answer<jlong> {
    let current: shapes::Current = shapes::read(&bytes(env, &current)?)?;
    let current = crate::agent::Current {
        event: current.event,
        subevent: current.subevent,
        checkin_list: current.checkin_list,
    };
    begin(env, agent, &completion, |open| async move {
        let suggestion = open.core.event_selection(&current).await?;
        Ok(Success {
            result: shapes::suggestion(&suggestion),
            ..Success::default()
        })
    })
}

fn medium_key_sets<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    public_key: JByteArray<'l>,
    completion: JObject<'l>,
) -> Answer<jlong> {
    let public = optional(env, &public_key)?.map(shapes::text).transpose()?;
    begin(env, agent, &completion, |open| async move {
        let result = match public {
            Some(public) => shapes::encrypted_keys(&open.core.encrypted_media_keys(&public).await?),
            None => shapes::keys(&open.core.media_keys().await?),
        };
        Ok(Success {
            result,
            ..Success::default()
        })
    })
}

fn optional(env: &Env<'_>, array: &JByteArray<'_>) -> Answer<Option<Vec<u8>>> {
    (!array.is_null()).then(|| bytes(env, array)).transpose()
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
        body: optional(env, body)?.unwrap_or_default(),
        content_type: request.content_type,
        idempotency_key: request.idempotency_key.map(Secret::new),
        once: false,
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
    completion: JObject<'l>,
) -> Answer<jlong> {
    let (request, _) = api_request(env, &request, &body)?;
    begin(env, agent, &completion, |open| async move {
        let answer = open.core.request(request).await?;
        Ok(Success {
            result: shapes::head(answer.status, &answer.headers),
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
    completion: JObject<'l>,
) -> Answer<jlong> {
    let (request, length) = api_request(env, &request, &body)?;
    let open = AGENTS.get(agent)?;
    let (writer, streamed) = match streams_body.then(|| crate::agent::streamed_body(length)) {
        Some((writer, streamed)) => (Some(writer), Some(streamed)),
        None => (None, None),
    };
    calls::start(env, agent, &completion, writer, async move {
        let stream = open.core.stream(request, streamed).await?;
        Ok(Success {
            result: shapes::head(stream.status, &stream.headers),
            body: None,
            response: Some(Response {
                stream,
                _uses: Use::begin()?,
            }),
        })
    })
}

/// Offset and length, if they are within the array.
fn range(
    env: &Env<'_>,
    array: &JByteArray<'_>,
    offset: jint,
    length: jint,
) -> Answer<(jint, usize)> {
    let outside = || {
        Failure::new(
            "argument_invalid",
            "offset and length are outside of the array",
        )
    };
    if array.is_null() {
        return Err(outside().into());
    }
    let start = usize::try_from(offset).map_err(|_| outside())?;
    let length = usize::try_from(length).map_err(|_| outside())?;
    if start.saturating_add(length) > array.len(env)? {
        return Err(outside().into());
    }
    Ok((offset, length))
}

fn body_write<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    call: jlong,
    array: JByteArray<'l>,
    offset: jint,
    length: jint,
) -> Answer<jboolean> {
    let (from, length) = range(env, &array, offset, length)?;
    let mut piece = vec![0_i8; length];
    array.get_region(env, from, &mut piece)?;
    let piece = piece.into_iter().map(i8::cast_unsigned).collect();
    Ok(streams::write(call, piece)?)
}

fn body_finish<'l>(_: &mut Env<'l>, _: JClass<'l>, call: jlong) -> Answer<()> {
    Ok(streams::finish(call)?)
}

fn response_read<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    response: jlong,
    buffer: JByteArray<'l>,
    offset: jint,
    length: jint,
) -> Answer<jint> {
    let (to, length) = range(env, &buffer, offset, length)?;
    let piece = streams::read(response, length)?;
    let piece: Vec<i8> = piece.into_iter().map(u8::cast_signed).collect();
    if piece.is_empty() && length > 0 {
        return Ok(-1);
    }
    buffer.set_region(env, to, &piece)?;
    Ok(jint::try_from(piece.len()).unwrap_or(jint::MAX))
}

fn response_close<'l>(_: &mut Env<'l>, _: JClass<'l>, response: jlong) -> Answer<()> {
    streams::close(response);
    Ok(())
}

fn cancel<'l>(_: &mut Env<'l>, _: JClass<'l>, call: jlong) -> Answer<()> {
    calls::end(call, Failure::cancelled());
    Ok(())
}
