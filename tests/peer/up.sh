#!/bin/sh
# up.sh FOLDER [PORT]: a pretix with the check-in fixture on 127.0.0.1:PORT (8346); prints FOLDER/peer.json. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { echo "usage: up.sh FOLDER [PORT]" >&2; exit 2; }
mkdir -p "$1"; folder=$(cd "$1" && pwd)
port=${2:-${PEER_PORT:-8346}}
cache=${PEER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gatehand/peer}
python=${PEER_PYTHON:-python3}
log=$folder/up.log

fail() { echo "up.sh: $1" >&2; [ -s "$log" ] && tail -n 25 "$log" >&2; exit 1; }
runs() { [ -s "$folder/gunicorn.pid" ] && kill -0 "$(cat "$folder/gunicorn.pid")" 2>/dev/null; }
# A version endpoint that asks for a key answers 401, which urllib raises: any HTTP status is an answer.
listens() { "$python" -c 'import sys, urllib.request as u, urllib.error as e
try: u.build_opener(u.ProxyHandler({})).open(sys.argv[1], timeout=20).read()
except e.HTTPError as x: sys.exit(0 if x.code < 500 else 1)
except OSError: sys.exit(1)' "http://127.0.0.1:$port/api/v1/version"; }

# Already up: say the same again.
if runs && [ -s "$folder/peer.json" ] && [ "$(cat "$folder/port" 2>/dev/null)" = "$port" ] && listens; then
    cat "$folder/peer.json"; exit 0
fi
"$here/down.sh" "$folder"
: > "$log"
"$python" - "$port" <<'P' || fail "port $port of 127.0.0.1 is taken; give another one"
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try: s.bind(("127.0.0.1", int(sys.argv[1])))
except OSError: sys.exit(1)
P

# The cache: one folder for each set of pins and interpreter, made once, under a lock.
key=$( { cat "$here/pins.txt"; printf %s "${PEER_MIGRATE:-}"; "$python" -c 'import sys, platform; print(sys.version, platform.machine())'; } | sha256sum | cut -c1-16)
base=$cache/$key; mkdir -p "$base"
# Compiled code goes into the cache, whatever the caller's environment says: without it each start takes twice as long.
unset PYTHONDONTWRITEBYTECODE; export PYTHONPYCACHEPREFIX="$base/pyc"
exec 9> "$base/lock"
flock -w 900 9 || fail "another up.sh has held $base/lock for 15 minutes"
if [ ! -e "$base/ready" ]; then
    rm -rf "$base/venv" "$base/work"; mkdir -p "$base/work"
    { "$python" -m venv "$base/venv" || { rm -rf "$base/venv"; "$python" -m venv --without-pip "$base/venv" && "$python" -m pip --python "$base/venv/bin/python" install -q pip; }; } >> "$log" 2>&1 \
        || fail "python3 -m venv failed (Debian: apt-get install python3-venv)"
    "$base/venv/bin/python" -m pip install -q --no-input --no-compile --no-deps -r "$here/pins.txt" >> "$log" 2>&1 9>&- || fail "pip could not install pins.txt"
    printf '[pretix]\ninstance_name=peer\nurl=http://127.0.0.1:%s\ndatadir=%s\necb_rates=no\n[database]\nbackend=sqlite3\n[django]\nsecret=%s\n' "$port" "$base/work" "not-a-secret-this-is-a-test-installation-0123456789" > "$base/work/pretix.cfg"
    # The tables come straight from the models (seconds); PEER_MIGRATE=1 runs pretix' own migrations instead (minutes).
    if [ "${PEER_MIGRATE:-}" = 1 ]; then
        PRETIX_CONFIG_FILE=$base/work/pretix.cfg "$base/venv/bin/python" -m pretix migrate >> "$log" 2>&1 9>&- || fail "migrate failed"
    else
        PRETIX_CONFIG_FILE=$base/work/pretix.cfg PYTHONPATH=$here DJANGO_SETTINGS_MODULE=peer_settings "$base/venv/bin/python" -m pretix migrate --run-syncdb >> "$log" 2>&1 9>&- || fail "making the tables failed"
    fi
    "$python" -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute("pragma journal_mode=delete")' "$base/work/db.sqlite3" || fail "the database could not be closed"
    mv "$base/work/db.sqlite3" "$base/empty.sqlite3"; rm -rf "$base/work"; : > "$base/ready"
fi
flock -u 9; exec 9>&-

# A fresh data folder and the fixture, made for now.
if [ "${PEER_KEEP:-}" != 1 ] || [ ! -s "$folder/data/db.sqlite3" ] || [ ! -s "$folder/peer.json" ]; then
    rm -rf "$folder/data" "$folder/peer.json"; mkdir -p "$folder/data"
    cp "$base/empty.sqlite3" "$folder/data/db.sqlite3"
    fresh=1
else
    fresh=
fi
printf '[pretix]\ninstance_name=peer\nurl=http://127.0.0.1:%s\ndatadir=%s\necb_rates=no\n[database]\nbackend=sqlite3\n[django]\nsecret=%s\n' "$port" "$folder/data" "not-a-secret-this-is-a-test-installation-0123456789" > "$folder/pretix.cfg"
printf '#!/bin/sh\n# pretix'"'"' own commands on this installation: ./pretix runperiodic, ./pretix shell …\nPRETIX_CONFIG_FILE=%s/pretix.cfg PYTHONPATH=%s DJANGO_SETTINGS_MODULE=peer_settings PYTHONPYCACHEPREFIX=%s/pyc exec %s/venv/bin/python -m pretix "$@"\n' "$folder" "$here" "$base" "$base" > "$folder/pretix"; chmod +x "$folder/pretix"
echo "$port" > "$folder/port"
export PRETIX_CONFIG_FILE="$folder/pretix.cfg" PYTHONPATH="$here" DJANGO_SETTINGS_MODULE=peer_settings
# gunicorn loads its code while the fixture is written: both take seconds of one core.
setsid nohup "$base/venv/bin/python" -m gunicorn peer_wsgi:application --preload --no-control-socket --workers "${PEER_WORKERS:-2}" --timeout 120 --bind "127.0.0.1:$port" --pid "$folder/gunicorn.pid" > "$folder/gunicorn.log" 2>&1 < /dev/null &
child=$!
trap 'kill "$child" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
if [ -n "$fresh" ]; then
    PEER_OUT=$folder/peer.json PEER_URL=http://127.0.0.1:$port PEER_PRETIX=$folder/pretix "$base/venv/bin/python" -m pretix shell < "$here/load.py" >> "$log" 2>&1 || fail "loading the fixture failed"
    [ -s "$folder/peer.json" ] || fail "the fixture wrote no peer.json"
fi
i=0
until listens; do
    i=$((i + 1))
    kill -0 "$child" 2>/dev/null || { tail -n 25 "$folder/gunicorn.log" >&2; fail "gunicorn ended; see $folder/gunicorn.log"; }
    [ "$i" -lt 300 ] || fail "no answer on port $port after a minute"
    sleep 0.2
done
trap - EXIT INT TERM
cat "$folder/peer.json"
