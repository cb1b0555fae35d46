# The annotated sources of "llvm-cov show" become a table, and a list of what
# is missing. An inline function of a header is in many objects: what any of
# them reached counts. An assert states what cannot be otherwise, so what it asks
# is no branch that a test could take. There are no other exceptions.

function percent(hit, all) { return sprintf("%.2f", int(10000 * hit / all) / 100) }
function add(kind, good) { all[file, kind]++; if (good) hit[file, kind]++ }
function miss(line, text) {
    missing[++misses] = file ":" line ": " text ": " source[file, line]
}

/^\/.*:$/ {
    file = $0
    sub(/:$/, "", file)
    sub(/^.*\/lib\//, "lib/", file)
    ours = file ~ /^lib\/(protocol|net)\//
    if (ours) files[++count] = file
    next
}
!ours { next }

# "   12|  1.2k|    source"
match($0, /^ *[0-9]+\|/) {
    line = $0 + 0
    text = substr($0, RLENGTH + 1)
    runs = substr(text, 1, index(text, "|") - 1)
    text = substr(text, index(text, "|") + 1)
    sub(/^ +/, "", text)
    source[file, line] = text
    gsub(/\/\*.*\*\/|"([^"\\]|\\.)*"/, "", text)
    operators[file, line] = text ~ /^(\* |\/\*|#|assert\()/ ? 0 : gsub(/&&|\|\|/, "", text)
    last[file] = line
    if (runs ~ /[0-9]/) {
        add("lines", runs !~ /^ *0$/)
        if (runs ~ /^ *0$/) miss(line, "never runs")
    }
    next
}

# "  |  Branch (12:9): [True: 1, False: 0]", once for each object
/\|  Branch \(/ {
    split($0, part, /[(:)]+/)
    if (source[file, part[2] + 0] ~ /^assert\(/) next
    place = file SUBSEP part[2] SUBSEP part[3]
    if (!(place in branch)) branches[file] = branches[file] " " part[2] ":" part[3]
    branch[place] = 1
    if ($0 !~ /True: 0,/) yes[place] = 1
    if ($0 !~ /False: 0\]/) no[place] = 1
    next
}

# "  |---> MC/DC Decision Region (12:9) to (13:30)"
/\|---> MC\/DC Decision Region/ {
    split($0, part, /[(:)]+/)
    decision = part[2] ":" part[3]
    again = (file, decision) in decisions || source[file, part[2] + 0] ~ /^assert\(/
    decisions[file, decision] = 1
    for (i = part[2] + 0; i <= part[5] + 0; i++) decided[file, i] = 1
    next
}
/\|     Condition C[0-9]+ -->/ {
    split($0, part, /[(:)]+/)
    if (!again) conditions[file] = conditions[file] " " decision "/" $3 ":" part[2] ":" part[3]
    if (!again && $3 != "C1") measured[file]++
    next
}
/\|  C[0-9]+-Pair:/ {
    if ($3 == "covered:") alone[file, decision "/" substr($2, 1, index($2, "-") - 1)] = 1
    next
}

function tally_branches(    i, n, list, part, place) {
    n = split(branches[file], list, " ")
    for (i = 1; i <= n; i++) {
        split(list[i], part, ":")
        place = file SUBSEP part[1] SUBSEP part[2]
        add("branches", place in yes)
        add("branches", place in no)
        if (!(place in yes)) miss(part[1], "column " part[2] " is never true")
        if (!(place in no)) miss(part[1], "column " part[2] " is never false")
    }
}

function tally_conditions(    i, n, list, part, good) {
    n = split(conditions[file], list, " ")
    for (i = 1; i <= n; i++) {
        split(list[i], part, /[:\/]/)
        good = (file, part[1] ":" part[2] "/" part[3]) in alone
        add("mcdc", good)
        if (!good) miss(part[4], "column " part[5] " never decides alone")
    }
}

# The compiler leaves out decisions that it cannot measure, some of them without
# a word: so each && and || must be in one that it did.
function tally_unmeasured(    i, n) {
    for (i = 1; i <= last[file]; i++) {
        n += operators[file, i]
        if (operators[file, i] && !((file, i) in decided)) {
            add("mcdc", 0)
            miss(i, "a decision that the compiler does not measure")
        }
    }
    if (n != measured[file] + 0) {
        add("mcdc", 0)
        miss(0, n " of && and ||, of which " measured[file] + 0 " are measured")
    }
}

function figures(name,    k, text) {
    for (k = 1; k <= 3; k++) {
        text = all[name, kind[k]] ? percent(hit[name, kind[k]], all[name, kind[k]]) : "-"
        if (all[name, kind[k]])
            text = hit[name, kind[k]] + 0 "/" all[name, kind[k]] "  " text
        printf " %17s", text
    }
    print ""
}

END {
    split("lines branches mcdc", kind, " ")
    printf "%-33s %17s %17s %17s\n", "", "lines       %", "branches       %", "mcdc       %"
    for (f = 1; f <= count; f++) {
        file = files[f]
        tally_branches()
        tally_conditions()
        tally_unmeasured()
        folder = file ~ /^lib\/net/ ? "lib/net" : "lib/protocol"
        for (k = 1; k <= 3; k++) {
            hit[folder, kind[k]] += hit[file, kind[k]]
            all[folder, kind[k]] += all[file, kind[k]]
        }
        printf "%-33s", file
        figures(file)
    }
    printf "%-33s", "lib/protocol"
    figures("lib/protocol")
    printf "%-33s", "lib/net"
    figures("lib/net")

    print ""
    fflush()
    for (i = 1; i <= misses; i++) print missing[i] | "sort -t: -k1,1 -k2,2n"
    close("sort -t: -k1,1 -k2,2n")
    if (misses) print ""
    split("lib/protocol lib/net", folders, " ")
    for (i = 1; i <= 2; i++) {
        text = "coverage " folders[i] ":"
        for (k = 1; k <= 3; k++) {
            h = hit[folders[i], kind[k]] + 0
            a = all[folders[i], kind[k]] + 0
            if (!a || (i == 1 && h < a) || (k == 1 && 100 * h < 95 * a)) failed = 1
            p = a ? percent(h, a) : 0
            sub(/\.?0+$/, "", p)
            text = text " " kind[k] " " p "%"
        }
        print text
    }
    exit failed
}
