#!/bin/sh
# docs/FROM-WS.md has a row for every name in ws-names.tsv (kind, name: the kind is the heading, the
# name the first cell) and for no other; and each caws name that it mentions is in the headers.
export LC_ALL=C
doc=docs/FROM-WS.md
names=tests/spec/ws-names.tsv
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

awk -F'\t' -v doc=$doc '
    function bad(text) { print text; failed = 1 }
    FILENAME != doc && FNR == 1 { next }
    FILENAME != doc {
        if (NF != 2 || ($1, $2) in named) bad(FILENAME ":" FNR ": not one kind and a new name")
        kinds[$1] = named[$1, $2] = 1
        next
    }
    /^## / { kind = substr($0, 4) }
    /^\| `/ && kind in kinds {
        rows++
        n = split($0, cell, "|")
        for (i = 1; i <= n; i++) gsub(/^ +| +$/, "", cell[i])
        if (n != 5 || cell[3] == "") bad(doc ":" FNR ": not three cells, or the second is empty")
        if (cell[3] == "none" && cell[4] == "") bad(doc ":" FNR ": none, and no reason")
        name = cell[2]
        gsub(/`/, "", name)
        if (!((kind, name) in named)) bad(doc ":" FNR ": " kind " have no " name)
        seen[kind, name]++
    }
    END {
        for (key in named)
            if (seen[key] != 1) {
                split(key, part, SUBSEP)
                bad(part[1] ": " seen[key] + 0 " rows for " part[2])
            }
        if (!rows) bad(doc ": no rows found")
        exit failed
    }' $names $doc || touch "$tmp/failed"

# Names of caws: whatever starts so, and in tables also fields, which are all_in_lower_case.
cat include/*.h | grep -owE '[a-zA-Z_][a-zA-Z0-9_]*' | sort -u >"$tmp/known"
{
    grep -oiwE 'caws_[a-z0-9_]+' $doc
    awk -F'|' '/^```/ { code = !code } !code' $doc | grep -oE '`[^`]+`' |
        grep -owE '[a-z]+(_[a-z0-9]+)+'
    sed -n 's/^| `[^|]*| \([^|]*`[^|]*\) |.*/\1/p' $doc | grep -oE '`[^`]+`' |
        grep -oE '[a-zA-Z_][a-zA-Z0-9_]*' | grep -vxE 'req|event|ws'
} | sort -u >"$tmp/said"
[ "$(wc -l <"$tmp/said")" -gt 50 ] || echo "$doc: no names of caws found" >>"$tmp/unknown"
grep -vxFf "$tmp/known" "$tmp/said" | grep -v '^caws_net$' | sed "s|^|$doc: not in the headers: |" \
    >>"$tmp/unknown"
cat "$tmp/unknown"
[ ! -s "$tmp/unknown" ] && [ ! -e "$tmp/failed" ]
