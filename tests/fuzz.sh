#!/bin/sh
# Each fuzz target over its corpus, and nothing found.
status=0
for source in fuzz/fuzz_*.c; do
    name=$(basename "$source" .c | sed 's/^fuzz_//')
    "${BUILD:-build}/fuzz/replay_$name" "fuzz/corpus/$name" || status=1
done
exit $status
