//! The thread of Java that reads or writes a body waits here.

use jni::Env;
use jni::objects::{JByteArray, JClass};
use jni::sys::{jboolean, jint, jlong};

use super::calls::CALLS;
use super::context::Use;
use super::failure::Failure;
use super::streams::{self, RESPONSES};
use super::{Answer, exports, registry};

exports! {
    (body_write(call: jlong, bytes: jbyte[], offset: jint, length: jint) -> jboolean),
    (body_finish(call: jlong)),
    (response_read(response: jlong, buffer: jbyte[], offset: jint, length: jint) -> jint),
    (response_close(response: jlong)),
}

/// At most `length` bytes; none at the end.
fn read(id: i64, length: usize) -> Result<Vec<u8>, Failure> {
    let open = RESPONSES.get(id)?;
    Use::begin()?.wait(open.read(length))?
}

/// Whether more is wanted.
fn write(call: i64, piece: Vec<u8>) -> Result<bool, Failure> {
    let Some(found) = CALLS.find(call) else {
        return gone(call);
    };
    let Some(body) = &found.body else {
        return Ok(false);
    };
    Use::begin()?.wait(body.write(piece))
}

fn finish(call: i64) -> Result<(), Failure> {
    let Some(found) = CALLS.find(call) else {
        return gone(call).map(drop);
    };
    if let Some(body) = &found.body {
        Use::begin()?.wait(body.finish())?;
    }
    Ok(())
}

fn gone(call: i64) -> Result<bool, Failure> {
    if registry::was_given(call) {
        Ok(false)
    } else {
        Err(Failure::new("closed", "there was never such a call"))
    }
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
    Ok(write(call, piece)?)
}

fn body_finish<'l>(_: &mut Env<'l>, _: JClass<'l>, call: jlong) -> Answer<()> {
    Ok(finish(call)?)
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
    let piece = read(response, length)?;
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
