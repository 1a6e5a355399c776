#!/bin/sh
# Stands in for the NDK's C compiler where Rust is only checked: compiles to an empty file, and lets
# this machine's compiler answer all questions.
compiles= output=
previous=
for argument; do
  [ "$previous" != -o ] || output=$argument
  [ "$argument" != -c ] || compiles=yes
  previous=$argument
done
[ -n "$compiles" ] || exec cc "$@"
: >"$output"
