#!/bin/sh
# instructions.sh PROGRAM: what its frames cost (see frames.h), by callgrind: a line
# "NAME INSTRUCTIONS" for each case. Of every three dumps the first is set-up.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP
timeout 300 valgrind -q --tool=callgrind --vgdb=no --dump-before=mark \
    --callgrind-out-file="$dir/out" "$1" >"$dir/cases" || exit 1
n=0
while read -r name frames; do
    few=$(sed -n 's/^totals: //p' "$dir/out.$((n + 2))")
    many=$(sed -n 's/^totals: //p' "$dir/out.$((n + 3))")
    n=$((n + 3))
    [ -n "$few" ] && [ -n "$many" ] || exit 1
    echo "$name $(((many - few + frames / 2) / frames))"
done <"$dir/cases"
[ $n -gt 0 ]
