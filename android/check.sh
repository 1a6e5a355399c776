#!/usr/bin/env bash
# Lints the handheld's core for Android's processors. This is a check of types and no more: nothing is
# linked and no C is compiled, for that takes the NDK. It finds code for Android that has rotted, and
# sizes that don't fit 32 bits. Status 77 where the compiler for it can't be had.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(android/toolchain.sh)
target=${CARGO_TARGET_DIR:-target}

# What Cargo.toml warns of, and what is not used. Lints that a newer compiler brings are only shown.
lints=(-D unused)
while read -r lint; do lints+=(-D "$lint"); done < <(
  sed -n '/^\[workspace\.lints\.rust\]/,/^$/s/^\([a-z_]*\) = "warn".*/\1/p; /^\[workspace\.lints\.clippy\]/,/^$/s/^\([a-z_]*\) = "warn".*/clippy::\1/p' Cargo.toml
)
targets=(--target aarch64-linux-android --target armv7-linux-androideabi --target x86_64-linux-android)

compiler=$PWD/android/no-c.sh
export CC_aarch64_linux_android=$compiler CC_armv7_linux_androideabi=$compiler CC_x86_64_linux_android=$compiler
export LD_LIBRARY_PATH=$root/libraries RUSTC=$root/usr/bin/rustc RUSTC_BOOTSTRAP=1
# A folder of its own: another compiler's results would be built anew each time.
CARGO_TARGET_DIR=$target/android "$root/usr/bin/cargo-clippy" clippy --quiet --locked -Zbuild-std=std,panic_unwind "${targets[@]}" \
  --package gatehand-native -- "${lints[@]}"
