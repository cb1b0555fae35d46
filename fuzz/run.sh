#!/bin/sh
# run.sh NAME...: each fuzz target for T seconds over a working copy of its
# corpus; an input that fails is kept in the build folder and named.
BUILD=${BUILD:-build}
found=0
for name in "$@"; do
    corpus=$BUILD/fuzz/corpus_$name
    mkdir -p "$corpus"
    echo "fuzzing $name for ${T:-60} s"
    "$BUILD/fuzz/fuzz_$name" -max_total_time="${T:-60}" -max_len=4096 -timeout=10 \
        -verbosity=0 -print_final_stats=1 -artifact_prefix="$BUILD/fuzz/$name-" \
        "$corpus" "fuzz/corpus/$name" || found=$((found + 1))
done
echo "fuzz: $# targets, $found findings"
[ $found = 0 ]
