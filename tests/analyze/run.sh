#!/bin/sh
# run.sh: four analysers over lib, examples, fuzz and tests/support, JOBS jobs at
# a time. Each must also find the errors of planted.c. Findings are printed, and
# stay in $BUILD/analyze.
export LC_ALL=C
BUILD=${BUILD:-build}
JOBS=${JOBS:-2}
here=tests/analyze
out=$BUILD/analyze
flags="-std=c11 -D_GNU_SOURCE -Iinclude -Ilib -Itests/support -I$BUILD/examples"

# What is left out of cppcheck: "while (...) continue;" is an empty loop here; an
# opcode 0 is a name like the others.
cppcheck_options="--enable=warning,portability,performance,style --std=c11 --language=c
    --template=gcc --quiet --error-exitcode=1
    --suppress=redundantContinue --suppress=badBitmaskCheck:lib/protocol/frame.c"
# Beyond those that scan-build has on by itself.
checkers="optin.portability.UnixAPI optin.performance.Padding nullability.NullableDereferenced
    alpha.core.BoolAssignment alpha.core.CastSize alpha.core.Conversion alpha.core.IdenticalExpr
    alpha.deadcode.UnreachableCode alpha.security.ReturnPtrRange
    alpha.unix.cstring.BufferOverlap"

one() {
    case $1 in
    clang-tidy) clang-tidy-19 --quiet "$2" -- $flags ;;
    gcc)
        # A leak that a harness would have, LeakSanitizer shows.
        case $2 in fuzz/*) set -- "$@" -Wno-analyzer-malloc-leak ;; esac
        tool=$1 file=$2
        shift 2
        gcc $flags -O1 -fanalyzer -Walloca -Wvla "$@" -c -o /dev/null "$file"
        ;;
    scan) $CC $flags -c -o "$out/$(echo "$2" | tr / .).o" "$2" ;;
    esac
}

# Those of the tool $1 for the files $2...
look() {
    tool=$1
    shift
    case $tool in
    cppcheck) cppcheck $cppcheck_options $(echo "$flags" | sed 's/-std=c11//') -j "$JOBS" "$@" ;;
    scan-build)
        scan-build-19 --status-bugs -o "$out/reports" \
            $(printf ' -enable-checker %s' $checkers) sh "$0" --each scan "$@"
        ;;
    gcc) # cmocka leaves a function by longjmp, which it cannot know
        sh "$0" --each gcc $(printf '%s\n' "$@" | grep -v '^tests/support/') ;;
    *) sh "$0" --each "$tool" "$@" ;;
    esac
}

case $1 in
--one) one "$2" "$3" && exit || exit 1 ;;
--each)
    shift
    tool=$1
    shift
    printf '%s\n' "$@" | xargs -P "$JOBS" -n 1 sh "$0" --one "$tool"
    exit
    ;;
esac

rm -rf "$out"
mkdir -p "$out"
tools="cppcheck gcc clang-tidy scan-build"
files=$(find lib examples fuzz tests/support -name '*.c' | sort)
status=0
findings=0
[ -n "$files" ] || status=1
for tool in $tools; do
    begin=$(date +%s)
    look $tool $here/planted.c >"$out/planted.$tool" 2>&1
    planted=$(grep -cE 'planted\.c:[0-9]+:[0-9]+: (warning|error)' "$out/planted.$tool")
    look $tool $files >"$out/$tool" 2>&1
    failed=$?
    found=$(grep -E ': (warning|error|style|portability|performance): ' "$out/$tool" |
        sort -u | wc -l)
    [ "$found" -gt 0 ] || grep -q 'error' "$out/$tool" && failed=1
    echo "$tool: $found findings, of $planted planted; $(($(date +%s) - begin)) s"
    if [ "$found" != 0 ] || [ "$failed" != 0 ]; then
        sed "s|$PWD/||" "$out/$tool" | head -n 200
        status=1
    fi
    if [ "$planted" = 0 ]; then
        echo "$tool: it has not found what was planted"
        status=1
    fi
    findings=$((findings + found))
done
echo "analyze: $(echo $tools | wc -w) tools, $findings findings"
exit $status
