#!/bin/sh
# The headers as C++11: a program that names every public function and type.
export LC_ALL=C
BUILD=${BUILD:-build}
CXX=${CXX:-g++}
source=tests/unit/test_cpp.cpp
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

if ! command -v "$CXX" >/dev/null; then
    echo "skipped: there is no C++ compiler"
    exit 77
fi
sh tests/functions.sh >"$tmp/names"
grep -hoE '(\} |typedef struct [a-z_]+ )caws_[a-z_]+;' include/*.h |
    grep -oE 'caws_[a-z_]+;' | tr -d ';' | sort -u >>"$tmp/names"
[ "$(wc -l <"$tmp/names")" -gt 80 ] || { echo "too few names in include/" && exit 1; }
status=0
for name in $(cat "$tmp/names"); do
    grep -qw "$name" $source || { echo "$source does not name $name" && status=1; }
done
$CXX -std=c++11 -Wall -Wextra -Wpedantic -Wshadow -Werror -Iinclude \
    -o "$tmp/test" $source "$BUILD/libcaws.a" && "$tmp/test" || status=1
exit $status
