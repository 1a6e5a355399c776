#!/usr/bin/env bash
# Has schemathesis make calls up for every operation that /api/v1/openapi.json describes, at a server that runs on
# SQLite and, where there is one, at another on PostgreSQL. No answer may differ from the description, and each
# operation has to have been done at least once.
#
# usage: tests/schemathesis/run.sh PROGRAM FOLDER: the gatehand to test, and where Python's packages stay.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1 venv=$2/schemathesis
VERSION=4.32.5
EXAMPLES=${EXAMPLES:-10}

command -v python3 >/dev/null && python3 -c 'import ensurepip, venv' 2>/dev/null || { echo "needs Python's venv" >&2; exit 77; }
# A venv that broke off while it was made has no version.
if [ "$(cat "$venv/version" 2>/dev/null)" != "$VERSION" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet "schemathesis==$VERSION"
  echo "$VERSION" >"$venv/version"
fi

scratch=$(mktemp -d)
server='' cluster=''
# pg_ctl and the server end by their own numbers.
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$cluster" ] || as_postgres "$cluster" "-D '$scratch/pg' -m immediate stop" >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap finish EXIT

# PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- sh -c "$1 $2"; else sh -c "$1 $2"; fi
}

try() {
  local database=$1
  mkdir -p "$scratch/$2"
  export GATEHAND_DATABASE=$database GATEHAND_SECRET_FILE=$scratch/$2/secret
  "$program" admin organizer create bigevents --name "Big Events" >/dev/null
  "$program" admin event create bigevents museum --name Museum --from 2027-05-08T18:00 --timezone UTC >/dev/null
  "$program" admin gate create bigevents north --name North >/dev/null
  "$program" admin team create bigevents admins --permission all >/dev/null
  TEAM_TOKEN=$("$program" admin token create bigevents admins --json | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p')
  "$program" serve --listen 127.0.0.1:0 2>"$scratch/$2/log" &
  server=$!
  until SERVER_URL=$(sed -n 's/^Serving on \([^,]*\),.*/\1/p' "$scratch/$2/log") && [ -n "$SERVER_URL" ]; do
    kill -0 "$server" || { cat "$scratch/$2/log" >&2; exit 1; }
    sleep 0.1
  done
  export SERVER_URL TEAM_TOKEN DONE=$scratch/$2/done.json SCHEMATHESIS_HOOKS=hooks PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
  echo "== $2"
  # Not asked is whether a wrong key is refused, as the hooks give each call a good one; whether all that the description
  # allows is taken, as names of events and gates have to be there; nor whether all else is refused: pretix passes over what it does not know, and so do we.
  # From a file: an address that it takes the description from is none that it tries.
  python3 -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())' \
    "$SERVER_URL/api/v1/openapi.json" >"$scratch/$2/openapi.json"
  (cd "$scratch" && "$venv/bin/schemathesis" run "$scratch/$2/openapi.json" --url "$SERVER_URL" --phases examples,fuzzing --mode positive \
    --exclude-checks ignored_auth,positive_data_acceptance,negative_data_rejection --max-examples "$EXAMPLES" --seed 1 \
    --continue-on-failure --warnings off --suppress-health-check all)
  python3 - "$DONE" "$SERVER_URL" <<'PYTHON'
import json, sys, urllib.request
done = json.load(open(sys.argv[1]))
described = json.load(urllib.request.urlopen(sys.argv[2] + "/api/v1/openapi.json"))["paths"]
names = [f"{method.upper()} {path}" for path, methods in described.items() for method in methods]
for name in names:
    print(f"{done.get(name, 0):6} done  {name}")
sys.exit(not names or any(not done.get(name) for name in names))
PYTHON
  kill "$server" && wait "$server" || true
  server=''
}

try "$scratch/sqlite/server.db" sqlite
bin=$(command -v pg_ctl || ls /usr/lib/postgresql/*/bin/pg_ctl 2>/dev/null | sort -V | tail -1 || true)
if [ -z "$bin" ]; then
  echo "PostgreSQL is not there: not tried on it" >&2
  exit 77
fi
cluster=$bin
[ "$(id -u)" -ne 0 ] || { mkdir "$scratch/pg" && chown postgres "$scratch/pg" && chmod 711 "$scratch"; }
as_postgres "$(dirname "$bin")/initdb" "--auth trust --username postgres --encoding UTF8 -D '$scratch/pg'" >/dev/null
as_postgres "$bin" "-D '$scratch/pg' -w -o \"-c listen_addresses='' -k '$scratch/pg'\" -l '$scratch/pg/log' start" >/dev/null
try "postgres:///postgres?host=$scratch/pg&user=postgres" postgresql
