#!/bin/sh
# merge.sh PROGRAMS NAME...: adds to the corpus in the repository what fuzzing has
# found (in PROGRAMS/corpus_NAME) and no file there reaches yet: edges alone, or, with
# COUNTERS=1, also how often each is taken. A file is named by its content.
programs=$1
shift
for name in "$@"; do
    new=$(mktemp -d)
    cp fuzz/corpus/"$name"/* "$new"
    "$programs/fuzz_$name" -set_cover_merge=1 -use_counters=${COUNTERS:-0} "$new" \
        "$programs/corpus_$name" 2>/dev/null
    for file in "$new"/*; do
        base=$(basename "$file")
        [ -e "fuzz/corpus/$name/$base" ] ||
            cp "$file" "fuzz/corpus/$name/$(cksum <"$file" | cut -d' ' -f1)"
    done
    rm -rf "$new"
    echo "$name: $(ls fuzz/corpus/"$name" | wc -l) files"
done
