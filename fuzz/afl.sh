#!/bin/sh
# afl.sh PROGRAMS NAME...: each target for T seconds under AFL++, from its corpus;
# what AFL++ keeps is in PROGRAMS/NAME.
export AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1
export AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
T=${T:-20}
programs=$1
shift
found=0
for name in "$@"; do
    out=$programs/$name
    rm -rf "$out"
    afl-fuzz -V "$T" -t 5000 -i "fuzz/corpus/$name" -o "$out" -- "$programs/fuzz_$name" \
        >"$out.log" 2>&1 </dev/null
    stats=$out/default/fuzzer_stats
    runs=$(sed -n 's/^execs_done *: *//p' "$stats" 2>/dev/null)
    bad=$(find "$out" -path '*crashes/id*' -o -path '*hangs/id*' 2>/dev/null | wc -l)
    if [ "${runs:-0}" -gt 0 ] && [ "$bad" = 0 ]; then
        echo "$name: $runs runs, nothing found"
    else
        found=$((found + 1))
        tail -n 20 "$out.log"
        echo "$name: FOUND: $(find "$out" -path '*crashes/id*' -o -path '*hangs/id*')"
    fi
done
echo "afl: $# targets, $found findings"
[ $found = 0 ]
