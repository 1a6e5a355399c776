//! Operations on a device's identity, and what only the agent asks for.

use std::future::Future;
use std::sync::Arc;

use jni::Env;
use jni::objects::{JByteArray, JClass};
use jni::sys::{jboolean, jlong};

use super::agents::{AGENTS, Open};
use super::calls::{self, Success};
use super::failure::Failure;
use super::java::{Completion, bytes, optional_bytes};
use super::{Answer, enrolments, exports, shapes};
use crate::agent::{AgentError, Current, ExistingIdentity, GivenMediaKey, InitializeOptions};
use crate::enrolment::ServerUrl;

exports! {
    (initialize(agent: jlong, enrolment: jbyte[], replace: jboolean, completion: Completion) -> jlong),
    (adopt(agent: jlong, existing: jbyte[], completion: Completion) -> jlong),
    (refresh(agent: jlong, completion: Completion) -> jlong),
    (report(agent: jlong, completion: Completion) -> jlong),
    (roll(agent: jlong, completion: Completion) -> jlong),
    (revoke(agent: jlong, completion: Completion) -> jlong),
    (event_selection(agent: jlong, current: jbyte[], completion: Completion) -> jlong),
    (media_key_alias(agent: jlong) -> jbyte[]),
    (medium_key_sets(agent: jlong, public_key: jbyte[], completion: Completion) -> jlong),
}

/// Begins an operation of an agent.
fn begin<'l, W>(
    env: &Env<'l>,
    id: jlong,
    completion: &Completion<'l>,
    work: impl FnOnce(Arc<Open>) -> W,
) -> Answer<jlong>
where
    W: Future<Output = Result<Success, Failure>> + Send + 'static,
{
    let open = AGENTS.get(id)?;
    calls::start(env, id, completion, None, work(open))
}

/// The end of an operation, with the state it led to.
async fn done(open: &Open) -> Result<Success, Failure> {
    open.app.changed();
    let status = open.core().status_read_apart().await?;
    Ok(Success {
        result: shapes::state(&status).into(),
        ..Success::default()
    })
}

fn initialize<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    enrolment: JByteArray<'l>,
    replace: jboolean,
    completion: Completion<'l>,
) -> Answer<jlong> {
    let redeemed: shapes::Redeemed = shapes::read(&bytes(env, &enrolment)?)?;
    let enrolment = enrolments::enrolment(&redeemed.server, redeemed.token)?;
    let others = redeemed.other_tokens.into_iter();
    let others = others.map(|token| enrolments::enrolment(&redeemed.server, token));
    let others = others.collect::<Result<Vec<_>, _>>()?;
    begin(env, agent, &completion, |open| async move {
        let options = InitializeOptions {
            replace,
            allow_http: open.allow_http,
            ..InitializeOptions::default()
        };
        let initialized = open
            .core()
            .initialize_first_known(&enrolment, &others, &options)
            .await;
        initialized.map_err(|error| match error {
            // It was a code or a person that named it, not the app.
            AgentError::Address(_) => Failure::from(error).coded("enrolment_invalid"),
            error => error.into(),
        })?;
        done(&open).await
    })
}

fn adopt<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    existing: JByteArray<'l>,
    completion: Completion<'l>,
) -> Answer<jlong> {
    let existing: shapes::Existing = shapes::read(&bytes(env, &existing)?)?;
    let server = enrolments::completed(&existing.server).parse::<ServerUrl>();
    let existing = ExistingIdentity {
        server: server.map_err(|error| {
            let advice = error.advice();
            Failure::of("argument_invalid", &error).advised(advice)
        })?,
        key: existing.key,
        unique_serial: existing.unique_serial,
        media_key: existing.media_key.map(given_media_key).transpose()?,
    };
    begin(env, agent, &completion, |open| async move {
        let options = InitializeOptions {
            allow_http: open.allow_http,
            ..InitializeOptions::default()
        };
        open.core().adopt(&existing, &options).await?;
        done(&open).await
    })
}

fn given_media_key(held: shapes::HeldMediaKey) -> Result<GivenMediaKey, Failure> {
    GivenMediaKey::held(held.alias, &held.public_key)
        .map_err(|error| Failure::of("media_key_unusable", &error))
}

fn media_key_alias<'l>(env: &mut Env<'l>, _: JClass<'l>, agent: jlong) -> Answer<JByteArray<'l>> {
    let held_as = AGENTS.get(agent)?.core().media_key_held_as();
    match held_as.map_err(Failure::from)? {
        Some(alias) => Ok(env.byte_array_from_slice(alias.as_bytes())?),
        None => Ok(JByteArray::null()),
    }
}

fn refresh<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    completion: Completion<'l>,
) -> Answer<jlong> {
    begin(env, agent, &completion, |open| async move {
        open.core().info().await?;
        done(&open).await
    })
}

fn report<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    completion: Completion<'l>,
) -> Answer<jlong> {
    begin(env, agent, &completion, |open| async move {
        open.core().update(|overrides| overrides).await?;
        done(&open).await
    })
}

fn roll<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    completion: Completion<'l>,
) -> Answer<jlong> {
    begin(env, agent, &completion, |open| async move {
        open.core().roll().await?;
        done(&open).await
    })
}

fn revoke<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    completion: Completion<'l>,
) -> Answer<jlong> {
    begin(env, agent, &completion, |open| async move {
        open.core().revoke().await?;
        done(&open).await
    })
}

fn event_selection<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    current: JByteArray<'l>,
    completion: Completion<'l>,
) -> Answer<jlong> {
    let current: shapes::Current = shapes::read(&bytes(env, &current)?)?;
    let current = Current {
        event: current.event,
        subevent: current.subevent,
        checkin_list: current.checkin_list,
    };
    begin(env, agent, &completion, |open| async move {
        let suggestion = open.core().event_selection(&current).await?;
        Ok(Success {
            result: shapes::suggestion(&suggestion).into(),
            ..Success::default()
        })
    })
}

fn medium_key_sets<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    public_key: JByteArray<'l>,
    completion: Completion<'l>,
) -> Answer<jlong> {
    let public = optional_bytes(env, &public_key)?
        .map(|public| shapes::text(&public))
        .transpose()?;
    begin(env, agent, &completion, |open| async move {
        let result = match public {
            Some(public) => {
                let public = public.expose();
                shapes::encrypted_keys(open.core().encrypted_media_keys(public).await?).into()
            }
            None => shapes::keys(open.core().media_keys().await?),
        };
        Ok(Success {
            result,
            ..Success::default()
        })
    })
}
