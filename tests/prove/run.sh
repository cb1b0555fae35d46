#!/bin/sh
# run.sh: Frama-C's Eva over each tests/prove/prove_NAME.c and the files of
# lib/protocol that it names, JOBS at a time. Every alarm, every warning and
# every function of those files that was not reached fails. Then each error of
# planted.tsv is put into a copy of its file, and must give an alarm. The logs
# stay in $BUILD/prove.
#
# What stands in a driver's first comment:
#   files: of lib/protocol        apart: functions whose results are kept apart
#   options: others for Eva
export LC_ALL=C
here=tests/prove
BUILD=${BUILD:-build}
out=$BUILD/prove

field() {
    awk -v name="$2" '
        /^#/ { exit }
        /^ \* [a-z]+: / { on = $2 == name ":"; sub(/^ \* [a-z]+:/, "") }
        on { gsub(/^ \*|\*\/$/, ""); print }' "$1"
}

# analyse NAME LOG [FILE COPY]: with COPY instead of FILE, up to the first alarm.
analyse() {
    driver=$here/prove_$1.c log=$2 file=$3 copy=$4
    set -- $(field "$driver" options)
    for function in $(field "$driver" apart); do
        set -- "$@" -eva-split-return-function "$function:full"
    done
    for name in $(field "$driver" files); do
        if [ "$name" = "$file" ]; then
            set -- "$@" -eva-stop-at-nth-alarm 1 "$copy"
        else
            set -- "$@" "lib/protocol/$name.c"
        fi
    done
    ulimit -t 400 # seconds of work, however busy the machine is
    timeout 3000 frama-c -machdep gcc_x86_64 \
        -cpp-extra-args="-std=c11 -Iinclude -Ilib -I$here -include $here/simple.h" \
        -kernel-warn-key annot:missing-spec=inactive \
        -eva -eva-no-show-progress -eva-msg-key=-initial-state,-final-states \
        -eva-slevel 100000 -eva-ilevel 256 -eva-alloc-builtin fresh -eva-no-alloc-returns-null \
        "$@" "$driver" $here/simple.c -then -metrics -metrics-eva-cover >"$log" 2>&1
}

part() {
    log=$out/$1.part
    begin=$(date +%s)
    analyse "$1" "$log" || echo "[run] Warning: frama-c has status $?" >>"$log"
    grep -q '^  0 alarms generated' "$log" || echo '[run] Warning: no end' >>"$log"
    grep -qE '^  main: ([0-9]+) stmts out of \1 ' "$log" ||
        echo '[run] Warning: the end of main is not reached' >>"$log"
    alarms=$(grep -cE '^\[[a-z:-]+\] .*Warning:' "$log")
    printf '%-24s %d alarms, %d s\n' "$1" "$alarms" $(($(date +%s) - begin))
    echo "$alarms" >"$out/$1.alarms"
    grep -E -A2 '^\[[a-z:-]+\] .*Warning:' "$log" | head -n 60
}

plant() {
    sed -n "$1p" $here/planted.tsv >"$out/row.$1"
    tab=$(printf '\t')
    while IFS=$tab read -r name file change; do
        mkdir -p "$out/planted.$1"
        copy=$out/planted.$1/$file.c
        sed "$change" "lib/protocol/$file.c" >"$copy"
        if cmp -s "$copy" "lib/protocol/$file.c"; then
            echo "planted $1: nothing in $file.c is changed by $change"
            continue
        fi
        analyse "$name" "$out/planted.$1.log" "$file" "$copy"
        alarm=$(grep -A1 -m1 '^\[eva:alarm\] .*Warning:' "$out/planted.$1.log" | tr -s '\n ' '  ')
        if [ -z "$alarm" ]; then
            echo "planted $1: NOT FOUND: $file.c with $change"
        else
            alarm=$(printf %s "$alarm" | sed 's/.*Warning: *//; s/ \[.*//')
            printf '%s\n' "planted in $file.c: $alarm"
            : >"$out/planted.$1.found"
        fi
    done <"$out/row.$1"
}

case $1 in
--part) part "$2" && exit ;;
--plant) plant "$2" && exit ;;
esac

rm -rf "$out"
mkdir -p "$out"
parts=$(ls $here/prove_*.c | sed 's|.*/prove_||; s|\.c$||')
planted=$(grep -c . $here/planted.tsv)
{
    for name in http_fields http_start; do echo "--part $name"; done # the longest
    for name in $parts; do
        case $name in http_*) ;; *) echo "--part $name" ;; esac
    done
    seq 1 "$planted" | sed 's/^/--plant /'
} | xargs -P "${JOBS:-2}" -L 1 sh "$0"

# Which functions were reached, by any driver, and how far at best.
cat lib/protocol/*.c | grep -oE '[ *][a-z_0-9]+\(' | tr -d ' *(' | sort -u >"$out/names"
cat "$out"/*.part | awk -v names="$out/names" '
    BEGIN { while ((getline name < names) > 0) ours[name] = 1 }
    function plain(name) { sub(/_[0-9]+$/, "", name); return name }
    /Defined functions/ { defined = 1 }
    /Specified-only/ { defined = 0 }
    defined {
        while (match($0, /[a-z_0-9]+ \([0-9]+ call/)) {
            name = plain(substr($0, RSTART, index(substr($0, RSTART), " ") - 1))
            if (name in ours) seen[name] = 1
            $0 = substr($0, RSTART + RLENGTH)
        }
    }
    / stmts out of / {
        name = plain(substr($1, 1, length($1) - 1))
        if ($2 > reached[name]) reached[name] = $2
        size[name] = $6
    }
    END {
        for (name in seen) {
            functions++
            if (!reached[name]) { print "NOT REACHED: " name; missing++ }
            some += reached[name]
            all += size[name]
        }
        printf "%d of %d functions reached, and %d of their %d statements\n",
            functions - missing, functions, some, all
        exit missing > 0 || functions == 0
    }'
reached=$?
alarms=$(cat "$out"/*.alarms | awk '{ n += $1 } END { print n + 0 }')
ran=$(cat "$out"/*.alarms | grep -c .)
found=$(ls "$out" | grep -c '\.found$')
echo "prove: $ran parts, $alarms alarms, $found of $planted planted errors found"
[ "$reached" = 0 ] && [ "$ran" = "$(echo "$parts" | wc -w)" ] && [ "$alarms" = 0 ] &&
    [ "$found" = "$planted" ] && [ "$planted" -gt 0 ]
