#!/bin/sh
# setup.sh NEED... [-- WISH...]: see that tools are there, and install what is
# not where that is allowed (root on Debian). Without a NEED it fails; without
# a WISH the tests that use it are skipped, which STRICT=1 makes a failure.
CC=${CC:-cc}

has_header() {
    echo "#include <$2>" | $CC -x "$1" -fsyntax-only - 2>/dev/null
}

have() {
    case $1 in
    cmocka)
        flags=$(pkg-config --cflags --libs cmocka 2>/dev/null || echo -lcmocka)
        printf '%s\n' '#include <stdarg.h>' '#include <stddef.h>' \
            '#include <stdint.h>' '#include <setjmp.h>' '#include <cmocka.h>' \
            'int main(void) { cmocka_set_message_output(CM_OUTPUT_STDOUT); }' |
            $CC -x c -o /dev/null - $flags 2>/dev/null ;;
    libfuzzer)
        echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return !d && n; }' |
            ${CLANG:-clang} -x c -fsanitize=fuzzer,address -o /dev/null - 2>/dev/null ;;
    c++) command -v "${CXX:-g++}" >/dev/null ;;
    libwebsockets) has_header c libwebsockets.h ;;
    wslay) has_header c wslay/wslay.h ;;
    beast) has_header c++ boost/beast/version.hpp ;;
    # Clang 19 with its run-time libraries, and the tools of the same version.
    clang-19)
        echo 'int main(void) { return 0; }' |
            clang-19 -x c -fsanitize=memory -o /dev/null - 2>/dev/null &&
            command -v llvm-cov-19 >/dev/null ;;
    clang-lto)
        echo 'int main(void) { return 0; }' | clang -flto -x c -o /dev/null - 2>/dev/null &&
            command -v llvm-ar >/dev/null ;;
    wine64) [ -x /usr/lib/wine/wine64 ] ;; # it is not in PATH
    # A compiler for another machine, with that machine's C library.
    *-gcc)
        out=$(mktemp -d)
        printf '%s\n' '#include <stdio.h>' 'int main(void) { return puts(""); }' |
            "$1" -x c -o "$out/program" - 2>/dev/null
        set -- $?
        rm -rf "$out"
        return "$1" ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

package() {
    case $1 in
    cmocka) echo libcmocka-dev ;;
    c++) echo g++ ;;
    libwebsockets) echo libwebsockets-dev ;;
    wslay) echo libwslay-dev ;;
    beast) echo libboost-dev ;;
    node) echo nodejs ;;
    # Its version is that of the clang that is there.
    libfuzzer) echo "libclang-rt-$(${CLANG:-clang} -dumpversion 2>/dev/null | cut -d. -f1)-dev" ;;
    # What these only recommend, and cannot do without.
    gcc) echo gcc libc6-dev ;;
    valgrind) echo valgrind libc6-dbg ;;
    clang-19) echo clang-19 llvm-19 libclang-rt-19-dev ;;
    scan-build) echo clang-tools ;;
    scan-build-19) echo clang-tools-19 ;;
    afl-clang-fast) echo afl++ ;;
    frama-c) echo frama-c-base ;;
    i686-linux-gnu-gcc) echo gcc-i686-linux-gnu libc6-dev-i386-cross ;;
    aarch64-linux-gnu-gcc) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross ;;
    arm-linux-gnueabihf-gcc) echo gcc-arm-linux-gnueabihf libc6-dev-armhf-cross ;;
    s390x-linux-gnu-gcc) echo gcc-s390x-linux-gnu libc6-dev-s390x-cross ;;
    x86_64-w64-mingw32-gcc) echo gcc-mingw-w64-x86-64 ;;
    qemu-*) echo qemu-user ;;
    clang-lto) echo "llvm llvm-$(clang -dumpversion 2>/dev/null | cut -d. -f1)-linker-tools" ;;
    musl-gcc) echo musl-tools ;;
    ctags) echo universal-ctags ;;
    *) echo "$1" ;;
    esac
}

packages=
for tool in "$@"; do
    [ "$tool" = -- ] || have "$tool" || packages="$packages $(package "$tool")"
done
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setting up:$packages"
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -y --no-install-recommends $packages; } \
        >"$log" 2>&1 </dev/null || tail -n 15 "$log"
    rm -f "$log"
fi

needed=1
status=0
for tool in "$@"; do
    if [ "$tool" = -- ]; then
        needed=0
    elif have "$tool"; then
        continue
    elif [ $needed = 1 ] || [ -n "$STRICT" ]; then
        echo "This needs $tool: please install it (Debian: $(package "$tool"))." >&2
        status=1
    else
        echo "without $tool some tests are skipped (Debian: $(package "$tool"))"
    fi
done
exit $status
