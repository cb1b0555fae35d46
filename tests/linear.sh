#!/bin/sh
# A head that comes byte by byte costs its size, not the square of it: twice
# the bytes are at most 2.2 times the instructions, which valgrind counts.
# /* REQ LIMIT-1 */
BUILD=${BUILD:-build}
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$BUILD/tests/linear/head" "$@" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
status=0
for piece in 1 7 100000; do
    before=$(count 8192 $piece)
    for size in 16384 32768 65536; do
        now=$(count $size $piece)
        echo "$size bytes in pieces of $piece: $now instructions"
        [ -n "$now" ] && [ $((now * 10)) -le $((before * 22)) ] || status=1
        before=$now
    done
done
exit $status
