#!/usr/bin/env bash
# Prints the folder of a Rust compiler that comes with the standard library's sources: with it code
# is checked for processors that the installed compiler has no standard library for.
#
# It is Debian's, extracted and not installed, which needs no root. What is fetched is kept, and
# fetched again when Debian replaces it. Status 77, and a reason, where it can't be had.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools/debian-rust
root=$cache/root

unavailable() {
  printf 'no Rust compiler with sources: %s\n' "$1" >&2
  exit 77
}

for program in apt-get dpkg-deb dpkg-query flock; do
  command -v "$program" >/dev/null || unavailable "it is fetched from Debian, which takes $program"
done
mkdir -p "$cache/lists/partial" "$cache/archives/partial"
exec 9>"$cache/lock"
flock 9

# With lists of its own: neither root nor an update of the machine's lists is needed.
apt() {
  "$1" -o Dir::State::Lists="$cache/lists" -o Dir::Cache="$cache" -o APT::Sandbox::User="$(id -un)" "${@:2}" 9>&-
}

# The compiler, and what its programs are linked to as far as it is not installed.
packages() {
  printf '%s\n' rustc-web rust-web-clippy rust-web-src libstd-rust-web-dev
  local dependency
  apt apt-cache depends --recurse --important rust-web-clippy libstd-rust-web-dev |
    sed -n 's/^\([a-z0-9][a-z0-9.+-]*\).*/\1/p' | while read -r dependency; do
    dpkg-query --show --showformat '${db:Status-Status}' "$dependency" 2>/dev/null | grep -q '^installed' || echo "$dependency"
  done
}

# fetch PACKAGE…: into a new folder, which takes the place of the old one when it is whole.
fetch() {
  local new=$cache/new package
  rm -rf "$new"
  mkdir -p "$new/packages"
  (cd "$new/packages" && apt apt-get -qq download "$@") || return
  for package in "$new"/packages/*.deb; do
    case $package in
      # A third of a gigabyte, of which the standard library is little.
      */rust-web-src_*) dpkg-deb --fsys-tarfile "$package" | tar -x -C "$new" --wildcards './usr/lib/*' './usr/src/*/library/*' ;;
      *) dpkg-deb -x "$package" "$new" ;;
    esac || return
  done
  (cd "$new" && rm -r packages && ln -s usr/lib/*-linux-gnu* libraries) || return
  rm -rf "$root"
  mv "$new" "$root"
}

update() { apt apt-get -qq -o APT::Update::Error-Mode=any update >&2 && touch "$cache/updated"; }

# Once a day is often enough to see that Debian replaced something.
[ -n "$(find "$cache/updated" -mtime -1 2>/dev/null)" ] || update || true
for _ in first second; do
  mapfile -t wanted < <(packages 2>/dev/null | sort -u)
  offered=$(apt apt-get -qq download --print-uris "${wanted[@]}" 2>/dev/null | sort || true)
  if [ -z "$offered" ] || [ "$offered" = "$(cat "$cache/fetched" 2>/dev/null)" ]; then break; fi
  rm -f "$cache/fetched"
  if fetch "${wanted[@]}" >&2; then
    printf '%s\n' "$offered" >"$cache/fetched"
    break
  fi
  # What the lists name may have been replaced meanwhile.
  update || break
done
[ -d "$root" ] || unavailable "Debian's rustc-web can't be fetched"

present=$(LD_LIBRARY_PATH=$root/libraries "$root/usr/bin/rustc" --version | cut -d' ' -f2) || unavailable "Debian's rustc-web does not run here"
required=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
printf '%s\n%s\n' "$required" "$present" | sort -CV || unavailable "Debian's rustc-web is $present, and $required is needed"
printf '%s\n' "$root"
