//! The bridge to the JVM: native methods of `io.gatehand.internal.Native`, whose comments are the
//! contract of both sides.

// The macro's exports are `extern` functions with mangled names, which count as unsafe.
#![allow(unsafe_code, reason = "native methods are exported by name")]

mod advice;
mod agents;
mod calls;
mod context;
mod enrolments;
mod error_code;
mod failure;
mod java;
mod library;
mod opening;
mod operations;
mod pieces;
mod policy;
mod registry;
mod requests;
mod shapes;
mod streams;

// For the native library that tests load (android/testing/native); no app's library has it.
#[doc(hidden)]
pub use library::alive;

/// What a native method returns.
type Answer<T> = Result<T, failure::BridgeError>;

/// Exports functions as the native methods of the same names.
macro_rules! exports {
    ($(($($signature:tt)*),)*) => {
        const _: () = {
            use $crate::jni::java::{Completion, Observer, Waiter};
            use $crate::jni::policy::Policy;
            $(const _: jni::NativeMethod = jni::native_method! {
                java_type = "io.gatehand.internal.Native",
                type_map = {
                    Completion => io.gatehand.internal.Completion,
                    Observer => io.gatehand.internal.Observer,
                    Waiter => io.gatehand.internal.Waiter,
                },
                error_policy = Policy,
                static extern fn $($signature)*,
            };)*
        };
    };
}
use exports;
