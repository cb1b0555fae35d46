#!/bin/sh
# caws.c and the headers are all that a program needs: no other file, no flag.
export LC_ALL=C
BUILD=${BUILD:-build}
CC=${CC:-cc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

cp "$BUILD/caws.c" "$BUILD/caws.h" "$BUILD/caws_net.h" "$tmp" || exit 1
cat >"$tmp/main.c" <<'END'
#include "caws_net.h"
int main(void)
{
    caws_loop *loop = caws_loop_new(NULL);
    caws_loop_free(loop);
    return loop == NULL || caws_version()[0] == 0;
}
END
cd "$tmp" || exit 1
grep -n '^# *include *"' caws.c | grep -v '"caws[a-z_]*\.h"' && status=1
$CC -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Werror -c caws.c || exit 1
$CC -o main main.c caws.o && ./main || status=1
exit $status
