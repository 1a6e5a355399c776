//! The one way in which a failure becomes a Java exception.

use std::any::Any;

use jni::errors::ErrorPolicy;
use jni::strings::JNIString;
use jni::{Env, jni_str};

use super::failure::{BridgeError, Failure};
use super::java::Failures;

/// Throws what `Failures.exception` makes of a failure.
pub(super) struct Policy;

fn throw(env: &mut Env<'_>, failure: &Failure) -> jni::errors::Result<()> {
    if env.exception_check() {
        return Ok(());
    }
    let made = make(env, failure);
    if made.is_err() && !env.exception_check() {
        throw_missing(env, failure.message());
    }
    Ok(())
}

/// Throws that a class or method of Java's side is not there, as the JVM itself does.
pub(super) fn throw_missing(env: &mut Env<'_>, words: &str) -> jni::errors::Error {
    let class = jni_str!("java/lang/NoClassDefFoundError");
    match env.throw_new(class, JNIString::from(words)) {
        Ok(()) => jni::errors::Error::JavaException,
        Err(error) => error,
    }
}

fn make(env: &mut Env<'_>, failure: &Failure) -> jni::errors::Result<()> {
    let json = env.byte_array_from_slice(&failure.json())?;
    let exception = Failures::exception(env, &json)?;
    // It says that an exception is pending, as it should be.
    let _ = env.throw(&exception);
    Ok(())
}

impl<T: Default> ErrorPolicy<T, BridgeError> for Policy {
    type Captures<'unowned_env_local: 'native_method, 'native_method> = ();

    fn on_error<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _captures: &mut (),
        error: BridgeError,
    ) -> jni::errors::Result<T> {
        let failure = match error {
            BridgeError::Failed(failure) => failure,
            BridgeError::Java(error) => Failure::of("internal", &error),
        };
        throw(env, &failure)?;
        Ok(T::default())
    }

    fn on_panic<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _captures: &mut (),
        payload: Box<dyn Any + Send + 'static>,
    ) -> jni::errors::Result<T> {
        throw(env, &Failure::panicked(&*payload))?;
        // Dropping it might panic again.
        std::mem::forget(payload);
        Ok(T::default())
    }
}
