#!/bin/sh
# run.sh PERCENT: 55000 allocations (5000 of them of an event loop) and 20000
# system calls fail, or PERCENT % of so many; two processes at the same time.
BUILD=${BUILD:-build}
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
# /* REQ OOM-1, IO-1 */
out=$(mktemp -d)
trap 'kill $memory 2>/dev/null; rm -rf "$out"' EXIT
trap 'exit 130' INT TERM HUP

timeout -k 5 900 "$BUILD/tests/sim/sim" -m $((500 * $1)) >"$out/memory" 2>&1 </dev/null &
memory=$!
timeout -k 5 900 "$BUILD/tests/faults/syscalls" $((200 * $1)) $((50 * $1)) \
    >"$out/calls" 2>&1 </dev/null
calls=$?
wait $memory
status=$?

cat "$out/memory" "$out/calls"
# Distinct: each in a world or a session of its own, n-th call, error, mode.
a=$(sed -n 's/^faults: \([0-9]*\) allocation.*/\1/p' "$out/memory" "$out/calls" |
    awk '{ n += $1 } END { print n + 0 }')
c=$(sed -n 's/^faults: \([0-9]*\) system.*/\1/p' "$out/calls")
bad=$(((status != 0) + (calls != 0)))
echo "faults: $a allocation failures, ${c:-0} system-call failures, $bad failures found"
[ $bad = 0 ]
