#!/bin/sh
# The functions that the public headers declare, one per line.
export LC_ALL=C
cat include/*.h | sed 's|//.*||' | tr '\n' ' ' |
    sed 's|/\*|\n&|g; s|\*/|\n|g' | sed '/^\/\*/d' |
    grep -oE '[^a-zA-Z0-9_]caws_[a-z0-9_]+ *\(' | grep -oE 'caws_[a-z0-9_]+' | sort -u
