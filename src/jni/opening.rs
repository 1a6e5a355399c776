//! Agents are opened and closed, and asked for their state.

use std::sync::Arc;

use jni::Env;
use jni::objects::{JByteArray, JClass};
use jni::sys::jlong;

use super::agents::{self, AGENTS};
use super::failure::Failure;
use super::java::{self, Observer, bytes, optional_bytes};
use super::{Answer, calls, exports, registry, shapes, streams};
use crate::agent::ProxyChoice;
use crate::seal::SealingKey;

exports! {
    (open_agent(config: jbyte[], key: jbyte[], observer: Observer) -> jlong),
    (close_agent(agent: jlong)),
    (use_proxy(agent: jlong, proxy: jbyte[])),
    (state_version(agent: jlong) -> jlong),
    (state(agent: jlong) -> jbyte[]),
}

fn open_agent<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    config: JByteArray<'l>,
    key: JByteArray<'l>,
    observer: Observer<'l>,
) -> Answer<jlong> {
    let config = shapes::read(&bytes(env, &config)?)?;
    let key = bytes(env, &key)?;
    let key = <[u8; 32]>::try_from(key.as_slice())
        .map_err(|_| Failure::new("argument_invalid", "the vault's key is not of 32 bytes"))?;
    let observer = java::keep(env, "an observer", &observer)?;
    let open = agents::open(&config, SealingKey::from_bytes(key), observer)?;
    let id = registry::next_id();
    AGENTS.put(id, Arc::new(open));
    Ok(id)
}

fn close_agent<'l>(_: &mut Env<'l>, _: JClass<'l>, agent: jlong) -> Answer<()> {
    // First, so that whatever is begun from now on ends itself.
    let Some(open) = AGENTS.take(agent) else {
        return Ok(());
    };
    open.app.end();
    calls::end_all_of(agent);
    streams::close_all_of(agent);
    Ok(())
}

fn use_proxy<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    agent: jlong,
    proxy: JByteArray<'l>,
) -> Answer<()> {
    let choice = match optional_bytes(env, &proxy)? {
        Some(proxy) => {
            let shapes::Proxy { host, port } = shapes::read(&proxy)?;
            ProxyChoice::Http { host, port }
        }
        None => ProxyChoice::Direct,
    };
    Ok(AGENTS.get(agent)?.use_proxy(choice)?)
}

fn state_version<'l>(_: &mut Env<'l>, _: JClass<'l>, agent: jlong) -> Answer<jlong> {
    Ok(AGENTS.get(agent)?.app.changes())
}

fn state<'l>(env: &mut Env<'l>, _: JClass<'l>, agent: jlong) -> Answer<JByteArray<'l>> {
    let state = AGENTS.get(agent)?.state()?;
    Ok(env.byte_array_from_slice(&state)?)
}
