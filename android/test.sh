#!/bin/sh
# Builds the native libraries and the server for this machine, and runs the Android library's tests on
# them: android/test.sh [MAVEN OPTION…]
# GATEHAND_PROGRAM names a server that is built already.
set -eu
cd "$(dirname "$0")/.."
# Wherever Cargo's configuration puts it; the tests run in other folders.
target=$(cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
program=${GATEHAND_PROGRAM:-$target/debug/gatehand}
[ -n "${GATEHAND_PROGRAM:-}" ] || cargo build --locked --bin gatehand
cargo build --locked --package gatehand-native --profile handheld
# By itself, as Cargo would give both its failpoints; in the same profile, whose dependencies are built already.
cargo build --locked --package gatehand-native-testing --profile handheld
exec mvn -B -f android/pom.xml verify \
  -Dgatehand.library="$target/handheld/libgatehand.so" \
  -Dgatehand.library.testing="$target/handheld/libgatehand_testing.so" \
  -Dgatehand.program="$program" "$@"
