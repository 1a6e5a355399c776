# shellcheck shell=bash
# shellcheck disable=SC2034
# What the scripts of this folder have in common. For bash, from the top of the source.

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")

# The version of this source.
version() { sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1; }

# When it was committed, in seconds: what is built of it is dated so.
source_date() {
  if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then echo "$SOURCE_DATE_EPOCH"; else cat .source-date-epoch 2>/dev/null || git log -1 --format=%ct; fi
}

# triple ARCHITECTURE: Rust's name for what Debian calls so.
triple() {
  case $1 in
    amd64) echo x86_64-unknown-linux-gnu ;;
    arm64) echo aarch64-unknown-linux-gnu ;;
    armhf) echo armv7-unknown-linux-gnueabihf ;;
    *) echo "gatehand is not packaged for $1" >&2 && return 2 ;;
  esac
}

# need PACKAGE…: Debian packages, installed where that may be done. Status 77 where not.
need() {
  local package missing=()
  for package in "$@"; do
    dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "needs the Debian packages ${missing[*]}" >&2
    exit 77
  fi
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# emulate NAME: sets emulator, by which `run` runs programs for that architecture here; and cross and processor, other
# names of it.
emulate() {
  case $1 in
    amd64) cross=x86_64-linux-gnu processor=x86_64 ;;
    arm64) cross=aarch64-linux-gnu processor=aarch64 ;;
    armhf) cross=arm-linux-gnueabihf processor=arm ;;
  esac
  emulator=()
  [ "$1" != "$(dpkg --print-architecture)" ] || return 0
  need "libc6-dev-$1-cross" qemu-user-static
  emulator=("qemu-$processor-static" -L "/usr/$cross")
}

# for_architecture NAME: sets triple, built (the folder of all profiles), and what the functions below need. Another processor than this
# machine's has no standard library with the installed compiler: it is built too, from Debian's sources.
for_architecture() {
  local cross processor compiler name
  triple=$(triple "$1")
  emulate "$1"
  cargo_options=() environment=() maps=() linking=()
  built=$target/packaging/$triple
  if [ "$1" = "$(dpkg --print-architecture)" ]; then
    # The linker that comes with Rust for amd64 keeps one of functions that are the same.
    [ "$1" != amd64 ] || linking=("-Clink-arg=-Wl,--icf=all")
    return
  fi
  need "gcc-$cross"
  compiler=$(android/toolchain.sh)
  name=${triple//-/_}
  environment=(RUSTC="$compiler/usr/bin/rustc" RUSTC_BOOTSTRAP=1 LD_LIBRARY_PATH="$compiler/libraries"
    "CC_$name=$cross-gcc" "CARGO_TARGET_${name^^}_LINKER=$cross-gcc")
  maps=("$compiler/usr/src=/rustc" "$(realpath "$compiler")/usr/src=/rustc")
  cargo_options=('-Zbuild-std=std,panic_unwind')
}

# cargo_build OPTION…: builds a program for that architecture, which says nothing of the folders that it is made in or from.
# Relocations are packed: a third of a megabyte less, from glibc 2.36 on.
cargo_build() {
  local folder map flags='' c_flags='' all=("$PWD=/gatehand" "$PWD/vendor=/registry" "$target=/target" "${maps[@]}")
  # Each registry's folder has its address in its name.
  for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do all+=("$folder=/registry"); done
  for map in "${all[@]}"; do
    flags+=${flags:+$'\x1f'}--remap-path-prefix=$map
    c_flags+=" -ffile-prefix-map=$map"
  done
  env "${environment[@]}" CARGO_ENCODED_RUSTFLAGS="$flags" CFLAGS="${c_flags# }" CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$target/packaging" \
    cargo rustc --quiet --locked --target "$triple" "${cargo_options[@]}" "$@" -- -Clink-arg=-Wl,-z,pack-relative-relocs "${linking[@]}"
}

# run PROGRAM ARGUMENT…: on this machine's processor or an emulated one, with no settings of this machine.
run() { GATEHAND_SETTINGS='' "${emulator[@]}" "$@"; }

# tool NAME VERSION OPTION…: a program of crates.io, built once into tools/bin below the target folder.
tool() {
  tools=$target/tools
  [ "$(cat "$tools/$1.version" 2>/dev/null)" != "$2" ] || return 0
  # Unoptimized: it builds much faster, and runs for seconds.
  CARGO_PROFILE_DEV_DEBUG=false cargo install --quiet --locked --debug --root "$tools" --target-dir "$tools/build" "$1@$2" "${@:3}" >&2 || return
  echo "$2" >"$tools/$1.version"
}
