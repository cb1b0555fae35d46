#!/bin/sh
# coverage.sh TEST...: run the tests and say what of lib/ they reached. Fails
# where a test does, where anything in lib/protocol is not reached, or more than
# 5 % of the lines of lib/net.
export LC_ALL=C
raw=$BUILD/raw
rm -rf "$raw"
mkdir -p "$raw"
# Each process has a file of its own: they run side by side.
export LLVM_PROFILE_FILE="$PWD/$raw/%m-%p.profraw"
TIMEOUT=300 sh tests/run.sh "$@" >"$BUILD/tests.log" || {
    cat "$BUILD/tests.log"
    exit 1
}
tail -n 1 "$BUILD/tests.log"

# The library's map is that of the tests, which have the same objects in them,
# and it names each file, whether a test needs it or not.
llvm-profdata-19 merge -o "$BUILD/all.profdata" "$raw"/*.profraw &&
    llvm-cov-19 show "$BUILD/libcaws.so" -instr-profile="$BUILD/all.profdata" \
        -show-branches=count -show-mcdc -show-instantiations=false \
        >"$BUILD/coverage.txt" || exit 1
awk -f tests/coverage/report.awk "$BUILD/coverage.txt"
