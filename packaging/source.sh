#!/usr/bin/env bash
# Makes the source of a release, with all that it builds on, so that it builds without a network:
# packaging/source.sh. It comes into packages/ below Cargo's target folder.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/lib.sh
. packaging/lib.sh

need xz-utils
version=$(version)
name=gatehand-$version
folder=$target/packaging/source
rm -rf "$folder"
mkdir -p "$folder/$name" "$target/packages"
git archive HEAD | tar -x -C "$folder/$name"
cd "$folder/$name"
mkdir -p .cargo
# With the version in each folder's name, as in Cargo's own: paths in what is built are the same then.
cargo vendor --quiet --locked --versioned-dirs vendor >.cargo/config.toml
git -C "$OLDPWD" log -1 --format=%ct >.source-date-epoch
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(cat .source-date-epoch)" --mode='u+rwX,go=rX' -C .. -c "$name" |
  xz --threads=2 -6 >"$target/packages/$name.tar.xz"
ls -l "$target/packages/$name.tar.xz"
