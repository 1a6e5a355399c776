#!/usr/bin/env bash
# The compiler, but what goes over pixels one by one is not counted: that tells nothing of an input and
# takes most of the time. Where codes are found and read, branches still are.
set -euo pipefail
arguments=()
for argument in "$@"; do
  case "${CARGO_PKG_NAME:-}:$argument" in
    image:-Cpasses=sancov-module | rxing:-Cllvm-args=-sanitizer-coverage-trace-compares) ;;
    *) arguments+=("$argument") ;;
  esac
done
exec "${arguments[@]}"
