#!/usr/bin/env bash
# Runs every check of the project and ends with what each part took and the number of tests that passed
# and failed. docs/TESTING.md says what the parts are and what they may take.
#
# Parts go in two lanes beside each other: what tests Rust, and what tests the library for Android or asks other
# programs. Much of either is waiting. What the second prints follows when the first is through.
#
# What passed is not run again with the same sources, tools and machine: it counts, and is told.
# AGAIN=1 runs it all the same.
#
# Installs what it needs where it may (Debian, as root). A part that can't run here is named and
# skipped; with CI=true that is a failure. Plain `cargo test` needs Rust and a C compiler only.
set -uo pipefail
cd "$(dirname "$0")/.."

CARGO_DENY=0.20.2
AXE_CORE=4.14.1
AXE_CORE_SHA256=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
passed=0 failed=0 skipped=0 failures=() earlier=0
parts=() part='' wall=0 work=0
scratch=$(mktemp -d)
target=$(cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
tools=$target/tools
mine=$scratch log=$scratch/log
trap 'rm -rf "$scratch"' EXIT

# title NAME: begins a part.
title() {
  end_part
  part=$1
  printf '\n== %s\n' "$part"
}

# Notes what the part took: seconds on the wall, and seconds of processor time, which other work on the
# machine hardly changes. Of what goes on by itself, as a daemon does, nothing is seen.
end_part() {
  local wall_before=$wall work_before=$work
  times >"$mine/clock" # in this shell: a subshell has no children yet
  wall=$SECONDS
  work=$(awk -F '[ms ]+' 'NR == 2 { printf "%d", $1 * 60 + $2 + $3 * 60 + $4 }' "$mine/clock")
  [ -z "$part" ] || parts+=("$(printf '%6d %6d  %s' $((wall - wall_before)) $((work - work_before)) "$part")")
}

# lane NAME COMMAND: the parts of one lane, in a shell of their own; join takes over what it counted.
lane() {
  passed=0 failed=0 skipped=0 failures=() earlier=0 parts=() part='' wall=$SECONDS work=0
  mine=$scratch/$1 log=$scratch/$1/log
  mkdir "$mine"
  "$2"
  end_part
  printf '%d %d %d %d\n' "$passed" "$failed" "$skipped" "$earlier" >"$mine/counts"
  [ ${#failures[@]} -eq 0 ] || printf '%s\n' "${failures[@]}" >"$mine/failures"
  printf '%s\n' "${parts[@]}" >"$mine/parts"
}

join() {
  local ok bad missed known list lines=()
  if read -r ok bad missed known <"$scratch/$1/counts"; then
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + missed)) earlier=$((earlier + known))
  else
    failed=$((failed + 1)) failures+=("the lane of $1 broke off")
  fi
  for list in failures parts; do
    mapfile -t lines <"$scratch/$1/$list"
    if [ "$list" = parts ]; then parts+=('' "${lines[@]}"); else failures+=("${lines[@]}"); fi
  done 2>/dev/null
}

skip() {
  printf 'SKIPPED  %s\n' "$1"
  skipped=$((skipped + 1))
  [ "${CI:-}" = true ] && failures+=("skipped: $1")
}

# check TITLE COMMAND…: one check that passes or fails.
check() {
  title "$1"
  if "${@:2}"; then passed=$((passed + 1)); else failed=$((failed + 1)); failures+=("$1"); fi
}

# possible TITLE COMMAND…: a check that says with status 77 that it can't run here.
possible() {
  title "$1"
  "${@:2}"
  case $? in
    0) passed=$((passed + 1)) ;;
    77) skip "$1" ;;
    *) failed=$((failed + 1)) failures+=("$1") ;;
  esac
}

# tests TITLE COMMAND…: a run of cargo test, whose tests count one by one.
tests() {
  local status ok bad
  title "$1"
  : >"$log"
  # A process that a test has left behind holds the pipe, and is not waited for.
  {
    "${@:2}"
    status=$?
    printf '\nended with %d\n' "$status"
  } > >(exec tee "$log") 2>&1
  until grep -q '^ended with' "$log"; do sleep 0.1; done
  kill $! 2>/dev/null
  ok=$(sum 's/^test result:.* \([0-9]*\) passed;.*/\1/p')
  bad=$(sum 's/^test result:.* \([0-9]*\) failed;.*/\1/p')
  passed=$((passed + ok)) failed=$((failed + bad))
  if [ "$status" -ne 0 ]; then
    [ "$bad" -gt 0 ] || failed=$((failed + 1))
    failures+=("$1")
    culprits '^test .* FAILED$|^error'
  elif [ "$ok" -eq 0 ]; then
    failed=$((failed + 1)) failures+=("$1 ran no test")
  fi
}

sum() { sed -n "$1" "$log" | awk '{ total += $1 } END { print total + 0 }'; }

# culprits PATTERN: what failed of the last run, to be read beside its title at the end.
culprits() {
  local line
  while IFS= read -r line; do failures+=("    $line"); done < <(grep -E "$1" "$log" | cut -c -300 | sort -u | head -20)
}

# android TITLE COMMAND…: a run of Maven, whose tests count one by one.
android() {
  title "$1"
  "${@:2}" 2>&1 | tee "$log" | grep -E '^\[(ERROR|WARNING)\]|Tests run:|BUILD'
  local status=${PIPESTATUS[0]} ran bad missed
  # The last line of each module sums up.
  ran=$(sum 's/^\[[A-Z]*\] Tests run: \([0-9]*\), Failures: [0-9]*, Errors: [0-9]*, Skipped: [0-9]*$/\1/p')
  bad=$(sum 's/^\[[A-Z]*\] Tests run: [0-9]*, Failures: \([0-9]*\), Errors: [0-9]*, Skipped: [0-9]*$/\1/p')
  bad=$((bad + $(sum 's/^\[[A-Z]*\] Tests run: [0-9]*, Failures: [0-9]*, Errors: \([0-9]*\), Skipped: [0-9]*$/\1/p')))
  missed=$(sum 's/^\[[A-Z]*\] Tests run: [0-9]*, Failures: [0-9]*, Errors: [0-9]*, Skipped: \([0-9]*\)$/\1/p')
  passed=$((passed + ran - bad - missed)) failed=$((failed + bad)) skipped=$((skipped + missed))
  if [ "$status" -ne 0 ] || [ "$ran" -eq 0 ]; then
    [ "$bad" -gt 0 ] || failed=$((failed + 1))
    failures+=("$1")
    culprits '^\[ERROR\]   |^\[ERROR\] .*<<< (FAILURE|ERROR)|^error'
  fi
}

# Which files a part reads, as git names them: more than it does rather than less.
everything=(.)
device_side=(android build.rs Cargo.lock Cargo.toml clippy.toml docs/ANDROID.md fuzz packaging src tests/data tests/older_version.sh tests/peer tests/run.sh)
# What no device has in it, nor needs of a server to be tried.
handheld_side=("${device_side[@]}" :!fuzz :!src/fleet :!src/server/web :!src/sheet)

# files_of PROGRAM: of tests, all but those of other programs.
files_of() {
  local program
  printf '.\n'
  for program in agent browser cluster command crash machine peer schemathesis server; do
    [ "$program" = "$1" ] || printf ':!tests/%s\n' "$program"
  done
}

# fingerprint FILES…: of what stands in them and what works on them; nothing where git can't tell.
fingerprint() {
  local files
  files=$(git ls-files --cached --others --exclude-standard -- "$@" 2>/dev/null) && [ -n "$files" ] || return
  {
    sort <<<"$files" | tr '\n' '\0' | xargs -0 sha256sum
    printf '%s\n' "$tools_seen"
  } 2>&1 | sha256sum | cut -c -64
}

# Programs, their versions, whether a missing one fails a test, and the cases and recordings beside the repository.
tools_fingerprint() {
  {
    rustc -vV
    javac -version
    mvn -version
    c++ --version
    dpkg-query --show
    uname -srm
    id -u
    command -v nginx # from no package that dpkg knows of, as axe-core
    has_axe && echo "$AXE_CORE"
    printf '%s\n' "${CI:-}" "${RUSTFLAGS:-}"
    [ ! -d ../shared ] || find ../shared -type f -print0 | sort -z | xargs -0 sha256sum
  } 2>&1 | sha256sum
}

# once FILES KIND TITLE COMMAND…: a part of that kind, unless it passed with the same files (an array's name) and tools.
once() {
  local -n read_by=$1
  local seen note before=$passed bad=$((failed + skipped)) count
  shift
  seen=$(fingerprint "${read_by[@]}")
  note=$target/passed/$seen.${2//[^a-zA-Z]/-}
  if [ -n "$seen" ] && [ -z "${AGAIN:-}" ] && read -r count <"$note"; then
    title "$2"
    printf '%d passed on %s, and nothing that they read has changed\n' "$count" "$(date -r "$note" '+%F %R')"
    passed=$((passed + count)) earlier=$((earlier + count))
    return
  fi 2>/dev/null
  "$@"
  if [ -n "$seen" ] && [ $((failed + skipped)) -eq "$bad" ]; then
    mkdir -p "$target/passed" && echo $((passed - before)) >"$note"
  fi
}

# The largest that the handheld's library may be, in bytes.
LIBRARY_LIMIT=$((6720 * 1024))

handheld_library() {
  cargo build --quiet --locked --package gatehand-native --profile handheld || return
  local size
  size=$(stat -c %s "$target/handheld/libgatehand.so")
  echo "$size bytes"
  # What lets tests kill a program at a step is not for devices.
  if grep -q GATEHAND_FAILPOINT "$target/handheld/libgatehand.so"; then
    echo "it has failpoints" >&2
    return 1
  fi
  [ "$size" -le "$LIBRARY_LIMIT" ]
}

# Without the advisories: their database is on GitHub, which a test run must not depend on.
dependencies() {
  "$tools/bin/cargo-deny" --workspace --all-features --locked check --hide-inclusion-graph -A duplicate licenses bans sources
}

# Whether Python can make itself a place for packages, which Debian leaves to a package of its own.
has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

# Programs that only some tests need, and the Debian packages that bring them.
declare -A needed=(
  [bindfs]=bindfs     # a file system that keeps no permissions
  [cc]=gcc            # builds SQLite
  [c++]=g++           # builds the fuzzer
  [chromedriver]=chromium-driver # steers the browser
  [chromium]=chromium # a browser at the fleet page
  [curl]=curl         # calls a server as the pages for users say
  [javac]=default-jdk-headless # the Android library's tests
  [flock]=util-linux  # one builder of the pretix at a time
  [jq]=jq             # reads JSON in a shell
  [mvn]=maven         # compiles the Android library
  [faketime]=faketime # a scanner whose clock is wrong
  [node]=nodejs       # knocks at a kiosk's door, as programs do
  [npm]=npm           # fetches axe-core
  [pdftoppm]=poppler-utils # prints a sheet of codes
  [python3]=python3   # runs a real pretix, and knocks
  [script]=bsdutils   # a terminal that asks
  [strace]=strace     # records what is written, and lets the disk fail
  [zbarimg]=zbar-tools # a QR decoder that is not ours
)
packages=()
for program in "${!needed[@]}"; do
  command -v "$program" >/dev/null || packages+=("${needed[$program]}")
done
has_venv || packages+=(python3-venv)
if [ ${#packages[@]} -gt 0 ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  title "installing ${packages[*]}"
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1 ||
    tail -5 "$log"
fi
# nginx is unpacked beside what is built: Debian's package would start it, for all the network.
if ! command -v nginx >/dev/null && command -v apt-get >/dev/null; then
  if [ ! -x "$tools/nginx/usr/sbin/nginx" ]; then
    title "unpacking nginx"
    (mkdir -p "$tools" && cd "$scratch" && apt-get -qq download nginx && dpkg-deb -x nginx_*.deb "$tools/nginx") >"$log" 2>&1 || tail -5 "$log"
  fi
  PATH=$PATH:$tools/nginx/usr/sbin
fi
needed[nginx]=nginx # TLS before a server
# Too large for the repository, and no part of what is built.
has_axe() { echo "$AXE_CORE_SHA256  $tools/axe-core/axe.min.js" | sha256sum --check --quiet --status 2>/dev/null; }
if ! has_axe && command -v npm >/dev/null; then
  title "fetching axe-core"
  (cd "$scratch" && npm pack --silent "axe-core@$AXE_CORE" && tar -xzf axe-core-*.tgz &&
    mkdir -p "$tools" && rm -rf "$tools/axe-core" && mv package "$tools/axe-core") >"$log" 2>&1 || tail -5 "$log"
fi
has_axe || skip "axe-core at the fleet page (npm's package axe-core, version $AXE_CORE)"
# Where Debian has its programs; without a cluster of its own, which would be there for all the machine.
has_postgres() { command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
if ! has_postgres && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  title "installing postgresql"
  {
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends postgresql-common &&
      sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf &&
      DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends postgresql
  } >"$log" 2>&1 || tail -5 "$log"
fi
has_postgres || skip "tests of a server's database in PostgreSQL (Debian package postgresql)"
for program in "${!needed[@]}"; do
  command -v "$program" >/dev/null || skip "tests that need $program (Debian package ${needed[$program]})"
done

tools_seen=$(tools_fingerprint)
find "$target/passed" -mtime +30 -delete 2>/dev/null

# Half of what they take is waiting.
rust_tests() { RUST_TEST_THREADS=$((2 * $(nproc))) cargo test --locked --no-fail-fast --features failpoints "$@"; }

rust() {
  check "format" cargo fmt --all --check
  check "lints" cargo clippy --quiet --locked --workspace --all-targets --all-features -- -D warnings
  title "build of the tests" # what fails is told by the next part
  cargo test --quiet --locked --features failpoints --no-run
  # First: the older one may be built in the place of what the others run.
  once device_side possible "an older gatehand at the same vaults" tests/older_version.sh
  # A copy, which nothing that is built later changes under those who run it.
  cp "$target/debug/gatehand" "$scratch/gatehand.new" && mv "$scratch/gatehand.new" "$scratch/gatehand"
  : >"$scratch/built"
  local program files
  for program in agent browser command crash server; do
    mapfile -t files < <(files_of "$program")
    once files tests "tests of $program" rust_tests --test "$program"
  done
  once everything tests "unit tests, and the other programs" rust_tests --lib --bins --test layers --test server_log
  once everything check "examples in the documentation" rust_tests --doc
  # With the bridge, whose tests need no JVM.
  once device_side tests "tests of the handheld's core" cargo test --locked --no-default-features --features jni --lib
  check "the command without the server" cargo clippy --quiet --locked --no-default-features --features cli -- -D warnings
  check "lints of the handheld's core" cargo clippy --quiet --locked --package gatehand-native -- -D warnings
  check "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --workspace --no-deps --all-features
  title "cargo-deny"
  # Unoptimized: it builds much faster, and runs for seconds.
  if [ -x "$tools/bin/cargo-deny" ] || CARGO_PROFILE_DEV_DEBUG=false cargo install --quiet --locked --debug --root "$tools" --target-dir "$tools/build" "cargo-deny@$CARGO_DENY"; then
    check "licences and sources of what it builds on" dependencies
  else
    skip "licences and sources: cargo-deny can't be installed"
  fi
  if command -v c++ >/dev/null; then once device_side check "fuzzing what reads a stranger's input, briefly" fuzz/run.sh 6; fi
}

until_built() {
  [ -e "$scratch/built" ] || echo "waiting for what the tests are built of"
  until [ -e "$scratch/built" ]; do sleep 1; done
}

android_library() {
  until_built
  env "$1" GATEHAND_PROGRAM="$scratch/gatehand" android/test.sh
}

handheld() {
  once handheld_side check "the handheld's library" handheld_library
  once handheld_side possible "lints of the handheld's core for Android" android/check.sh
  if command -v mvn >/dev/null; then
    # Python makes a place for its packages only where it can; clients of OkHttp live at a pretix there, too.
    local peer=PEER_WANTED=1
    has_venv || { peer=PEER_WANTED=0; skip "clients of OkHttp at a real pretix (Debian package python3-venv)"; }
    # With the program of the tests: one without failpoints would be a build of its own.
    once handheld_side android "the Android library on the JVM" android_library "$peer"
  fi
}

# At programs that are not ours, for which is waited more than is computed.
others() {
  until_built
  local files
  mapfile -t files < <(files_of schemathesis)
  once files possible "calls that schemathesis makes up" tests/schemathesis/run.sh "$scratch/gatehand" "$tools"
  # What it starts is built once, in minutes, and kept beside what Rust builds: see tests/peer/README.md.
  mapfile -t files < <(files_of peer)
  once files tests "a life at a real pretix" cargo test --locked --features failpoints --test peer -- --ignored
  if [ -n "${GATEHAND_TEST_URL:-}" ]; then
    tests "a life at $GATEHAND_TEST_URL" cargo test --locked --features failpoints --test agent foreign_server:: -- --ignored
  fi
}

beside() {
  handheld
  others
}

end_part
part=''
(lane beside beside) >"$scratch/beside.said" 2>&1 &
beside=$!
# A shell without a terminal's job control lets its background jobs ignore what a terminal sends.
trap 'trap - TERM; kill 0' INT TERM
(lane rust rust)
wait "$beside"
cat "$scratch/beside.said"
end_part # all of it: what the lanes took counts now
join rust
join beside

printf '\n%6s %6s  seconds on the wall, of processor time\n' wall work
printf '%s\n' "${parts[@]}"
printf '%6d %6d  all\n' "$SECONDS" "$work"

if [ ${#failures[@]} -gt 0 ]; then
  printf '\nNot good:\n'
  printf '  %s\n' "${failures[@]}"
fi
[ "$earlier" -eq 0 ] || printf '\n%d of the passed in an earlier run, with the same sources: AGAIN=1 make test runs them again\n' "$earlier"
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ ${#failures[@]} -eq 0 ]
