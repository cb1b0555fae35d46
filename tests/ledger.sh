#!/bin/sh
# Every requirement of the tables in tests/spec is shown by a test, which cites
# its id, or is excused in EXCEPTIONS.tsv with a reason. An id of rfc7692.tsv
# is cited as 7692/ID, because RFC 6455 has sections of the same numbers.
export LC_ALL=C
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
spec=tests/spec

for table in rfc6455 http-upgrade websocket-api attacks rfc7692; do
    kind=required
    prefix=
    case $table in
    rfc7692) kind=optional prefix=7692/ ;;
    esac
    [ -s $spec/$table.tsv ] || echo "$spec/$table.tsv is missing or empty" >&2
    awk -F'\t' -v kind=$kind -v prefix=$prefix \
        'FNR > 1 && $1 != "" { print kind, prefix $1 }' $spec/$table.tsv
done >"$tmp/ids"

# Citations: FILE:LINE:TEXT of every comment that starts like one.
find tests \( -name '*.c' -o -name '*.js' -o -name '*.py' -o -name '*.html' \
    -o -name '*.cpp' -o -name '*.sh' \) -not -path '*/node_modules/*' |
    sort | xargs grep -nE '/\* *[R]EQ' >"$tmp/citations"

awk -v exceptions=$spec/EXCEPTIONS.tsv '
    function bad(text) { print text; failed = 1 }
    FILENAME == ARGV[1] {
        if ($2 in kind) bad("an id of two rows: " $2)
        kind[$2] = $1
        order[++count] = $2
        next
    }
    {
        match($0, /^[^:]*:[0-9]+:/)
        place = substr($0, 1, RLENGTH - 1)
        text = substr($0, RLENGTH + 1)
        if (place ~ /\.c:/ && text !~ /^ /) bad(place ": a citation outside a function")
        while (match(text, /\/\* *[R]EQ/)) {
            text = substr(text, RSTART)
            if (!match(text, /^\/\* [R]EQ [^ ,*]+(, [^ ,*]+)* \*\//)) {
                bad(place ": not of the form REQ id, id")
                break
            }
            n = split(substr(text, 8, RLENGTH - 10), cited, ", ")
            text = substr(text, RLENGTH + 1)
            if (n > 4) bad(place ": " n " ids in one comment, of 4")
            for (i = 1; i <= n; i++) {
                if (cited[i] in kind) seen[cited[i]] = 1
                else bad(place ": there is no requirement " cited[i])
            }
        }
    }
    END {
        while ((getline line < exceptions) > 0) {
            rows++
            gsub(/\r/, "", line)
            if (rows == 1 || line == "") continue
            n = split(line, field, "\t")
            id = field[1]
            if (!(id in kind)) bad("EXCEPTIONS.tsv: there is no requirement " id)
            if (n < 2 || field[2] !~ /[a-zA-Z]/) bad("EXCEPTIONS.tsv: no reason for " id)
            if (id in excused) bad("EXCEPTIONS.tsv: twice: " id)
            if (id in seen) bad("EXCEPTIONS.tsv: but a test cites " id)
            excused[id] = 1
        }
        if (!rows) bad(exceptions " is missing or empty")
        for (i = 1; i <= count; i++) {
            id = order[i]
            if (kind[id] != "required") continue
            required++
            if (id in seen) shown++
            else if (!(id in excused)) {
                bad("no test cites " id)
                missing++
            }
        }
        if (!required) bad("no requirements found")
        printf "%d requirements: %d shown by tests, %d excused, %d neither\n",
            required, shown, required - shown - missing, missing
        exit failed
    }' "$tmp/ids" "$tmp/citations"
