#!/bin/sh
# The house rules that can be measured.
export LC_ALL=C
CC=${CC:-cc}
status=0
bad() {
    echo "$*"
    status=1
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Everything that is, or could be, committed; where there is no git, all files
# but what make and the package managers put there.
{ git ls-files -co --exclude-standard 2>/dev/null || find . -type f \
    -not -path './.git/*' -not -path './build*/*' -not -path '*/node_modules/*' \
    -not -path '*/__pycache__/*'; } | sed 's|^\./||' | sort >"$tmp/tracked"
while read -r file; do
    [ -f "$file" ] && echo "$file"
done <"$tmp/tracked" >"$tmp/files"
lib=$(find lib include -name '*.[ch]' | sort)
[ -s "$tmp/files" ] && [ -n "$lib" ] || bad "no files found"

# Sizes. A definition is measured from the first line of its head to the brace
# in column 0. The framing rules are one exhaustive switch, and may be longer.
MAY_REACH_80=frame_check_first
awk -v long=$MAY_REACH_80 '
    FNR == 1 { head = 0; inside = 0; name = "" }
    FNR == 351 && FILENAME ~ /^lib/ { print FILENAME ": more than 350 lines" }
    inside && /^}/ {
        n = FNR - head + 1
        if (n > (name == long ? 80 : 60))
            print FILENAME ": " name " has " n " lines"
        of_length[n]++
        functions++
        inside = head = 0
        next
    }
    inside { next }
    /^{/ { inside = 1; next }
    /^[a-zA-Z]/ && !head { head = FNR; name = "" }
    head && name == "" && match($0, /[a-z_0-9]+\(/) {
        name = substr($0, RSTART, RLENGTH - 1)
    }
    /[;}]$/ || /^$/ || /^#/ { head = 0 }
    END {
        for (n = 1; 2 * sum < functions; n++) sum += of_length[n]
        if (n - 1 > 12 || !functions) print "the median function has " n - 1 " lines, of 12"
    }
' $lib >"$tmp/bad"

# Columns: 80 in lib and include, 100 elsewhere; an UTF-8 character is one.
while read -r file; do
    case $file in
    lib/*.[ch] | include/*) max=80 ;;
    *.c | *.h | *.cpp | *.sh | *.js | *.py | *.awk | *.html | *.mk | Makefile | .ci/run) max=100 ;;
    *) continue ;;
    esac
    awk -v max=$max -v file="$file" '
        { gsub(/[\200-\277]/, "") }
        length($0) > max { print file ":" FNR ": more than " max " columns" }
        /[ \t]$/ { print file ":" FNR ": a blank at the end" }
        /\t/ && file ~ /\.(c|h|cpp)$/ { print file ":" FNR ": a tab" }
    ' "$file"
done <"$tmp/files" >>"$tmp/bad"

# The examples: short, and one statement a line.
while read -r file max; do
    [ -f "examples/$file" ] || { echo "examples/$file is not there" && continue; }
    n=$(wc -l <"examples/$file")
    [ "$n" -le "$max" ] || echo "examples/$file: $n lines, of $max"
done >>"$tmp/bad" <<END
echo.c 20
echo_server.c 60
broadcast_server.c 60
client.c 60
durable_client.c 60
chat.c 60
foreign_loop.c 60
threads.c 60
http_upgrade.c 60
stream.c 60
json.c 60
END
for file in examples/*.c; do
    sed 's@"\([^"\\]\|\\.\)*"@@g; s@/\*.*\*/@@; s@for (.*;.*;@for (@' "$file" |
        awk -v file="$file" 'gsub(/;/, "") > 1 {
            print file ":" FNR ": more than one statement" }'
done >>"$tmp/bad"

# Words that have no place here. (The brackets keep this file from matching.)
while read -r file; do
    case $file in tests/spec/*) continue ;; esac
    grep -InE '(^|[^A-Za-z0-9._-])/([w]ork|[r]oot|[h]ome)/|"[r]esolved"' "$file" |
        sed "s|^|$file: an address of one machine: |"
    grep -InE '[r]egistry\.[a-z]+\.|[n]pmjs\.(com|org)|[p]ypi\.org|[d]eb\.debian\.org' "$file" |
        sed "s|^|$file: a package registry: |"
    grep -InwE '[T]ODO|[F]IXME' "$file" | sed "s|^|$file: unfinished: |"
done <"$tmp/files" >>"$tmp/bad"
grep -nE '# *define +_(GNU|POSIX_C|XOPEN|DEFAULT|BSD)_SOURCE' $lib |
    sed 's/$/: a feature macro/' >>"$tmp/bad"
grep -nE 'typedef [a-z_0-9 ]+\*+ *[a-z_0-9]+;' $lib | sed 's/$/: a pointer typedef/' >>"$tmp/bad"

# Every file compiles alone, without a warning, and so without a VLA.
for file in $lib; do
    case $file in
    *.h) echo "#include \"$PWD/$file\"" >"$tmp/one.c" && set -- "$tmp/one.c" ;;
    *) set -- "$file" ;;
    esac
    $CC -std=c11 -D_GNU_SOURCE -Iinclude -Ilib -Wall -Wextra -Wpedantic -Wconversion \
        -Wshadow -Wvla -Werror -fsyntax-only "$1" 2>&1
done >>"$tmp/bad"

[ ! -s "$tmp/bad" ] || status=1
cat "$tmp/bad"
exit $status
