#!/bin/sh
# What the documents show is true: C programs compile and link, fragments
# compile, the make targets exist, and README's first program is echo.c.
export LC_ALL=C
BUILD=${BUILD:-build}
CC=${CC:-cc}
MAKE=${MAKE:-make}
status=0
bad() {
    echo "$*"
    status=1
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

[ -f README.md ] || { echo "README.md is not there" && exit 1; }
# Each block becomes a file: README.md:17.c for one that starts at line 17.
for doc in README.md docs/*.md; do
    [ -f "$doc" ] || continue
    awk -v base="$tmp/$(echo "$doc" | tr / .)" '
        /^```/ && out { close(out); out = ""; next }
        /^```(c|sh)$/ { out = base ":" FNR "." substr($0, 4); printf "" >out; next }
        /^```/ { out = "/dev/null"; next }
        out { print >out }' "$doc"
done

first=$(ls -v "$tmp"/README.md:*.c 2>/dev/null | head -n 1)
if [ -z "$first" ]; then
    bad "README.md shows no C program"
elif ! diff "$first" examples/echo.c; then
    bad "README.md's first program is not examples/echo.c"
fi

for block in "$tmp"/*.c; do
    [ -f "$block" ] || continue
    name=$(basename "$block" .c)
    if grep -q 'int main' "$block"; then
        $CC -std=c11 -D_GNU_SOURCE -Iinclude -Wall -Werror -o "$tmp/program" "$block" \
            "$BUILD/libcaws.a" || bad "$name: the program does not compile"
    else
        { printf '#include <%s.h>\n' caws caws_net stdio stdlib string unistd
          printf '#line 1 "%s"\n' "$name"
          cat "$block"; } >"$tmp/fragment"
        $CC -std=c11 -D_GNU_SOURCE -Iinclude -Wall -Werror -Wno-unused -fsyntax-only \
            -x c "$tmp/fragment" || bad "$name: the fragment does not compile"
    fi
done

for block in "$tmp"/*.sh; do
    [ -f "$block" ] || continue
    for target in $(sed -n 's/^\(\$ \)\{0,1\}\(sudo \)\{0,1\}make\( \|$\)/ /p' "$block" |
        sed 's/[#&|;].*//' | tr ' ' '\n' | grep -vE '^-|=|^$' | sort -u); do
        $MAKE -n "$target" >/dev/null 2>&1 ||
            bad "$(basename "$block" .sh): there is no make target $target"
    done
    for program in $(grep -oE '(\./)?build/examples/[a-z_]+' "$block" | sort -u); do
        [ -f "examples/$(basename "$program").c" ] ||
            bad "$(basename "$block" .sh): there is no $program"
    done
done
exit $status
