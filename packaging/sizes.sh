#!/usr/bin/env bash
# Prints docs/SIZES.md from what is built: packaging/sizes.sh >docs/SIZES.md. First make packages for all processors,
# and the handheld's library.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/lib.sh
. packaging/lib.sh

kib() { printf '%d KiB' $((($1 + 512) / 1024)); }
row() { printf '| %s | %s | %s | %s |\n' "$@"; }

library_limit=$(sed -n 's/^LIBRARY_LIMIT=$((\([0-9]*\) \* 1024))$/\1/p' tests/run.sh)
cat <<WORDS
# Sizes

Written by \`packaging/sizes.sh\`, of what \`make packages\` built of this commit's sources, or one shortly before.
The limit of the agent's program is 8192 KiB, and of the handheld's library $library_limit KiB; tests hold both.

| program | processor | program as installed | its package |
| --- | --- | --- | --- |
WORDS
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for name in gatehand-agent gatehand-server; do
  for architecture in amd64 arm64 armhf; do
    package=$(find "$target/packages" -name "${name}_*_$architecture.deb" | sort -V | tail -1)
    [ -n "$package" ] || continue
    dpkg-deb --extract "$package" "$scratch/$architecture"
    program=$scratch/$architecture/usr/bin/${name/-agent/}
    row "\`${program##*/}\`" "$architecture" "$(kib "$(stat -c %s "$program")")" "$(kib "$(stat -c %s "$package")")"
  done
done
library=$target/handheld/libgatehand.so
if [ -e "$library" ]; then row '`libgatehand.so`, the handheld'"'"'s library' "$(dpkg --print-architecture)" "$(kib "$(stat -c %s "$library")")" ''; fi
