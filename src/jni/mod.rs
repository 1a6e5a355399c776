//! The bridge to the JVM: native methods of `io.gatehand.internal.Native`.

// The macro's exports are `extern` functions with mangled names, which count as unsafe.
#![allow(unsafe_code, reason = "native methods are exported by name")]

use jni::objects::{JClass, JString};
use jni::{Env, native_method};

const _: jni::NativeMethod = native_method! {
    java_type = "io.gatehand.internal.Native",
    static extern fn version() -> JString,
};

/// The library's version, so that a Kotlin side of another one notices.
fn version<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
) -> Result<JString<'local>, jni::errors::Error> {
    JString::from_str(env, env!("CARGO_PKG_VERSION"))
}
