#!/bin/sh
# postgres.sh FOLDER BIN [PRIMARY]: a PostgreSQL of its own in FOLDER, reached by a socket there only, until standard
# input ends, however its holder ended. The folder goes with it. With PRIMARY, the folder of another one, it is that
# one's replica. Each line of standard input is a command:
#   start, stop   as an administrator does
#   crash         all of its processes at once, with nothing written out
#   pause, resume all of its processes
#   promote       a replica takes writes from now on
# and is answered with a line once it is done.
set -u
folder=$1 bin=$2 primary=${3:-}
# What interrupts the holder must not leave a server behind.
trap '' HUP INT TERM

# It refuses to run as root.
as() {
  if [ "$(id -u)" -eq 0 ]; then
    exec setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=-all "$@"
  else
    exec "$@"
  fi
}
say() { echo "$1"; }
is_ready() { "$bin/pg_isready" -q -h "$folder" -U postgres; }

# What a crash left may take a moment to go: then it is tried again.
start() {
  tries=0
  while [ "$tries" -lt 100 ]; do
    (as "$bin/postgres" -D "$folder/data") >>"$folder/log" 2>&1 </dev/null &
    postmaster=$!
    while kill -0 "$postmaster" 2>/dev/null; do
      if is_ready; then return; fi
      sleep 0.05
    done
    wait "$postmaster"
    tries=$((tries + 1))
    sleep 0.1
  done
  cat "$folder/log" >&2
  exit 1
}
end() {
  kill "-$1" "$postmaster" 2>/dev/null
  kill -CONT "$postmaster" 2>/dev/null
  wait "$postmaster" 2>/dev/null
}
everyone() { echo "$postmaster"; pgrep -P "$postmaster"; }

[ "$(id -u)" -ne 0 ] || chown -R nobody:nogroup "$folder"
make() {
  if [ -n "$primary" ]; then
    as "$bin/pg_basebackup" -h "$primary" -U postgres -D "$folder/data" --write-recovery-conf --checkpoint=fast --no-sync
  fi
  # Texts in the order of a language, which answers must not depend on.
  as "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en --no-sync
}
(make) >"$folder/log" 2>&1 </dev/null || {
  cat "$folder/log" >&2
  exit 1
}
cat >>"$folder/data/postgresql.conf" <<EOF
listen_addresses = ''
port = ${PGPORT:-5432}
unix_socket_directories = '$folder'
unix_socket_permissions = 0777
max_connections = 400
shared_buffers = 64MB
fsync = off # a killed program loses nothing of what it has written
log_min_messages = warning
deadlock_timeout = 200ms
EOF
# Who comes by TCP needs a password.
echo "host all all 127.0.0.1/32 scram-sha-256" >"$folder/hba" && grep local "$folder/data/pg_hba.conf" >>"$folder/hba"
cat "$folder/hba" >"$folder/data/pg_hba.conf"
cat "$folder/more.conf" >>"$folder/data/postgresql.conf" 2>/dev/null
start
say ready
while read -r command; do
  case $command in
    start) start ;;
    stop) end INT ;;
    crash)
      # shellcheck disable=SC2046 # one word each
      kill -KILL $(everyone)
      wait "$postmaster" 2>/dev/null
      ;;
    pause)
      # shellcheck disable=SC2046
      kill -STOP $(everyone)
      ;;
    resume)
      # shellcheck disable=SC2046
      kill -CONT $(everyone)
      ;;
    promote) "$bin/psql" -XAtq -h "$folder" -U postgres -c 'SELECT pg_promote()' >>"$folder/log" 2>&1 ;;
  esac
  say "$command"
done
# shellcheck disable=SC2046
kill -CONT $(everyone) 2>/dev/null
end QUIT
rm -rf "$folder"
