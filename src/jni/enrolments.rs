//! Codes that were scanned, and what was typed.

use std::borrow::Cow;

use jni::Env;
use jni::objects::{JByteArray, JClass};

use super::failure::Failure;
use super::java::bytes;
use super::{Answer, exports, shapes};
use crate::enrolment::{Enrolment, Reading, ServerUrl, plain, token_alone};
use crate::secret::Secret;

exports! {
    (parse_enrolment(text: jbyte[]) -> jbyte[]),
    (typed_enrolment(server: jbyte[], token: jbyte[]) -> jbyte[]),
}

fn parse_enrolment<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    text: JByteArray<'l>,
) -> Answer<JByteArray<'l>> {
    let text = shapes::text(&bytes(env, &text)?)?;
    let reading = Reading::of(text.expose(), None).map_err(Failure::from)?;
    Ok(env.byte_array_from_slice(&shapes::enrolment(&reading))?)
}

fn typed_enrolment<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    server: JByteArray<'l>,
    token: JByteArray<'l>,
) -> Answer<JByteArray<'l>> {
    let server = shapes::text(&bytes(env, &server)?)?;
    let token = shapes::text(&bytes(env, &token)?)?;
    let server = completed(&plain(server.expose())).into_owned();
    let enrolment = enrolment(&server, token_alone(token.expose()))?;
    Ok(env.byte_array_from_slice(&shapes::enrolment(&enrolment.into()))?)
}

/// The address as it was meant: people leave out what goes without saying.
pub(super) fn completed(server: &str) -> Cow<'_, str> {
    match server.contains("://") {
        true => server.into(),
        false => format!("https://{}", server.trim()).into(),
    }
}

/// The enrolment at exactly this address.
pub(super) fn enrolment(server: &str, token: Secret) -> Result<Enrolment, Failure> {
    let server = server.parse::<ServerUrl>();
    let server = server.map_err(|error| {
        let advice = error.advice();
        Failure::of("enrolment_invalid", &error).advised(advice)
    })?;
    Enrolment::new(server, token).map_err(|error| {
        let advice = error.advice().into();
        Failure::of("enrolment_invalid", &error).advised(Some(advice))
    })
}
