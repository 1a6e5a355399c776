#!/bin/sh
# hold.sh FOLDER PORT: up.sh, then down.sh once standard input ends, however its holder ended. The folder goes with it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# What interrupts the holder must not leave a server behind.
trap '' HUP INT TERM
"$here/up.sh" "$1" "$2" < /dev/null
status=$?
[ "$status" -ne 0 ] || cat > /dev/null
"$here/down.sh" "$1" && rm -rf "$1"
exit "$status"
