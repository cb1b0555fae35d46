#!/bin/sh
# run.sh PLATFORM...: the library, with warnings as errors, and its tests, the
# fuzz corpus and the simulation on each platform, in a build folder of its own;
# a line for each. What a program says of its results ("digest of ...", the
# simulation's hash) must be the same everywhere: gcc-O2 is what the others are
# held against, and always runs. s390x is big-endian. /* REQ FRAME-4 */
# run.sh --tools PLATFORM...: what that takes, for tests/setup.sh.
export LC_ALL=C
unset MAKEFLAGS MAKELEVEL MFLAGS
top=${BUILD:-build}/platforms
JOBS=${JOBS:-$(nproc)}
TIMEOUT=${TIMEOUT:-300}
WINE=/usr/lib/wine/wine64

# What each is made with. tests is "some" where all tests would take too long.
platform() {
    cc=gcc ar=ar opt=-O2 link= run= tools= tests=all
    case $1 in
    gcc-O0 | gcc-O2 | gcc-Os) opt=-${1#gcc-} ;;
    clang-O0 | clang-O2 | clang-Os) cc=clang opt=-${1#clang-} ;;
    # Each program is optimised as a whole when it is linked: some of them.
    gcc-lto) ar=gcc-ar opt='-O2 -flto' tests=some ;;
    clang-lto) cc=clang ar=llvm-ar opt='-O2 -flto' tests=some tools=clang-lto ;;
    musl) cc=musl-gcc link=-static tools=musl-gcc ;;
    i686) foreign i686-linux-gnu
        opt='-O2 -D_FILE_OFFSET_BITS=64' ;;
    aarch64) foreign aarch64-linux-gnu qemu-aarch64 ;;
    # Undefined behaviour, unaligned access above all, traps.
    armhf) foreign arm-linux-gnueabihf qemu-arm
        opt='-O2 -fsanitize=undefined -fsanitize-undefined-trap-on-error -D_FILE_OFFSET_BITS=64' ;;
    s390x) foreign s390x-linux-gnu qemu-s390x ;; # big-endian
    # The protocol floor. Its C library is not that of POSIX.
    mingw) foreign x86_64-w64-mingw32 wine64
        opt='-O2 -include tests/platforms/mingw.h -D__USE_MINGW_ANSI_STDIO=1' link=-static
        tests=protocol ;;
    *) echo "run.sh: there is no platform $1" >&2 && exit 2 ;;
    esac
}
foreign() {
    cc=$1-gcc ar=$1-ar tools="$1-gcc $2"
    case $2 in
    qemu-*) run="$2 -L /usr/$1" ;;
    wine64) run=$WINE ;;
    '') link=-static ;; # so that it needs no libraries at run time
    esac
}

if [ "$1" = --tools ]; then
    shift
    for name in "$@"; do
        platform "$name" && echo "$tools"
    done | tr ' ' '\n' | sort -u | xargs
    exit
fi

# One program, in the job of its own: $OUT/NAME has what it said, and its status.
if [ "$1" = --one ]; then
    name=$(echo "${2#"$DIR"/}" | tr '/ ' '._')
    program=${2%% *}
    [ ! -e "$program.exe" ] || program=$program.exe
    case $2 in *' '*) arguments=${2#* } ;; *) arguments= ;; esac
    timeout -k 5 "$TIMEOUT" $RUN "$program" $arguments >"$OUT/$name" 2>&1 </dev/null
    echo $? >"$OUT/$name.status"
    exit 0
fi

build() {
    set -- SET=$(echo $tests | tr a-z A-Z)
    [ $tests != protocol ] || set -- "$@" LIB_FILES="$(
        sed -n 's|^protocol/|lib/&|p' lib/ORDER | xargs)"
    [ "${run#qemu}" = "$run" ] || set -- "$@" QEMU=1
    make --no-print-directory -j"$JOBS" BUILD="$dir" CC=$cc AR=$ar CMOCKA= WERROR=1 \
        CFLAGS="$opt -Itests/platforms" LDFLAGS="$link" "$@" platform >"$dir/log" 2>&1
}

# Everything in $dir/programs, as much of it at a time as there are processors.
run_all() {
    OUT=$dir/out DIR=$dir RUN=$run
    export OUT DIR RUN TIMEOUT
    rm -rf "$OUT"
    mkdir -p "$OUT"
    # Wine makes its folder when it first runs, once.
    [ "$run" != $WINE ] || { echo | timeout 120 $WINE cmd /c exit; } >"$dir/wine.log" 2>&1
    tr '\n' '\0' <"$dir/programs" | xargs -0 -P "$JOBS" -n 1 sh "$0" --one
}

# The header, as C++11 has it on this platform.
check_header() {
    case $cc in *-linux-*gcc | *-mingw32-gcc) set -- --target="${cc%-gcc}" \
        -isystem "/usr/${cc%-gcc}/include" ;; *) set -- ;; esac
    echo '#include <caws.h>' | clang "$@" -x c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror \
        -Iinclude -fsyntax-only - >>"$dir/log" 2>&1
}

# Leaves one line, and in case of failure what went wrong.
try() {
    dir=$top/$1
    mkdir -p "$dir"
    begin=$(date +%s)
    what=
    if ! build; then
        what='build FAILED' && grep -E 'error|undefined|\*\*\*' "$dir/log" | head -n 20
    elif ! check_header; then
        what='caws.h as C++ FAILED' && tail -n 5 "$dir/log"
    else
        run_all
        count "$1"
    fi
    printf '%-10s %-26s %s, %d s\n' "$1" "$cc${run:+, $(basename "${run%% *}")}" "$what" \
        $(($(date +%s) - begin))
    case $what in *FAILED*) return 1 ;; esac
}

count() {
    cat "$dir"/out/* | tr -d '\r' >"$dir/all"
    passed=$(grep -c '^\[       OK \]' "$dir/all")
    inputs=$(sed -n 's/^replay: \([0-9]*\) inputs, 0 findings$/\1/p' "$dir/all" |
        awk '{ n += $1 } END { print n + 0 }')
    grep -E '^(digest of |sim .* hash )' "$dir/all" | sort >"$dir/digests"
    what="$passed tests ($(cat "$dir/share")), $inputs inputs, $(wc -l <"$dir/digests") digests"
    bad=0
    while read -r line; do
        out=$dir/out/$(echo "${line#"$dir"/}" | tr '/ ' '._')
        [ "$(cat "$out.status")" = 0 ] && continue
        bad=$((bad + 1))
        echo "---- $1, $line: status $(cat "$out.status")"
        tail -n 8 "$out"
    done <"$dir/programs"
    [ $bad = 0 ] || what="$what, $bad programs FAILED"
    [ "$passed" -gt 0 ] && [ "$inputs" -gt 0 ] && [ -s "$dir/digests" ] || what="$what, FAILED"
    diff "$top/gcc-O2/digests" "$dir/digests" || what="$what, other results: FAILED"
}

mkdir -p "$top/wine"
WINEPREFIX=$(cd "$top/wine" && pwd)
export WINEPREFIX WINEDEBUG=-all

set -- gcc-O2 $(printf '%s\n' "$@" | grep -vx gcc-O2)
ran=0 skipped= failed=
for name in "$@"; do
    platform "$name"
    if ! sh tests/setup.sh $cc $tools >/dev/null 2>&1; then
        echo "$name: skipped, without $tools"
        skipped="$skipped${skipped:+ }$name"
        continue
    fi
    try "$name" || failed="$failed $name"
    ran=$((ran + 1))
done
[ ! -d "$top/wine/drive_c" ] || /usr/lib/wine/wineserver64 -k 2>/dev/null
echo "platforms: $ran ran, $(echo $skipped | wc -w) skipped ($skipped)${failed:+, FAILED:$failed}"
[ -z "$failed" ]
