#!/bin/sh
# run.sh SIM SEEDS: the worlds 1 to SEEDS, JOBS at a time, and the sum of it.
# In DIR each part leaves its output; a part ends with its first failure.

if [ "$1" = --part ]; then
    out=$DIR/part.$3
    timeout -k 5 "${TIMEOUT:-600}" "$2" "$3" "$4" >"$out" 2>&1 </dev/null
    status=$?
    [ $status = 0 ] || mv "$out" "$out.failed"
    [ -n "$QUIET" ] || printf '\r%s of %s parts, %s failed ' "$(ls "$DIR" | wc -l)" "$PARTS" \
        "$(ls "$DIR" | grep -c failed)"
    exit 0
fi

sim=$1
seeds=${2:-1000}
size=$((seeds / 100))
[ $size -ge 100 ] || size=100
PARTS=$(((seeds + size - 1) / size))
DIR=$(mktemp -d)
QUIET=yes
[ ! -t 1 ] || QUIET=
export DIR PARTS QUIET
trap 'rm -rf "$DIR"' EXIT
trap 'exit 130' INT TERM HUP

first=1
while [ $first -le "$seeds" ]; do
    n=$((seeds - first + 1))
    [ $n -le $size ] || n=$size
    echo "$first $n"
    first=$((first + n))
done | xargs -P "${JOBS:-$(nproc)}" -n 2 sh "$0" --part "$sim"
[ -n "$QUIET" ] || printf '\r%40s\r' ''

# The trouble of at most three parts, whole.
ls "$DIR" | grep failed | head -n 3 | while read -r part; do
    echo "---- $part"
    cat "$DIR/$part"
done
failed=$(ls "$DIR" | grep -c failed)
cat "$DIR"/* | awk -v failed="$failed" -v parts="$PARTS" -v ran="$(ls "$DIR" | wc -l)" '
    / ends, / { ends += $1; messages += $3; memory += $5; random += $8 }
    /^sim: / { seeds += $2; events += $4 }
    END {
        failed += parts - ran
        printf "%d ends, %d messages, ", ends, messages
        printf "%d allocations and %d random numbers refused\n", memory, random
        printf "sim: %d seeds, %d events, %d failures\n", seeds, events, failed
        exit failed > 0
    }'
