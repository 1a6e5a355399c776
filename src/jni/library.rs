//! What is asked of the library itself.

use jni::Env;
use jni::objects::{JClass, JString};

use super::agents::AGENTS;
use super::calls::CALLS;
use super::streams::RESPONSES;
use super::{Answer, exports, java, policy};

exports! {
    (version() -> JString),
}

fn version<'l>(env: &mut Env<'l>, class: JClass<'l>) -> Answer<JString<'l>> {
    if let Err(error) = java::look_up(env, &class) {
        return Err(policy::throw_missing(env, &error.to_string()).into());
    }
    Ok(JString::from_str(env, env!("CARGO_PKG_VERSION"))?)
}

/// How many agents, calls, responses and global references are alive, in this order.
pub fn alive() -> [i64; 4] {
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    [
        count(AGENTS.len()),
        count(CALLS.len()),
        count(RESPONSES.len()),
        java::globals(),
    ]
}
