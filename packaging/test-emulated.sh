#!/usr/bin/env bash
# Has packages for other processors live a device's whole life on an emulated one:
# packaging/test-emulated.sh [arm64|armhf…]. The agent lives at a server that is emulated too, then at one of this
# machine. The packages are built first, where they are not there.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/lib.sh
. packaging/lib.sh

architectures=("$@")
[ $# -gt 0 ] || architectures=(arm64 armhf)
host=$(dpkg --print-architecture)
scratch=$(mktemp -d)
server=''
end() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$scratch"
}
trap end EXIT

# unpack ARCHITECTURE: both programs, into a folder of that name.
unpack() {
  local name package
  for name in gatehand-agent gatehand-server; do
    package=$(find "$target/packages" -name "${name}_*_$1.deb" | sort -V | tail -1)
    if [ -z "$package" ]; then
      packaging/build.sh "$1"
      package=$(find "$target/packages" -name "${name}_*_$1.deb" | sort -V | tail -1)
    fi
    dpkg-deb --extract "$package" "$scratch/$1"
  done
}

# program ARCHITECTURE NAME ARGUMENT…: runs one of them.
program() {
  emulate "$1"
  run "$scratch/$1/usr/bin/$2" "${@:3}"
}

# life AGENT SERVER: of a device, with programs of these processors.
life() {
  local database=$scratch/server-$1-$2.db log=$scratch/log-$1-$2 address code=0
  export GATEHAND_DATABASE=$database GATEHAND_HOME=$scratch/vault-$1-$2
  program "$2" gatehand-server admin organizer create bigevents --name 'Big Events'
  program "$2" gatehand-server admin event create bigevents museum --name 'Museum night' --from 2099-05-08
  emulate "$2"
  GATEHAND_SETTINGS='' "${emulator[@]}" "$scratch/$2/usr/bin/gatehand-server" serve --listen 127.0.0.1:0 2>"$log" &
  server=$!
  until grep -q '^Serving on' "$log"; do
    kill -0 "$server" || { cat "$log" >&2 && exit 1; }
    sleep 0.1
  done
  address=$(sed -n 's/^Serving on \(http:[^,]*\),.*/\1/p' "$log")
  program "$2" gatehand-server admin device create bigevents --name 'Lane 1' --all-events --public-url "$address" --qr-image "$scratch/code.png"
  program "$1" gatehand init --qr-image "$scratch/code.png"
  program "$1" gatehand info | grep 'Lane 1'
  program "$1" gatehand update --hardware-model 'Kiosk 3'
  program "$2" gatehand-server admin device show bigevents 1 --json | grep 'Kiosk 3'
  program "$1" gatehand roll
  program "$1" gatehand event-selection --json >/dev/null
  program "$1" gatehand info --media-keys --json >/dev/null
  program "$1" gatehand request GET /api/v1/device/info >/dev/null
  program "$1" gatehand revoke --yes
  program "$1" gatehand info >/dev/null 2>&1 || code=$?
  [ "$code" -eq 16 ] || { echo "a revoked device's info ended with $code" >&2 && exit 1; }
  kill "$server"
  wait "$server"
  server=''
  echo "ok      an agent for $1 at a server for $2"
}

unpack "$host"
for architecture in "${architectures[@]}"; do
  unpack "$architecture"
  life "$architecture" "$architecture"
  life "$architecture" "$host"
done
