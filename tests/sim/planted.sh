#!/bin/sh
# planted.sh OBJECT...: for each bug of planted.tsv (name, file of lib/protocol,
# sed script, what it does) a library with that bug alone, and the simulation,
# made of the objects, until it fails. CC, FLAGS and BUILD as in the Makefile;
# ONLY=NAME tries one bug.
BUILD=${BUILD:-build}
SEEDS=${PLANTED_SEEDS:-20000}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
tab=$(printf '\t')

# The library with one changed file, whose object stands ahead of the archive.
plant() {
    sed "$script" "lib/protocol/$file" >"$tmp/planted.c" || return 1
    if cmp -s "lib/protocol/$file" "$tmp/planted.c"; then
        echo "$name: does not apply to $file any more"
        return 1
    fi
    $CC $FLAGS -Wno-unused -Ilib -c -o "$tmp/planted.o" "$tmp/planted.c" &&
        $CC $FLAGS -o "$tmp/sim" $objects "$tmp/planted.o" "$BUILD/libcaws.a"
}

# How the first seed that fails does: an invariant, a crash, or no end.
find_it() {
    timeout -k 5 60 "$tmp/sim" 1 "$SEEDS" >"$tmp/out" 2>&1
    case $? in
    0) echo "NOT FOUND in $SEEDS seeds" && return 1 ;;
    1) ;;
    *) grep -q '^seed ' "$tmp/out" || { echo "NOT FOUND: no seed was named"; return 1; } ;;
    esac
    sed -n 's/^seed \([0-9]*\), [0-9]* ms[,:] /\1: /p' "$tmp/out" | head -n 1
}

# Without a bug the same seeds must pass, or what is found means nothing.
objects=$*
if [ -z "$ONLY" ] && ! sh tests/sim/run.sh "$BUILD/tests/sim/sim" "$SEEDS"; then
    echo "planted: the simulation fails without any bug"
    exit 1
fi
bugs=0
found=0
while IFS=$tab read -r name file script sentence; do
    [ -z "$ONLY" ] || [ "$ONLY" = "$name" ] || continue
    bugs=$((bugs + 1))
    if plant && how=$(find_it); then
        found=$((found + 1))
        printf '%-22s %s\n%-22s seed %s\n' "$name" "$sentence" '' "$how"
    else
        printf '%-22s %s\n%-22s %s\n' "$name" "$sentence" '' "${how:-was not built}"
    fi
    how=
done <tests/sim/planted.tsv
echo "planted: $bugs bugs, $found found"
[ $found = $bugs ] && [ $bugs -ge 20 ] || [ -n "$ONLY" ]
