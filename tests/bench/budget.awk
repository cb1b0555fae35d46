# "NAME FIGURE" lines beside budget.tsv, which comes first: each that has a budget must be
# there, and not above it. exact=1: those of tests/bench/budget.c; else those of a frame.
BEGIN { FS = "[\t ]" }
FNR == NR {
    if ($1 == "compiler") of_frames = 1
    if ($2 ~ /^[0-9]+$/ && exact != of_frames) budget[$1] = $2
    next
}
$1 in budget && $2 ~ /^[0-9]+$/ {
    seen[$1] = 1
    if ($2 + 0 > budget[$1] + 0) {
        print $1 ": " $2 ", above its budget of " budget[$1]
        failed = 1
    } else if ($2 + 0 < budget[$1] + 0)
        print "hint: " $1 " is " $2 " now: lower its budget of " budget[$1]
    next
}
{ print "no budget, or no figure: " $0; failed = 1 }
END {
    for (name in budget)
        if (!(name in seen)) {
            print name ": was not measured"
            failed = 1
        }
    exit failed
}
