#!/bin/sh
# Lets an older gatehand and this one take turns at the same vaults: tests/older_version.sh
# The older one is built once, in some minutes, and kept where Cargo builds. Ends with 77 where its
# source can't be had: without git, or in a clone without its revision.
set -eu
cd "$(dirname "$0")/.."
# The last one that knows no form of a vault's key but 32 raw bytes. It is not moved on: what its time
# wrote and reads is what has to stay.
revision=377979091c281658887ac5ae78984aa35f5f53f0
# Wherever Cargo's configuration puts it.
target=$(cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
older=$target/older/$revision
if [ ! -x "$older/gatehand" ]; then
  if ! git cat-file -e "$revision^{commit}" 2>/dev/null; then
    echo "revision $revision is not in this clone" >&2
    exit 77
  fi
  rm -rf "$older"
  mkdir -p "$older/source"
  git archive "$revision" | tar -x -C "$older/source"
  # What it builds on is taken from what is built already. Its own package is told apart from this one by
  # its profile, so that neither build undoes the other.
  (cd "$older/source" && CARGO_TARGET_DIR=$target cargo build --locked --bin gatehand --config profile.dev.package.gatehand.debug=false)
  cp "$target/debug/gatehand" "$older/gatehand.new"
  mv "$older/gatehand.new" "$older/gatehand"
  rm -rf "$older/source"
fi
# Cargo puts this version's program back in its place.
GATEHAND_OLDER=$older/gatehand exec cargo test --locked --features failpoints --test agent vault_versions -- --ignored
