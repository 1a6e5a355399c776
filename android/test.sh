#!/bin/sh
# Builds the native library and the server for this machine, and runs the Android library's tests on
# them: android/test.sh [MAVEN OPTION…]
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --quiet --locked --bin gatehand
cargo rustc --quiet --locked --lib --crate-type cdylib --no-default-features --features jni --profile handheld
# Another one, in which a test can have something go wrong.
cargo rustc --quiet --locked --lib --crate-type cdylib --no-default-features --features jni,failpoints
exec mvn -B -f android/pom.xml verify \
  -Dgatehand.library="$target/handheld/libgatehand.so" \
  -Dgatehand.library.failing="$target/debug/libgatehand.so" \
  -Dgatehand.program="$target/debug/gatehand" "$@"
