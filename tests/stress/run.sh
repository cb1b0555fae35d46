#!/bin/sh
# run.sh PROGRAM...: the heavy tests, one after the other, for they measure
# time; a line for each, and the totals.
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
passed=0
failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
trap 'exit 130' INT TERM HUP

for program in "$@"; do
    name=$(basename "$program")
    case $program in
    */sanitize/*) name="$name (ASan)" ;;
    */tsan/*) name="$name (TSan)" ;;
    esac
    timeout -k 5 240 "$program" >"$out" 2>&1 </dev/null
    status=$?
    if [ $status = 0 ] && [ "$(grep -c '^ok (' "$out")" = 1 ]; then
        passed=$((passed + 1))
        echo "stress $name: $(grep '^ok (' "$out")"
    else
        failed=$((failed + 1))
        echo "stress $name: FAILED (status $status)"
        tail -n 60 "$out"
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
