#!/usr/bin/env bash
# Builds the packages twice, in two folders, of which one is what packaging/source.sh makes and has no network, and
# compares them byte for byte: packaging/reproduce.sh [ARCHITECTURE]. Takes two builds from nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/lib.sh
. packaging/lib.sh

architecture=${1:-$(dpkg --print-architecture)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
packaging/source.sh
here=$PWD
mkdir "$scratch/a" "$scratch/another-place"
git clone --quiet "$here" "$scratch/a/gatehand"
tar -C "$scratch/another-place" -xf "$target/packages/gatehand-$(version).tar.xz"

# build FOLDER VARIABLE…: with the tools that are there, and nothing else of another build.
build() {
  local folder=$1
  shift
  mkdir -p "$folder/target"
  ln -s "$target/tools" "$folder/target/tools"
  (cd "$folder" && env CARGO_TARGET_DIR="$folder/target" "$@" packaging/build.sh "$architecture")
}
build "$scratch/a/gatehand" TZ=Asia/Tokyo LC_ALL=C
build "$scratch"/another-place/gatehand-* TZ=UTC CARGO_NET_OFFLINE=true CARGO_HOME="$scratch/no-registry"

same=0
for one in "$scratch"/a/gatehand/target/packages/*.deb; do
  cmp "$one" "$scratch"/another-place/gatehand-*/target/packages/"${one##*/}" || same=1
  sha256sum "$one" | sed "s#$scratch/a/gatehand/target/packages/##"
done
exit "$same"
