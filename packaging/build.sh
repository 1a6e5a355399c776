#!/usr/bin/env bash
# Builds the Debian packages of both programs: packaging/build.sh [amd64|arm64|armhf…], for this machine's
# processor unless others are named. They come into packages/ below Cargo's target folder.
#
# The same commit gives the same bytes, in whichever folder. Installs what it needs where it may (Debian 12, as
# root). DEB_REVISION=2 packs the same version anew.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/lib.sh
. packaging/lib.sh

architectures=("$@")
[ $# -gt 0 ] || architectures=("$(dpkg --print-architecture)")
need debhelper dpkg-dev binutils python3
version=$(version)-${DEB_REVISION:-1}
SOURCE_DATE_EPOCH=$(source_date)
export SOURCE_DATE_EPOCH
out=$target/packages
mkdir -p "$out"

# program NAME FEATURES PART PROFILE: builds one, and what it prints about itself, into the stage.
program() {
  local into=$stage/built/$3
  cargo_build --bin "$1" --no-default-features --features "$2" --profile "$4"
  install -D -t "$into/bin" "$built/$4/$1"
  mkdir -p "$into"/{bash,zsh,fish}
  run "$into/bin/$1" completions bash >"$into/bash/$1"
  run "$into/bin/$1" completions zsh >"$into/zsh/_$1"
  run "$into/bin/$1" completions fish >"$into/fish/$1.fish"
  run "$into/bin/$1" man --into "$into/man"
  packaging/licenses.py "$triple" "$2" >"$into/LICENSES-OF-LIBRARIES"
}

# The changelog that Debian's tools read; the one for people comes beside it.
changelog() {
  printf 'gatehand (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md of the source.\n\n -- %s  %s\n' "$version" \
    "$(sed -n 's/^Maintainer: //p' packaging/debian/control)" "$(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")"
}

for architecture in "${architectures[@]}"; do
  for_architecture "$architecture"
  stage=$target/packaging/stage-$architecture/gatehand
  rm -rf "${stage%/*}"
  mkdir -p "$stage/built/etc" "$stage/built/doc"
  cp -r packaging/debian "$stage/debian"
  changelog >"$stage/debian/changelog"
  cp packaging/etc/* "$stage/built/etc/"
  cp README.md CHANGELOG.md "$stage/built/doc/"
  program gatehand cli agent packaged-agent
  program gatehand-server cli,server server packaged
  PROGRAMS_DEPENDS=$(packaging/glibc.sh "$stage"/built/*/bin/*)
  export PROGRAMS_DEPENDS
  (cd "$stage" && DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage --build=binary --host-arch="$architecture" --no-check-builddeps --no-sign >build.log 2>&1) ||
    { tail -30 "$stage/build.log" >&2 && exit 1; }
  mv "${stage%/*}"/*.deb "${stage%/*}"/*.buildinfo "${stage%/*}"/*.changes "$out/"
  ls -l "$out"/*_"${version}_$architecture".deb
done
