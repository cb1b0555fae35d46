#!/bin/sh
# Bytes, allocations and system calls stay within tests/bench/budget.tsv.
BUILD=${BUILD:-build}
out=$(mktemp)
trap 'rm -f "$out"' EXIT
"$BUILD/tests/bench/budget" >"$out" || { cat "$out"; exit 1; }
awk -v exact=1 -f tests/bench/budget.awk tests/bench/budget.tsv "$out"
