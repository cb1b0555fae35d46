#!/bin/sh
# What bytes cost, in instructions, which valgrind counts. For each kind of
# input and output (tests/linear/cost.c):
#  - over size: a byte of the largest costs at most 3 times what a byte of the
#    smallest does, that comes in the same pieces;
#  - over pieces: bytes in pieces cost at most 3 times what they cost whole and
#    the calls cost by themselves. A call's price is that of feeding one byte
#    that nobody wants, and is at most 8 times that of feeding no byte. A byte
#    counts for half an instruction at least: copying many may be a single one.
#  - in all: what comes whole costs at most 500 a byte.
# /* REQ LIMIT-1, CPU-2, CPU-3, CPU-6 */
BUILD=${BUILD:-build}
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# Names are bound at once, so that no measurement pays for that.
LD_BIND_NOW=1 valgrind --tool=callgrind --collect-atstart=no --callgrind-out-file="$out/dump" \
    "$BUILD/tests/linear/cost" "$@" >"$out/names" 2>"$out/log" || { cat "$out/log"; exit 1; }

n=0
while read -r name; do
    n=$((n + 1))
    echo "$name $(sed -n 's/^summary: //p' "$out/dump.$n")"
done <"$out/names" >"$out/counts"

# name, size, piece (0: whole), bytes, calls, instructions
awk -v limit=3 '
    function bad(text) { print "TOO MUCH: " text; failed = 1 }
    $6 + 0 <= 0 { bad("no count of " $0) }
    {
        row[++rows] = $0
        cost[$1, $2, $3] = $6
        each[$1, $2, $3] = $6 / $4
        if (!(($1, $3) in smallest)) smallest[$1, $3] = $2
        last[$1, $2] = $3 # the largest piece, mostly the whole
    }
    END {
        empty = each["empty_feed", 10000, 1]
        call = each["ignored", 10000, 1]
        if (call > 8 * empty) bad("a call with a byte: " call ", an empty one: " empty)
        for (i = 1; i <= rows; i++) {
            split(row[i], f, " ")
            over_size = each[f[1], f[2], f[3]] / each[f[1], smallest[f[1], f[3]], f[3]]
            whole = cost[f[1], f[2], last[f[1], f[2]]]
            if (whole < f[4] / 2) whole = f[4] / 2
            over_pieces = f[6] / (whole + f[5] * call)
            line = sprintf("%-16s %8d in pieces of %-7s %8.2f a byte,", f[1], f[2],
                f[3] ? f[3] : "all", f[6] / f[4])
            line = line sprintf(" %4.2f over size, %4.2f over pieces", over_size, over_pieces)
            print line
            if (over_size > limit || over_pieces > limit) bad(line)
            if (f[3] == 0 && f[6] > 500 * f[4]) bad(line)
            if (over_size > worst_size) { worst_size = over_size; of_size = f[1] }
            if (over_pieces > worst_pieces) { worst_pieces = over_pieces; of_pieces = f[1] }
        }
        printf "linear: %d measurements; the worst over size %.2f (%s), over pieces %.2f (%s); ",
            rows, worst_size, of_size, worst_pieces, of_pieces
        printf "a call with one byte %d instructions, an empty one %d\n", call, empty
        exit failed || rows < 20
    }' "$out/counts"
