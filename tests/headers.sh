#!/bin/sh
# Each function, field and constant of the public headers is named by a test
# (test_cpp.cpp, which names all to see that they compile, does not count), and
# each default of a field is shown by one, which says so: / * DEFAULT field * /.
export LC_ALL=C
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

find tests -name '*.c' | sort | xargs cat >"$tmp/tests"
[ -s "$tmp/tests" ] || { echo "no tests found" && exit 1; }
grep -oE 'DEFAULT [a-z_]+' "$tmp/tests" | sort -u >"$tmp/shown"
grep -oE '[A-Za-z_][A-Za-z_0-9]*' "$tmp/tests" | sort -u >"$tmp/words"
# A field is named after a dot or an arrow.
grep -oE '(\.|->)[a-z_0-9]+' "$tmp/tests" | sed 's/^[.>-]*//' | sort -u >"$tmp/members"

# Fields, from the bodies of structs: what stands before ; or , or )( there.
cat include/*.h | awk '
    /^(typedef )?struct [a-z_]+ \{/ { inside = 1 }
    inside { print }
    /^\}/ || /^typedef struct .*\}/ { inside = 0 }' | tr '\n' ' ' |
    sed 's|/\*|\n&|g; s|\*/|\n|g' | sed '/^\/\*/d' | tr '\n' ' ' |
    sed 's/struct [a-z_]* {//g; s/)([^;]*;/;/g; s/\[[^]]*\]//g; s/}[^;]*;//g' |
    grep -oE '[a-z_0-9]+ *[,;]' | grep -oE '[a-z_0-9]+' | grep -v '_$' | sort -u >"$tmp/fields"
sh tests/functions.sh >"$tmp/functions"
grep -ohE '\bCAWS_[A-Z0-9_]+' include/*.h | grep -vE '^CAWS_(NET_)?H$' | sort -u >"$tmp/constants"

# Defaults: a field whose comment has a number in brackets.
awk '
    match($0, /[a-z_0-9]+; +\/\*/) {
        field = substr($0, RSTART, RLENGTH)
        sub(/;.*/, "", field)
    }
    /\([0-9]+( [KM]iB| s)?\)/ && field != "" { print field; field = "" }' include/*.h |
    sort -u >"$tmp/defaults"

for kind in functions fields constants defaults; do
    [ -s "$tmp/$kind" ] || { echo "no $kind found in the headers" && status=1; }
done
comm -23 "$tmp/functions" "$tmp/words" | sed 's/$/: a function without a test/' >"$tmp/bad"
comm -23 "$tmp/fields" "$tmp/members" | sed 's/$/: a field without a test/' >>"$tmp/bad"
comm -23 "$tmp/constants" "$tmp/words" | sed 's/$/: a constant without a test/' >>"$tmp/bad"
sed 's/^/DEFAULT /' "$tmp/defaults" | sort | comm -23 - "$tmp/shown" |
    sed 's/$/: not shown by a test/' >>"$tmp/bad"
[ ! -s "$tmp/bad" ] || status=1
cat "$tmp/bad"
[ -z "$V" ] || wc -l "$tmp/functions" "$tmp/fields" "$tmp/constants" "$tmp/defaults"
exit $status
