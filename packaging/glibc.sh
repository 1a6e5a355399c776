#!/usr/bin/env bash
# Prints what a program needs of Debian, as a package's Depends: packaging/glibc.sh PROGRAM…
# Fails where that is more than Debian 12 has, or a library that no Debian has at once.
set -euo pipefail
FLOOR=2.36 # Debian 12

newest=0 gcc=''
for program in "$@"; do
  while read -r library; do
    case $library in
      libc.so.6 | libm.so.6 | ld-linux*) ;;
      libgcc_s.so.1) gcc=', libgcc-s1 (>= 4.2)' ;;
      *) echo "$program is linked to $library" >&2 && exit 1 ;;
    esac
  done < <(readelf --wide --dynamic "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  wanted=$(readelf --wide --version-info "$program" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -1)
  # Relocations in the form that older ones don't know.
  if readelf --wide --version-info "$program" | grep -q GLIBC_ABI_DT_RELR; then wanted=$(printf '%s\n2.36\n' "$wanted" | sort -V | tail -1); fi
  [ -n "$wanted" ] || { echo "$program names no version of glibc" >&2 && exit 1; }
  newest=$(printf '%s\n%s\n' "$newest" "$wanted" | sort -V | tail -1)
done
if [ "$(printf '%s\n%s\n' "$newest" "$FLOOR" | sort -V | tail -1)" != "$FLOOR" ]; then
  echo "$* needs glibc $newest, and Debian 12 has $FLOOR" >&2
  exit 1
fi
echo "libc6 (>= $newest)$gcc"
