#!/usr/bin/env bash
# Runs every fuzz target for a few seconds with the stable toolchain: fuzz/run.sh [SECONDS [TARGET…]].
# What it begins with is in seeds/, what it found in corpus/.
# RUNS=1000000 fuzz/run.sh 0 enrolment picture: until so many inputs were tried, however long.
# For a long search with sanitizers use cargo-fuzz: cargo +nightly fuzz run TARGET.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-20}
limit=${RUNS:+$RUNS runs}
limit=${limit:-$seconds s}
host=$(rustc -vV | sed -n 's/^host: //p')
target_dir=${CARGO_TARGET_DIR:-target}

# What cargo-fuzz passes too: the compiler counts which branches were taken.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing"
RUSTC_WRAPPER=$PWD/rustc.sh RUSTC_BOOTSTRAP=1 RUSTFLAGS=$coverage cargo build --locked --quiet --target "$host"

targets=("${@:2}")
if [ ${#targets[@]} -eq 0 ]; then
  for source in fuzz_targets/*.rs; do targets+=("$(basename "$source" .rs)"); done
fi
for name in "${targets[@]}"; do
  mkdir -p "corpus/$name" "artifacts/$name"
  corpora=("corpus/$name")
  if [ -d "seeds/$name" ]; then corpora+=("seeds/$name"); fi
  # An input that takes half a minute is one that never ends.
  if "$target_dir/$host/debug/$name" -max_total_time="$seconds" -runs="${RUNS:--1}" -max_len=4096 \
    -timeout=30 -verbosity=0 -print_funcs=0 -artifact_prefix="artifacts/$name/" "${corpora[@]}"; then
    echo "$name: nothing found in $limit"
  else
    echo "$name: see fuzz/artifacts/$name" >&2
    exit 1
  fi
done
