#!/usr/bin/env bash
# Builds the deployment of docs/SCALING.md on machines that are namespaces of this one, and breaks it under load.
#
# GATEHAND_CLUSTER_PROGRAM=FILE  the gatehand-server; without, the one that Cargo builds
# GATEHAND_CLUSTER_CALLERS=N     so many callers at once; without, 12
# GATEHAND_CLUSTER_FOLDER=DIR    where packages and logs are kept; without, where Cargo builds
#
# Debian's packages are installed in a layer of memory over this machine's root, which stays as it is. Ends with 77
# where it can't run.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "$(id -u)" -ne 0 ]; then echo "needs root, for namespaces" >&2 && exit 77; fi
for program in apt-get ip nsenter openssl python3 setpriv unshare; do
  command -v "$program" >/dev/null || { echo "needs $program, and a Debian" >&2 && exit 77; }
done
apart=(unshare --mount --pid --fork --kill-child --mount-proc)
# shellcheck disable=SC2016
if ! "${apart[@]}" --net sh -c 'mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r &&
    mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r &&
    ip link add cluster type bridge && ip link add veth0 type veth peer name veth1'; then
  echo "namespaces, an overlay over the root or a bridge are not allowed here" >&2 && exit 77
fi

target=${CARGO_TARGET_DIR:-$(cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')}
export GATEHAND_CLUSTER_FOLDER=${GATEHAND_CLUSTER_FOLDER:-$target/cluster}
mkdir -p "$GATEHAND_CLUSTER_FOLDER"
if [ -z "${GATEHAND_CLUSTER_PROGRAM:-}" ]; then
  # As the tests build it, so that nothing is built anew.
  cargo build --quiet --locked --features failpoints --bin gatehand-server
  GATEHAND_CLUSTER_PROGRAM=$target/debug/gatehand-server
fi
export GATEHAND_CLUSTER_PROGRAM
export PYTHONDONTWRITEBYTECODE=1
# What runs there ends with it, however it ends, and mounts and networks go too. Data of the runs before goes first.
rm -rf "$GATEHAND_CLUSTER_FOLDER"/run-*
exec "${apart[@]}" sh -c 'python3 tests/cluster/prepare.py && exec unshare --net python3 tests/cluster/run.py'
