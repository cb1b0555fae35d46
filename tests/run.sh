#!/bin/sh
# run.sh PROGRAM|SCRIPT.sh...: run cmocka programs and check scripts, JOBS at a
# time, a line for each; then the output of those that failed, and the totals.
# A program that crashes, hangs or runs no test counts as failed; a script that
# exits 77 was skipped, and its lines that begin with "total: " or "hint: " are
# shown. WRAP goes in front of each program, TIMEOUT (seconds) limits each. In DIR
# every job leaves NAME.out and NAME.count.

one() {
    name=$(echo "${1#"$BUILD"/}" | sed 's|^tests/||; s|\.sh$||')
    out=$DIR/$(echo "$name" | tr / .)
    case $1 in
    *.sh) run="sh" ;;
    *) run=$WRAP ;;
    esac
    begin=$(date +%s%3N)
    timeout -k 5 "$TIMEOUT" $run "$1" >"$out.out" 2>&1 </dev/null
    status=$?
    ms=$(($(date +%s%3N) - begin))

    skipped=0
    case $1 in
    *.sh)
        ran=1
        passed=$((status == 0))
        [ $status != 77 ] || ran=0 skipped=1
        ;;
    *)
        ran=$(grep -c '\[ RUN      \]' "$out.out")
        passed=$(grep -c '\[       OK \]' "$out.out")
        skipped=$(grep -c '\[  SKIPPED \] [A-Za-z_]' "$out.out")
        # The summary may name each skipped test once more.
        [ "$skipped" -le $((ran - passed)) ] || skipped=$((ran - passed))
        ;;
    esac
    failed=$((ran - passed - skipped))
    if [ $failed -le 0 ]; then
        failed=0
        case $1 in *.sh) ;; *) [ $status = 0 ] && [ "$ran" -gt 0 ] || failed=1 ;; esac
    fi

    line="$passed passed"
    [ $failed = 0 ] || line="$line, $failed FAILED"
    [ "$skipped" = 0 ] || line="$line, $skipped skipped"
    case $status in
    124 | 137) line="$line (no end after $TIMEOUT s)" ;;
    12[89] | 1[3-9]?) line="$line (signal $((status - 128)))" ;;
    esac
    [ $failed = 0 ] || : >"$out.failed"
    echo "$passed $failed $skipped" >"$out.count"
    printf '%-36s %s, %d.%02d s\n' "$name" "$line" $((ms / 1000)) $((ms % 1000 / 10))
    [ "$skipped" = 0 ] || grep -i skip "$out.out" | tail -n 1
    sed -n '/^hint: /p; s/^total: /    /p' "$out.out"
}

BUILD=${BUILD:-build}
TIMEOUT=${TIMEOUT:-120}
export BUILD TIMEOUT
unset MAKEFLAGS MAKELEVEL MFLAGS CMOCKA_MESSAGE_OUTPUT CMOCKA_XML_FILE CMOCKA_TEST_FILTER
if [ "$1" = --one ]; then
    one "$2"
    exit 0
fi

DIR=$(mktemp -d)
export DIR
trap 'rm -rf "$DIR"' EXIT
trap 'exit 130' INT TERM HUP
printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -n 1 sh "$0" --one

for mark in "$DIR"/*.failed; do
    [ -e "$mark" ] || continue
    echo
    echo "---- $(basename "$mark" .failed)"
    cat "${mark%.failed}.out"
done
[ ! -e "$mark" ] || echo
# A job that left no count is a failure of its own.
cat "$DIR"/*.count | awk -v jobs=$# -v strict="$STRICT" '
    { passed += $1; failed += $2; skipped += $3 }
    END {
        failed += jobs - NR
        if (strict) { failed += skipped; skipped = 0 }
        printf "%d passed, %d failed", passed, failed
        if (skipped) printf ", %d skipped", skipped
        print ""
        exit failed > 0 || passed == 0
    }'
