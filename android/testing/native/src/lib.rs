//! `libgatehand_testing.so`: the same bridge as that of `libgatehand.so`, with failpoints, and native
//! methods of `io.gatehand.testing.Alive` that tests alone ask.

// The macro's exports are `extern` functions with mangled names, which count as unsafe.
#![allow(unsafe_code, reason = "native methods are exported by name")]

use jni::Env;
use jni::objects::{JClass, JLongArray};

const _: jni::NativeMethod = jni::native_method! {
    java_type = "io.gatehand.testing.Alive",
    static extern fn counts() -> jlong[],
};

fn counts<'l>(env: &mut Env<'l>, _: JClass<'l>) -> jni::errors::Result<JLongArray<'l>> {
    let counts = gatehand::jni::alive();
    let array = env.new_long_array(counts.len())?;
    array.set_region(env, 0, &counts)?;
    Ok(array)
}
