#!/usr/bin/env bash
# Writes what each packaged program is made of, as CycloneDX: packaging/sbom.sh [ARCHITECTURE…]. It comes into
# packages/ below Cargo's target folder.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/lib.sh
. packaging/lib.sh

architectures=("$@")
[ $# -gt 0 ] || architectures=(amd64 arm64 armhf)
tool cargo-cyclonedx 0.5.9
SOURCE_DATE_EPOCH=$(source_date)
export SOURCE_DATE_EPOCH
# It writes beside the manifests that it reads.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git archive HEAD | tar -x -C "$copy"
mkdir -p "$target/packages"
for architecture in "${architectures[@]}"; do
  triple=$(triple "$architecture")
  for program in gatehand:cli gatehand-server:cli,server; do
    name=${program%:*}
    (cd "$copy" && "$tools/bin/cargo-cyclonedx" cyclonedx --quiet --format json --spec-version 1.5 --target "$triple" \
      --no-default-features --features "${program#*:}" --override-filename bom)
    mv "$copy/bom.json" "$target/packages/${name}_$(version)_$architecture.cdx.json"
  done
done
ls -l "$target"/packages/*.cdx.json
