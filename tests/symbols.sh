#!/bin/sh
# What the libraries export, keep and need, read from their symbol tables.
export LC_ALL=C
BUILD=${BUILD:-build}
CC=${CC:-cc}
status=0
bad() {
    echo "$*"
    status=1
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The shared library exports the functions of the public headers, no less and
# no more.
sh tests/functions.sh >"$tmp/declared"
nm -D --defined-only "$BUILD/libcaws.so" | awk '{ sub(/@.*/, "", $3); print $3 }' |
    sort >"$tmp/exported"
[ -s "$tmp/declared" ] || bad "no declarations found in include/"
for name in $(comm -23 "$tmp/declared" "$tmp/exported"); do
    bad "declared, but not exported: $name"
done
for name in $(comm -13 "$tmp/declared" "$tmp/exported"); do
    bad "exported, but not declared: $name"
done

# The static library's global names begin with caws_ too.
for name in $(nm -g --defined-only "$BUILD/libcaws.a" | awk 'NF == 3 { print $3 }' |
    grep -v '^caws_'); do
    bad "a global name without caws_: $name"
done

# No writable globals, but one word for the CPU's features. (.data.rel.ro is
# constant once it is loaded.)
nm --format=sysv "$BUILD/libcaws.a" | tr -d ' ' | awk -F'|' '
    NF >= 7 && ($7 ~ /^\.t?(data|bss)/ || $7 ~ /COM/) && $7 !~ /^\.data\.rel\.ro/ &&
    $4 != "SECTION" { print $1, $5 }' >"$tmp/writable"
if [ "$(grep -c '^caws__cpu[a-z_]* 0*[48]$' "$tmp/writable")" = 1 ]; then
    grep -v '^caws__cpu' "$tmp/writable" >"$tmp/rest"
    mv "$tmp/rest" "$tmp/writable"
fi
[ ! -s "$tmp/writable" ] || bad "writable globals: $(cut -d' ' -f1 "$tmp/writable" | tr '\n' ' ')"

# Without assertions lib/protocol needs memory, strings and the compiler's own
# support routines.
for file in $(grep '^protocol/.*\.c$' lib/ORDER); do
    $CC -std=c11 -D_GNU_SOURCE -U_FORTIFY_SOURCE -DNDEBUG -O2 -fPIC -Iinclude -Ilib \
        -c -o "$tmp/$(basename "$file" .c).o" "lib/$file" || bad "lib/$file does not compile"
done
nm -g --defined-only "$tmp"/*.o | awk 'NF == 3 { print $3 }' | sort -u >"$tmp/defined"
nm -u "$tmp"/*.o | awk '$1 == "U" || $1 == "w" { print $2 }' | sort -u |
    comm -23 - "$tmp/defined" |
    grep -vxE 'mem[a-z]+|str[a-z]+|malloc|calloc|realloc|free' |
    grep -vxE '__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__cpu_model|__cpu_indicator_init' |
    grep -vxE '__aarch64_[a-z0-9_]+' >"$tmp/needed"
[ -s "$tmp/defined" ] || bad "lib/protocol defines nothing"
[ ! -s "$tmp/needed" ] || bad "lib/protocol needs: $(tr '\n' ' ' <"$tmp/needed")"

# The default build links libc alone.
for name in $(ldd "$BUILD/libcaws.so" | awk '{ print $1 }' |
    grep -vE '(^|/)(libc\.so\.6|ld-linux[^/]*|linux-(vdso|gate)\.so\.1)$' |
    grep -vE '^(libc\.musl-.*|/lib/ld-musl-.*)$'); do
    bad "libcaws.so needs $name"
done
exit $status
