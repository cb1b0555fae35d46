#!/bin/sh
# The instructions of a frame stay within tests/bench/budget.tsv, where they can be compared.
BUILD=${BUILD:-build}
CC=${CC:-cc}
here() {
    case $1 in
    compiler)
        echo '__GNUC__ __GNUC_MINOR__ __GNUC_PATCHLEVEL__ __clang__' | $CC -E -P -x c - |
            sed 's/^\([0-9]*\) \([0-9]*\) \([0-9]*\) __clang__$/gcc \1.\2.\3/' ;;
    flags) tr ' ' '\n' <"$BUILD/flags" | sed '1d; /^-[WI]/d; /^$/d' | tr '\n' ' ' | sed 's/ $//' ;;
    libc) getconf GNU_LIBC_VERSION ;;
    processor)
        echo "$(uname -m)$(grep -qw avx2 /proc/cpuinfo && echo ' avx2')" ;;
    esac
}

for what in compiler flags libc processor; do
    wanted=$(sed -n "s/^$what	\([^	]*\)	.*/\1/p" tests/bench/budget.tsv)
    found=$(here $what 2>/dev/null)
    if [ "$found" != "$wanted" ]; then
        echo "skipped: instructions are not compared with $what $found, but with $wanted"
        exit 77
    fi
done
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }
out=$(mktemp)
trap 'rm -f "$out"' EXIT
sh tests/bench/instructions.sh "$BUILD/tests/bench/frames" >"$out" || exit 1
awk -v exact=0 -f tests/bench/budget.awk tests/bench/budget.tsv "$out"
