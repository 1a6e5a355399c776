//! What Java asks of the library itself.

use jni::Env;
use jni::objects::{JClass, JLongArray, JString};

use super::agents::AGENTS;
use super::calls::CALLS;
use super::streams::RESPONSES;
use super::{Answer, exports, java, policy};

exports! {
    (version() -> JString),
    (nothing()),
    (alive() -> jlong[]),
}

fn version<'l>(env: &mut Env<'l>, class: JClass<'l>) -> Answer<JString<'l>> {
    if let Err(error) = java::look_up(env, &class) {
        return Err(policy::throw_missing(env, &error.to_string()).into());
    }
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
        java::globals(),
    ];
    let array = env.new_long_array(counts.len())?;
    array.set_region(env, 0, &counts)?;
    Ok(array)
}
