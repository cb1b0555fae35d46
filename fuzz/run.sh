#!/bin/sh
# run.sh PROGRAMS NAME...: each fuzz target for T seconds, from its corpus and
# what earlier runs have found (in the folder PROGRAMS/NAME). An input that
# fails is kept in build/fuzz and named.
BUILD=${BUILD:-build}
T=${T:-20}
export ASAN_OPTIONS="quarantine_size_mb=16:$ASAN_OPTIONS"
programs=$1
shift
found=0
mkdir -p "$BUILD/fuzz"

# Long runs say now and then how far they are.
progress() {
    awk -v long=$((T > 60)) 'long && /pulse/ { print "    " $0; fflush() }'
}

for name in "$@"; do
    corpus=$programs/corpus_$name
    log=$programs/$name.log
    mkdir -p "$corpus"
    max=4096
    case $name in utf8 | close | url) max=400 ;; esac
    dict=
    for file in fuzz/dict/*.dict; do
        case " $(sed -n 's/^# for //p' "$file") " in *" $name "*) dict=-dict=$file ;; esac
    done
    { "$programs/fuzz_$name" $dict -max_total_time="$T" -max_len=$max -timeout=5 \
        -rss_limit_mb=1024 -use_value_profile=1 -print_final_stats=1 \
        -artifact_prefix="$BUILD/fuzz/$name-" "$corpus" "fuzz/corpus/$name" 2>&1
        echo "status $?"; } | tee "$log" | progress
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(sed -n 's/.*DONE.* cov: \([0-9]*\) .*/\1/p' "$log")
    if grep -q '^status 0$' "$log" && [ -n "$edges" ]; then
        echo "$name: $T s, $runs runs, $edges edges, nothing found"
    else
        found=$((found + 1))
        tail -n 60 "$log"
        echo "$name: FOUND: $(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)"
    fi
done
echo "fuzz: $# targets, $found findings"
[ $found = 0 ]
