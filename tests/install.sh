#!/bin/sh
# An installed caws is found with nothing but pkg-config, shared and static,
# and leaves nothing behind.
export LC_ALL=C
CC=${CC:-cc}
MAKE=${MAKE:-make}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() {
    echo "$*"
    exit 1
}

if ! command -v pkg-config >/dev/null; then
    echo "skipped: there is no pkg-config"
    exit 77
fi
prefix=$tmp/prefix
$MAKE -s install PREFIX="$prefix" DESTDIR= LIBDIR="$prefix/lib" || fail "make install failed"
$MAKE -s install PREFIX="$prefix" DESTDIR="$tmp/stage" LIBDIR="$prefix/lib64" ||
    fail "make install with DESTDIR failed"
(cd "$prefix" && find . ! -type d | sort) >"$tmp/installed"
(cd "$tmp/stage$prefix" && find . ! -type d | sed 's|^./lib64|./lib|' | sort) >"$tmp/staged"
diff "$tmp/installed" "$tmp/staged" || fail "DESTDIR and LIBDIR change what is installed"
grep -q "$tmp/stage" "$tmp/stage$prefix/lib64/pkgconfig/caws.pc" && fail "caws.pc names DESTDIR"
grep -q "^libdir=$prefix/lib64$" "$tmp/stage$prefix/lib64/pkgconfig/caws.pc" ||
    fail "caws.pc ignores LIBDIR"

mkdir "$tmp/outside"
cat >"$tmp/outside/main.c" <<'END'
#include <caws_net.h>
#include <string.h>
int main(void)
{
    char key[29];
    caws_loop *loop = caws_loop_new(NULL);
    caws_loop_free(loop);
    /* The example of RFC 6455 section 1.3. */
    return loop == NULL || caws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", 24, key) != 0 ||
        strcmp(key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != 0 ||
        strcmp(caws_version(), CAWS_VERSION) != 0;
}
END
cd "$tmp/outside" || exit 1
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
[ "$(pkg-config --modversion caws)" = \
    "$(sed -n 's/^#define CAWS_VERSION "\(.*\)"/\1/p' "$prefix/include/caws.h")" ] ||
    fail "caws.pc and caws.h disagree on the version"
$CC -o shared main.c $(pkg-config --cflags --libs caws) || fail "does not link the shared library"
LD_LIBRARY_PATH=$prefix/lib ./shared || fail "the shared program fails"
LD_LIBRARY_PATH=$prefix/lib ldd ./shared | grep -q "libcaws\.so\.[0-9]* => $prefix/lib/" ||
    fail "the program does not name libcaws by its soname"
$CC -static -o static main.c $(pkg-config --static --cflags --libs caws) ||
    fail "does not link the static library"
./static || fail "the static program fails"
cd "$OLDPWD" || exit 1

$MAKE -s uninstall PREFIX="$prefix" DESTDIR= LIBDIR="$prefix/lib" || fail "make uninstall failed"
$MAKE -s uninstall PREFIX="$prefix" DESTDIR="$tmp/stage" LIBDIR="$prefix/lib64" ||
    fail "make uninstall with DESTDIR failed"
left=$(find "$prefix" "$tmp/stage" ! -type d)
[ -z "$left" ] || fail "left behind: $left"
