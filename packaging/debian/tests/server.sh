# shellcheck shell=sh
# A server for a test, and commands as a service's user. With a service manager the services are used, else their
# commands as their users. Sets scratch, and address once start_server was called.

scratch=$(mktemp -d)
server=''
end() {
  [ -z "$server" ] || stop_server
  rm -rf "$scratch"
}
trap end EXIT

has_service_manager() { [ -d /run/systemd/system ]; }

# become USER COMMAND…: with none of root's environment.
become() {
  user=$1
  shift
  exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups env -i PATH="$PATH" "$@"
}

# as USER COMMAND…: the same, and comes back.
as() { (become "$@"); }

# start_server [ADDRESS]
start_server() {
  if has_service_manager; then
    systemctl restart gatehand-server
    address=http://127.0.0.1:8345
    return
  fi
  become gatehand-server gatehand-server serve --listen "${1:-127.0.0.1:0}" 2>"$scratch/log" &
  server=$!
  until grep -q '^Serving on' "$scratch/log"; do
    kill -0 "$server" || { cat "$scratch/log" && exit 1; }
    sleep 0.1
  done
  # shellcheck disable=SC2034
  address=$(sed -n 's/^Serving on \(http:[^,]*\),.*/\1/p' "$scratch/log")
}

stop_server() {
  kill "$server"
  wait "$server" || true
  server=''
}

# belongs FOLDER USER: all in it is that user's alone.
belongs() {
  test "$(stat -c '%U %a' "$1")" = "$2 700"
  test -n "$(ls "$1")"
  others=$(find "$1" -mindepth 1 \( ! -user "$2" -o -perm /077 \) -ls)
  test -z "$others" || {
    echo "not private to $2: $others"
    exit 1
  }
}
