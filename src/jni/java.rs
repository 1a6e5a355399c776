//! The classes of Java's side that the bridge calls. Their names are what R8 has to keep.

use std::sync::atomic::{AtomicI64, Ordering};

use jni::objects::{JByteArray, JClass, JObject};
use jni::refs::{Global, LoaderContext, Reference};
use jni::{AttachConfig, Env, JavaVM, bind_java_type, jni_str};
use zeroize::Zeroizing;

use super::failure::{BridgeError, Failure};

bind_java_type! {
    pub(super) Failures => io.gatehand.internal.Failures,
    methods {
        static fn exception(error: jbyte[]) -> java.lang.Throwable,
    },
}

bind_java_type! {
    pub(super) Completion => io.gatehand.internal.Completion,
    methods {
        fn succeeded(result: jbyte[], body: jbyte[], response: jlong),
        fn failed(error: jbyte[]),
    },
}

bind_java_type! {
    pub(super) Waiter => io.gatehand.internal.Waiter,
    methods {
        fn is_wanted() -> jboolean,
        fn answered(result: jbyte[], body: jbyte[], response: jlong),
    },
}

bind_java_type! {
    pub(super) Observer => io.gatehand.internal.Observer,
    methods {
        fn happened(event: jbyte[]),
        fn diagnostics() -> jbyte[],
    },
}

static GLOBALS: AtomicI64 = AtomicI64::new(0);

/// Looks all of them up where `native` came from: threads of ours do not see the app's classes, and
/// those of Java may have another loader at hand.
pub(super) fn look_up(env: &mut Env<'_>, native: &JClass<'_>) -> jni::errors::Result<()> {
    let loader = native.get_class_loader(env)?;
    let loader = LoaderContext::Loader(&loader);
    FailuresAPI::get(env, &loader)?;
    CompletionAPI::get(env, &loader)?;
    WaiterAPI::get(env, &loader)?;
    ObserverAPI::get(env, &loader)?;
    Ok(())
}

/// Counts a global reference. It is declared after the reference, so as to be dropped after it.
pub(super) struct Counted(());

impl Drop for Counted {
    fn drop(&mut self) {
        GLOBALS.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn globals() -> i64 {
    GLOBALS.load(Ordering::Relaxed)
}

/// Keeps an object of Java beyond this call.
pub(super) fn keep<'l, T>(
    env: &Env<'l>,
    what: &str,
    object: &T,
) -> Result<(Global<T::GlobalKind>, Counted), BridgeError>
where
    T: Reference + AsRef<JObject<'l>>,
{
    if object.is_null() {
        return Err(missing(what));
    }
    let global = env.new_global_ref(object)?;
    GLOBALS.fetch_add(1, Ordering::Relaxed);
    Ok((global, Counted(())))
}

/// The bytes that Java passed, which may hold a token or key.
pub(super) fn bytes(
    env: &Env<'_>,
    array: &JByteArray<'_>,
) -> Result<Zeroizing<Vec<u8>>, BridgeError> {
    if array.is_null() {
        return Err(missing("bytes"));
    }
    Ok(Zeroizing::new(env.convert_byte_array(array)?))
}

/// The bytes that Java passed, or none for null.
pub(super) fn optional_bytes(
    env: &Env<'_>,
    array: &JByteArray<'_>,
) -> Result<Option<Zeroizing<Vec<u8>>>, BridgeError> {
    (!array.is_null()).then(|| bytes(env, array)).transpose()
}

fn missing(what: &str) -> BridgeError {
    Failure::new(
        "argument_invalid",
        format!("null was passed instead of {what}"),
    )
    .into()
}

/// Does something on this thread as one of Java's. An exception that is thrown there ends there.
pub(super) fn attached(
    work: impl FnOnce(&mut Env<'_>) -> jni::errors::Result<()>,
) -> jni::errors::Result<()> {
    let named = || AttachConfig::new().thread_name(jni_str!("gatehand"));
    JavaVM::singleton()?.attach_current_thread_with_config(named, Some(8), |env| {
        let done = work(env);
        if env.exception_check() {
            env.exception_clear();
        }
        done
    })
}
