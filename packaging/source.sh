#!/usr/bin/env bash
# Makes the source of a release, with all that it builds on for Linux and Android, so that it builds without a
# network: packaging/source.sh. It comes into packages/ below Cargo's target folder.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/lib.sh
. packaging/lib.sh

need xz-utils python3
version=$(version)
name=gatehand-$version
folder=$target/packaging/source
rm -rf "$folder"
mkdir -p "$folder/$name" "$target/packages"
git archive HEAD | tar -x -C "$folder/$name"
cd "$folder/$name"
mkdir -p .cargo
# With the version in each folder's name, as in Cargo's own: paths in what is built are the same then.
cargo vendor --quiet --locked --versioned-dirs vendor
# Told to be quiet, it does not say how the folder is used.
cat >>.cargo/config.toml <<'END'
[source.crates-io]
replace-with = "vendored-sources"

[source.vendored-sources]
directory = "vendor"
END
# It is looked at as where there is no registry: all that it builds on has to be in the folder.
CARGO_HOME=$folder/no-registry "$OLDPWD/packaging/linux_only.py" vendor
CARGO_HOME=$folder/no-registry cargo metadata --quiet --offline --locked --all-features --format-version 1 >/dev/null
rm -rf "$folder/no-registry"
git -C "$OLDPWD" log -1 --format=%ct >.source-date-epoch
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(cat .source-date-epoch)" --mode='u+rwX,go=rX' -C .. -c "$name" |
  xz --threads=2 -3 >"$target/packages/$name.tar.xz"
ls -l "$target/packages/$name.tar.xz"
