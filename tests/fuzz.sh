#!/bin/sh
# Each fuzz target over its corpus, and nothing found.
status=0
total=0
for source in fuzz/fuzz_*.c; do
    name=$(basename "$source" .c | sed 's/^fuzz_//')
    line=$("${BUILD:-build}/fuzz/replay_$name" "fuzz/corpus/$name") || status=1
    echo "$name: $line"
    total=$((total + $(echo "$line" | sed 's/^replay: \([0-9]*\) .*/\1/; s/^$/0/')))
done
echo "total: $total inputs of $(ls fuzz/fuzz_*.c | wc -l) fuzz targets replayed"
exit $status
