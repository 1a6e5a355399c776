#!/usr/bin/env bash
# Boots a whole machine and tests gatehand on it: tests/machine/run.sh [TEST…], a TEST as
# test_keyboard or test_clock.Clock. docs/TESTING.md tells more.
#
# GATEHAND_MACHINE_ACCEL=kvm|tcg  with KVM or under emulation; without, KVM where a kernel starts in it
# GATEHAND_MACHINE_CUTS=N         so many power cuts; without, 100 with KVM and 10 under emulation
# GATEHAND_MACHINE_SEED=N         the power cuts of an earlier run again
# GATEHAND_MACHINE_PACKAGES=DIR   the packages that the image is made with; without, what packaging/build.sh makes
# GATEHAND_MACHINE_BEFORE=FILE    the agent's package that is upgraded; without, the same by a lower version
# GATEHAND_MACHINE_PROGRAM=FILE   the gatehand that serves; without, that of the packages, or the one that Cargo builds
# GATEHAND_MACHINE_AGENT=FILE     without packages: the gatehand in the image, if it is another one
# GATEHAND_MACHINE_FOLDER=DIR     where images are kept; without, where Cargo builds
#
# Installs what it needs where it may (Debian, as root). Ends with 77 where it can't run.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "$(uname -m)" != x86_64 ]; then echo "the machine is an amd64 one, and this is $(uname -m)" >&2 && exit 77; fi
if [ "$(id -u)" -ne 0 ]; then echo "needs root, for debootstrap and a network of its own" >&2 && exit 77; fi
wanted=(
  qemu-system-x86 qemu-utils ovmf swtpm nbdkit debootstrap
  e2fsprogs fdisk dosfstools mtools zstd openssl iproute2 util-linux binutils
)
missing=()
for package in "${wanted[@]}"; do
  dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || { echo "needs the Debian packages ${missing[*]}" >&2 && exit 77; }
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
fi
if ! unshare --net true; then echo "a network of its own is not allowed here" >&2 && exit 77; fi

target=${CARGO_TARGET_DIR:-$(cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')}
export GATEHAND_MACHINE_FOLDER=${GATEHAND_MACHINE_FOLDER:-$target/machine}
if [ -z "${GATEHAND_MACHINE_PACKAGES:-}${GATEHAND_MACHINE_PROGRAM:-}" ] && [ -x packaging/build.sh ]; then
  packaging/build.sh amd64
  GATEHAND_MACHINE_PACKAGES=$target/packages
fi
if [ -n "${GATEHAND_MACHINE_PACKAGES:-}" ]; then
  export GATEHAND_MACHINE_PACKAGES
  if [ -z "${GATEHAND_MACHINE_PROGRAM:-}" ]; then
    # The server on this side is that of the newest package, too.
    mapfile -t servers < <(ls -t "$GATEHAND_MACHINE_PACKAGES"/gatehand-server_*_amd64.deb)
    [ ${#servers[@]} -gt 0 ] || { echo "no gatehand-server among the packages in $GATEHAND_MACHINE_PACKAGES" >&2 && exit 2; }
    rm -rf "$GATEHAND_MACHINE_FOLDER/server"
    mkdir -p "$GATEHAND_MACHINE_FOLDER"
    dpkg-deb -x "${servers[0]}" "$GATEHAND_MACHINE_FOLDER/server"
    GATEHAND_MACHINE_PROGRAM=$GATEHAND_MACHINE_FOLDER/server/usr/bin/gatehand-server
  fi
elif [ -z "${GATEHAND_MACHINE_PROGRAM:-}" ]; then
  cargo build --quiet --locked --bin gatehand
  GATEHAND_MACHINE_PROGRAM=$target/debug/gatehand
fi
export GATEHAND_MACHINE_PROGRAM
export PYTHONDONTWRITEBYTECODE=1
GATEHAND_MACHINE_ACCEL=$(python3 tests/machine/prepare.py)
export GATEHAND_MACHINE_ACCEL

# From here on there is no network but loopback, for the machine and for its test.
exec unshare --net -- sh -c 'ip link set lo up && exec python3 tests/machine/run.py "$@"' sh "$@"
