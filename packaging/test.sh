#!/usr/bin/env bash
# Installs, upgrades, removes and purges the packages in a bare Debian 12, and has a device live there:
# packaging/test.sh [FOLDER]. The packages are built first, or taken from the folder.
#
# Needs root. The units are looked at by systemd-analyze, and run by systemd in a container. With CI=true what can't run
# is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/lib.sh
. packaging/lib.sh

architecture=$(dpkg --print-architecture)
scratch=$target/packaging/test
root=$scratch/root
passed=0 failed=0

[ "$(id -u)" -eq 0 ] || { echo "needs root: it makes a Debian of its own to install into" >&2 && exit 77; }
need lintian mmdebstrap systemd systemd-container

if [ $# -gt 0 ]; then
  packages=$(realpath "$1")
else
  packaging/build.sh
  packages=$target/packages
fi
# check WORDS COMMAND…: one check that passes or fails.
check() {
  # In a shell of its own: in a condition nothing would end at its first failure.
  local status=0
  set +e
  (set -euo pipefail && "${@:2}") >"$scratch/log" 2>&1
  status=$?
  set -e
  if [ "$status" -eq 0 ]; then
    passed=$((passed + 1))
    echo "ok      $1"
  else
    failed=$((failed + 1))
    echo "FAILED  $1"
    tail -30 "$scratch/log" | sed 's/^/        /'
  fi
}

newest() { find "$packages" -name "${1}_*_$architecture.deb" | sort -V | tail -1; }

agent=$(newest gatehand-agent) server=$(newest gatehand-server)
[ -n "$agent" ] && [ -n "$server" ] || { echo "there are no packages for $architecture in $packages" >&2 && exit 1; }

# The bare Debian, made once; each test has a new one. Whatever the machine's apt gets packages from is used.
included=systemd,udev,bash-completion,openssl
base=$scratch/bookworm-$architecture-$included.tar
mkdir -p "$scratch"
if [ ! -s "$base" ]; then
  echo "making a bare Debian 12"
  sources=()
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do [ ! -s "$file" ] || sources+=("$file"); done
  mmdebstrap --quiet --format=tar --variant=minbase --architectures="$architecture" \
    --include="$included" bookworm "$base.new" "${sources[@]}"
  mv "$base.new" "$base"
fi

leave() {
  for place in proc dev/pts dev; do umount --quiet --lazy "$root/$place" 2>/dev/null || true; done
}
trap leave EXIT

# A Debian as it is after its installation, in which no service is started.
fresh() {
  leave
  rm -rf --one-file-system "$root"
  mkdir -p "$root"
  tar -C "$root" -xf "$base"
  mount --bind /proc "$root/proc"
  mount --bind /dev "$root/dev"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  mkdir "$root/packages"
  cp "$agent" "$root/packages/gatehand-agent.deb"
  cp "$server" "$root/packages/gatehand-server.deb"
  cp -r packaging/debian/tests "$root/packages/"
}

inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
install_all() { inside apt-get -q -y install "${@/#//packages/}"; }

# Names of all files but those that dpkg, apt and systemd keep about themselves.
files() {
  (cd "$root" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./packages -o -path ./var/lib/dpkg -o -path ./var/lib/apt \
    -o -path ./var/cache -o -path ./var/log -o -path ./tmp -o -path ./run \) -prune -o -printf '%y %p\n') |
    grep -vE ' \./etc/(passwd|group|shadow|gshadow)-$| \./etc/\.pwd\.lock$' | sort
}

# comes_and_goes PACKAGE…: installed and purged in this order, they leave what was there before. Their users
# stay, as Debian has it: files may still belong to them.
comes_and_goes() {
  fresh
  files >"$scratch/before"
  local package
  for package in "$@"; do install_all "$package.deb"; done
  local code=0
  for package in "$@"; do
    case $package in
      gatehand-agent) inside gatehand status || code=$? && [ "$code" -eq 13 ] ;;
      gatehand-server) inside gatehand-server admin organizer create a --name A ;;
    esac
  done
  inside dpkg --audit
  inside apt-get -q -y remove "$@"
  [[ " $* " != *' gatehand-server '* ]] || [ -s "$root/var/lib/gatehand-server/gatehand.db" ]
  [ -d "$root/var/lib/${1/-agent/}" ]
  inside apt-get -q -y purge "$@"
  files >"$scratch/after"
  diff "$scratch/before" "$scratch/after"
}

has_doors_that_say_what_is_missing() {
  fresh
  install_all gatehand-agent.deb
  local code=0 said
  said=$(inside gatehand serve --listen 127.0.0.1:0 2>&1) || code=$?
  [ "$code" -eq 15 ]
  grep 'apt install .*gatehand-server' <<<"$said"
  code=0
  said=$(inside gatehand admin --json organizer list 2>&1) || code=$?
  [ "$code" -eq 15 ]
  grep '"code":15,"kind":"server-unable"' <<<"$said"
}

# later PACKAGE INTO: the same with a higher version.
later() {
  local folder=$scratch/later
  rm -rf "$folder"
  dpkg-deb --raw-extract "$1" "$folder"
  sed -i 's/^Version: .*/&+later/' "$folder/DEBIAN/control"
  dpkg-deb --root-owner-group -Zgzip -z1 --build "$folder" "$2"
}

# Of an SQLite file, whose header has it.
schema_version() { od --address-radix=n --format=u1 --skip-bytes=63 --read-bytes=1 "$1"; }

# What a purge takes away is there until then: the same device and the same server after an upgrade, a removal and
# a return. An older database is copied before it is changed.
keeps_state() {
  fresh
  install_all gatehand-agent.deb gatehand-server.deb
  local vault=$root/var/lib/gatehand database=$root/var/lib/gatehand-server before
  install -m 600 tests/data/vaults/version-1/enrolled/* "$vault"
  install -m 600 tests/data/servers/version-1/server.db "$database/gatehand.db"
  install -m 600 tests/data/servers/version-1/server.db.secret "$database/gatehand.db.secret"
  chown --reference="$vault" "$vault"/*
  chown --reference="$database" "$database"/*
  before=$(inside gatehand status --json)
  grep '"ABCDEFGH12345678"' <<<"$before"
  inside gatehand-server admin device list bigevents | grep 'Lane 2'
  [ "$(schema_version "$database/gatehand.db.version-1")" -eq 1 ]
  [ "$(schema_version "$database/gatehand.db")" -gt 1 ]
  [ "$(stat -c '%U %a' "$database/gatehand.db.version-1")" = "$(stat -c '%U 600' "$database")" ]
  echo '# mine' >>"$root/etc/gatehand/agent.toml"
  echo 'stop_time = 20' >>"$root/etc/gatehand/server.toml"
  later "$agent" "$root/packages/agent-later.deb"
  later "$server" "$root/packages/server-later.deb"
  install_all agent-later.deb server-later.deb
  [ "$(inside dpkg-query --show --showformat '${Version}\n' 'gatehand-*' | grep -c +later)" -eq 2 ]
  grep '# mine' "$root/etc/gatehand/agent.toml"
  inside gatehand-server config | grep '^stop_time  *20  *line '
  [ "$(inside gatehand status --json)" = "$before" ]
  inside apt-get -q -y remove gatehand-agent gatehand-server
  [ -s "$vault/vault.db" ]
  grep '# mine' "$root/etc/gatehand/agent.toml"
  install_all agent-later.deb server-later.deb
  [ "$(inside gatehand status --json)" = "$before" ]
  inside gatehand-server admin device list bigevents | grep 'Lane 2'
  inside apt-get -q -y purge gatehand-agent gatehand-server
  [ ! -e "$vault" ] && [ ! -e "$database" ] && [ ! -e "$root/etc/gatehand" ]
}

# typed NUMBER: what the page on upgrades says for packages, the first or second of it.
typed() { awk -v wanted="$1" '/^<!-- with the packages: /{block++} /^```/{inside=0} inside && block==wanted; /^```sh/{inside=1}' docs/UPGRADE.md; }

# The newer packages leave a database that the older program refuses, and the copy from before the upgrade.
goes_back() {
  fresh
  local vault=$root/var/lib/gatehand database=$root/var/lib/gatehand-server/gatehand.db before version code=0 said
  mkdir "$root/packages/older"
  cp "$agent" "$server" "$root/packages/older/"
  later "$agent" "$root/packages/agent-later.deb"
  later "$server" "$root/packages/server-later.deb"
  install_all agent-later.deb server-later.deb
  install -m 600 tests/data/vaults/version-1/enrolled/* "$vault"
  chown --reference="$vault" "$vault"/*
  before=$(inside gatehand status --json)
  inside gatehand-server admin organizer create bigevents --name 'Big Events'
  version=$(($(schema_version "$database")))
  cp --archive "$database" "$database.version-$version"
  inside gatehand-server admin organizer create smallevents --name 'Small Events'
  printf '\377' | dd of="$database" bs=1 seek=63 conv=notrunc status=none
  # Nobody answers there, and no service manager runs.
  inside sh -euc "cd /packages; alias apt='apt -y'
$(typed 1)"
  [ "$(inside dpkg-query --show --showformat '${Version}\n' 'gatehand-*' | grep -c +later)" -eq 0 ]
  [ "$(inside gatehand status --json)" = "$before" ]
  said=$(inside gatehand-server admin organizer list 2>&1) || code=$?
  [ "$code" -eq 15 ]
  grep 'has version 255' <<<"$said"
  inside sh -euc "cd /packages; alias systemctl='true'
$(typed 2 | sed "s/version-1/version-$version/")"
  said=$(inside gatehand-server admin organizer list)
  grep 'Big Events' <<<"$said"
  if grep 'Small Events' <<<"$said"; then exit 1; fi
  [ "$(inside stat -c '%U %a' /var/lib/gatehand-server/gatehand.db)" = 'gatehand-server 600' ]
}

# autopkgtest NAME: one of the tests that come with the source package, where both are installed.
autopkgtest() {
  fresh
  # No hardware is seen there; this is the serial of a PC.
  local hardware=$root/sys/devices/virtual/dmi/id
  mkdir -p "$hardware" "$root/sys/class/dmi"
  (umask 0377 && echo KIOSK-0002 >"$hardware/product_serial")
  ln -s ../../devices/virtual/dmi/id "$root/sys/class/dmi/id"
  install_all gatehand-agent.deb gatehand-server.deb
  inside "/packages/tests/$1"
}

# booted NAME: the same where systemd is the first process, so that the services run, in all of their sandbox. The only
# network is loopback.
booted() {
  fresh
  install_all gatehand-agent.deb gatehand-server.deb
  leave
  rm "$root/usr/sbin/policy-rc.d"
  printf '%s\n' '[Unit]' 'After=gatehand.service gatehand-server.service' 'SuccessAction=exit' 'FailureAction=exit' \
    '[Service]' 'Type=oneshot' "ExecStart=/packages/tests/$1" 'StandardOutput=file:/packages/said' 'StandardError=inherit' \
    'TimeoutStartSec=10min' >"$root/etc/systemd/system/test.service"
  ln -s ../test.service "$root/etc/systemd/system/multi-user.target.wants/test.service"
  # Where no systemd runs outside, none has to know of it.
  local unknown=() status=0
  [ -d /run/systemd/system ] || unknown=(--register=no --keep-unit)
  systemd-nspawn --quiet --directory="$root" --boot "${unknown[@]}" --private-network --resolv-conf=off </dev/null >"$scratch/console" 2>&1 ||
    status=$?
  cat "$root/packages/said" || cat "$scratch/console"
  return "$status"
}

# Each knob that stays off has its reason in the unit; the limit is 2.0 of 10.
is_hardened() {
  fresh
  install_all gatehand-agent.deb gatehand-server.deb
  local unit units=("$root"/lib/systemd/system/gatehand*.service)
  [ ${#units[@]} -ge 2 ]
  for unit in "${units[@]}"; do
    systemd-analyze --offline=true --no-pager --threshold=20 security "$unit" | tail -1
  done
  # Without looking for manual pages, which need a program that is not there.
  inside systemd-analyze verify --man=no "${units[@]#"$root"}"
}

AGENT_LIMIT=$((8 * 1024 * 1024))

# The agent's package has neither a server nor its administration in it.
is_small_and_alone() {
  local folder=$scratch/agent size
  rm -rf "$folder"
  dpkg-deb --extract "$agent" "$folder"
  size=$(stat -c %s "$folder/usr/bin/gatehand")
  echo "$size bytes"
  [ "$size" -le "$AGENT_LIMIT" ]
  # What the server says when it is up and of its certificate, and a table of its database.
  ! grep -qaE 'Serving on|the certificate was read anew|CREATE TABLE organizer|GATEHAND_FAILPOINT' "$folder/usr/bin/gatehand"
}

for package in agent server; do
  check "lintian finds nothing in gatehand-$package" lintian --display-info --fail-on=error,warning,info \
    --allow-root "${!package}"
done
check "the agent is small, and alone" is_small_and_alone
check "the agent alone comes and goes" comes_and_goes gatehand-agent
check "the server alone comes and goes" comes_and_goes gatehand-server
check "both come and go, the agent first" comes_and_goes gatehand-agent gatehand-server
check "both come and go, the server first" comes_and_goes gatehand-server gatehand-agent
check "the agent alone says what is missing" has_doors_that_say_what_is_missing
check "state is kept until a purge" keeps_state
check "a downgrade is as its page says" goes_back
for test in doors life first-boot; do check "autopkgtest: $test" autopkgtest "$test"; done
for test in life service; do check "autopkgtest with its services: $test" booted "$test"; done
check "the units are hardened" is_hardened

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
