#!/bin/sh
# lib/ORDER is the order of dependency: it lists every file of lib/, a file
# includes only headers that stand above it, and lib/net none of lib/protocol.
export LC_ALL=C
status=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

grep -v '^#' lib/ORDER | grep . >"$tmp/order"
(cd lib && find . -name '*.[ch]' | sed 's|^\./||') | sort >"$tmp/files"
sort "$tmp/order" | uniq -d | sed 's/$/ is listed twice/' >"$tmp/bad"
sort -u "$tmp/order" >"$tmp/listed"
comm -23 "$tmp/listed" "$tmp/files" | sed 's/$/ is in lib\/ORDER, but not in lib/' >>"$tmp/bad"
comm -13 "$tmp/listed" "$tmp/files" | sed 's/$/ is in lib, but not in lib\/ORDER/' >>"$tmp/bad"

: >"$tmp/above"
while read -r file; do
    [ -f "lib/$file" ] || continue
    sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "lib/$file" | while read -r header; do
        # Named from lib/ ("net/sys.h") or from the file's own folder.
        case $header in
        */*) ;;
        *) header=${file%/*}/$header ;;
        esac
        grep -qx "$header" "$tmp/above" ||
            echo "lib/$file includes $header, which does not stand above it"
        case $file:$header in
        net/*:protocol/*) echo "lib/$file includes $header: net knows <caws.h> alone" ;;
        esac
    done
    sed -n 's/^ *# *include *<\(caws[^>]*\)>.*/\1/p' "lib/$file" | while read -r header; do
        case $file:$header in
        protocol/*:caws_net.h) echo "lib/$file includes <$header>, of the floor above" ;;
        esac
        [ -f "include/$header" ] || echo "lib/$file includes <$header>, which is not there"
    done
    echo "$file" >>"$tmp/above"
done <"$tmp/order" >>"$tmp/bad"

[ -s "$tmp/order" ] || echo "lib/ORDER is empty" >>"$tmp/bad"
[ ! -s "$tmp/bad" ] || status=1
cat "$tmp/bad"
exit $status
