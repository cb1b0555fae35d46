#!/bin/sh
# The model of the closing handshake, through spin's verifier: no deadlock and
# no assertion fails in any interleaving, each line is reached, and each claim
# ("ltl" in the model) holds, if no process is kept waiting for ever. Then it
# must find each error that is planted (BUG_ in the model).
export LC_ALL=C
BUILD=${BUILD:-build}
model=$PWD/tests/model/closing.pml
dir=$BUILD/model
rm -rf "$dir"
mkdir -p "$dir"
failed=0

# verifier NAME MACRO OPTION...: builds $dir/NAME/pan.
verifier() {
    name=$1 bug=$2
    shift 2
    mkdir -p "$dir/$name"
    (cd "$dir/$name" && spin ${bug:+"-D$bug"} -a "$model" >spin.log 2>&1 &&
        ${CC:-cc} -O2 -w -DNFAIR=3 "$@" -o pan pan.c) ||
        { cat "$dir/$name/spin.log" && exit 1; }
}

# pan NAME [CLAIM]: its errors, or "stopped" where it did not see everything.
pan() {
    out=$dir/$1/out${2:+.$2}
    (cd "$dir/$1" && ./pan -m100000 ${2:+-a -f -N "$2"}) >"$out" 2>&1
    if grep -qE '^error: max search depth|reached -DMEMLIM|memory limit' "$out"; then
        echo stopped
    else
        sed -n 's/.*errors: \([0-9]*\)$/\1/p' "$out"
    fi
}

say() {
    printf '%-36s %s\n' "$1" "$2"
}

SAFETY='-DSAFETY -DNOCLAIM'
verifier safety '' $SAFETY
errors=$(pan safety)
states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$dir/safety/out")
say 'no deadlock, no assertion fails' "$states states, $errors errors"
[ "$errors" = 0 ] || { failed=1 && grep '^pan:' "$dir/safety/out"; }
# (Lines of the claims are reached only where these are used, and fail.)
sed -n '/_spin_nvr/d; s/^	\(.*, state [0-9]*, \)/never reached: \1/p' "$dir/safety/out" \
    >"$dir/unreached"
[ ! -s "$dir/unreached" ] || { failed=1 && cat "$dir/unreached"; }

claims=$(sed -n 's/^ltl \([a-z_]*\) .*/\1/p' "$model")
verifier claims ''
for claim in $claims; do
    errors=$(pan claims "$claim")
    say "$claim" "${errors:-no result} errors"
    [ "$errors" = 0 ] || failed=1
done

planted=0
for bug in $(sed -n 's/^#ifn*def \(BUG_[A-Z_]*\).*/\1/p' "$model" | sort -u); do
    verifier "$bug" "$bug" $SAFETY
    by=safety
    if [ "$(pan "$bug")" = 0 ]; then
        verifier "$bug" "$bug"
        for by in $claims none; do
            [ $by = none ] || [ "$(pan "$bug" "$by")" = 0 ] || break
        done
    fi
    how=$(sed -n 's/^pan:1: //p' "$dir/$bug"/out* | head -n 1 | cut -c1-60)
    if [ $by = none ] || [ -z "$how" ]; then
        say "$bug" 'NOT FOUND'
        failed=1
    else
        say "$bug" "found: $how"
        planted=$((planted + 1))
    fi
done

properties=$((1 + $(grep -c '^ *assert(' "$model") + $(echo "$claims" | wc -w)))
[ $failed = 0 ] && [ "${states:-0}" -gt 100000 ] && [ $planted -ge 11 ] || failed=1
if [ $failed = 0 ]; then
    echo "model: $states states, $properties properties, 0 errors," \
        "and $planted planted errors found"
else
    echo "model: FAILED"
fi
exit $failed
