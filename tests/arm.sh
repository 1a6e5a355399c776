#!/usr/bin/env bash
# Runs the unit tests of the handheld's core on emulated ARM processors: tests/arm.sh [TARGET…].
# Not part of `make test`, for emulation is slow. Installs what it needs where it may (Debian, as
# root). Linux and not Android, but the same code for the same processors.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}

declare -A compilers=(
  [aarch64-unknown-linux-gnu]=aarch64-linux-gnu
  [armv7-unknown-linux-gnueabihf]=arm-linux-gnueabihf
)
declare -A packages=(
  [aarch64-unknown-linux-gnu]='gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static'
  [armv7-unknown-linux-gnueabihf]='gcc-arm-linux-gnueabihf libc6-dev-armhf-cross qemu-user-static'
)
targets=("$@")
[ $# -gt 0 ] || targets=(aarch64-unknown-linux-gnu armv7-unknown-linux-gnueabihf)

missing=()
for one in "${targets[@]}"; do
  [ -n "${compilers[$one]:-}" ] || { echo "$one is none of ${!compilers[*]}" >&2 && exit 2; }
  for package in ${packages[$one]}; do
    dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed' || missing+=("$package")
  done
done
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ]; then echo "needs the Debian packages ${missing[*]}" >&2 && exit 77; fi
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
fi

root=$(android/toolchain.sh)
export RUSTC=$root/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$target/arm
for one in "${targets[@]}"; do
  tools=${compilers[$one]} name=${one//-/_}
  emulator=qemu-${one%%-*}-static
  export "CC_$name=$tools-gcc" "CARGO_TARGET_${name^^}_LINKER=$tools-gcc"
  export "CARGO_TARGET_${name^^}_RUNNER=${emulator/armv7/arm} -L /usr/$tools"
  printf '\n== %s\n' "$one"
  LD_LIBRARY_PATH=$root/libraries cargo test --locked -Zbuild-std=std,panic_unwind,test --target "$one" --no-default-features --lib
done
