#!/bin/sh
# No function of lib takes more than 1024 bytes of the stack, and none an amount
# that depends on its input, but those that are named below: buffers of a fixed
# size, for one system call each. And none comes to call itself, but through a
# pointer, so that no input says how deep the stack gets (which GCC can show).
# /* REQ CRASH-5, CRASH-9 */
CC=${CC:-cc}
status=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

bound() {
    case $1 in
    lib/protocol/enqueue.c) echo 1280 ;; # 64 slices, as caws.h promises, and two
    lib/net/loop.c) echo 4608 ;;         # 256 events
    lib/net/poller_epoll.c) echo 3584 ;; # 256 events of the kernel's
    lib/net/way.c) echo 2560 ;;          # 16 addresses
    lib/net/tunnel.c) echo 2304 ;;       # what a proxy answers
    lib/net/flush.c) echo 2304 ;;        # 64 slices, twice where all is one function
    *) echo 1024 ;;
    esac
}

# GCC counts everything, Clang all but the saved registers.
option=-Wstack-usage
echo 'int x;' | $CC -x c -Werror -Wstack-usage=1024 -c -o /dev/null - 2>/dev/null ||
    option=-Wframe-larger-than
for file in lib/protocol/*.c lib/net/*.c; do
    $CC -std=c11 -D_GNU_SOURCE -Iinclude -Ilib -O2 -Wvla -Walloca -Werror \
        $option="$(bound "$file")" -c -o "$tmp/object.o" "$file" || status=1
done

if ! echo 'int x;' | $CC -x c -fcallgraph-info -c -o "$tmp/x.o" - 2>/dev/null; then
    echo "skipped: who calls whom, which GCC can show"
    exit $status
fi
for file in lib/protocol/*.c lib/net/*.c; do
    $CC -std=c11 -D_GNU_SOURCE -Iinclude -Ilib -O0 -fcallgraph-info -c \
        -o "$tmp/$(echo "$file" | tr / _).o" "$file" || status=1
done
cat "$tmp"/lib_*.ci |
    sed -n 's/^edge: { sourcename: "\([^"]*\)" targetname: "\([^"]*\)".*/\1 \2/p' |
    grep -v __indirect_call >"$tmp/calls"
[ "$(wc -l <"$tmp/calls")" -gt 1000 ] || { echo "too few calls were found"; status=1; }
tsort "$tmp/calls" >/dev/null || status=1 # it names the loop
! awk '$1 == $2' "$tmp/calls" | grep . || status=1
exit $status
