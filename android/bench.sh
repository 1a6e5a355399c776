#!/bin/sh
# Builds the native library as it is shipped and the server as it is released, for this machine, and
# measures the Android library against what apps do without it: android/bench.sh [JVMS [ROUNDS]]
# Takes about ten minutes; docs/PERFORMANCE.md says what it compares.
set -eu
cd "$(dirname "$0")/.."
# Wherever Cargo's configuration puts it; the tests run in other folders.
target=$(cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
cargo build --locked --release --bin gatehand
cargo build --locked --package gatehand-native --profile handheld
mvn -B -q -f android/pom.xml package -DskipTests -pl benchmark -am
built=android/benchmark/target
exec java -Xms512m -Xmx512m \
  -Dgatehand.library="$target/handheld/libgatehand.so" \
  -Dgatehand.program="$target/release/gatehand" \
  -Drobolectric.offline=true -Drobolectric.dependency.dir="$PWD/android/target/frameworks" \
  -cp "$built/classes:$(cat "$built/classpath")" io.gatehand.benchmark.BenchmarkKt "${1:-3}" "${2:-10}"
