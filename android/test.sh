#!/bin/sh
# Builds the native library and the server for this machine, and runs the Android library's tests on
# them: android/test.sh [MAVEN OPTION…]
set -eu
cd "$(dirname "$0")/.."
# Wherever Cargo's configuration puts it; the tests run in other folders.
target=$(cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
cargo build --locked --bin gatehand
cargo rustc --locked --lib --crate-type cdylib --no-default-features --features jni --profile handheld
# Another one, in which a test can have something go wrong.
cargo rustc --locked --lib --crate-type cdylib --no-default-features --features jni,failpoints
exec mvn -B -f android/pom.xml verify \
  -Dgatehand.library="$target/handheld/libgatehand.so" \
  -Dgatehand.library.failing="$target/debug/libgatehand.so" \
  -Dgatehand.program="$target/debug/gatehand" "$@"
