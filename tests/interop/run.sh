#!/bin/sh
# Real peers against both example servers: node's ws, Python's websockets, headless Chromium; and
# cawscat against the first two.
# A line per peer, then "N passed, N failed". What is missing is installed where that is allowed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
BUILD=${BUILD:-build}
case $BUILD in
/*) ;;
*) BUILD=$PWD/$BUILD ;;
esac
out=$BUILD/interop
passed=0
failed=0
servers=
mkdir -p "$out"
trap 'stop' EXIT
trap 'exit 130' INT TERM

stop() {
    for pid in $servers; do
        kill "$pid" 2>/dev/null
    done
    servers=
}

# need TEST PACKAGE...: does the command TEST succeed, if need be after an installation?
need() {
    check=$1
    shift
    sh -c "$check" >/dev/null 2>&1 && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        { apt-get update && apt-get install -y --no-install-recommends "$@"; } >"$out/apt.log" 2>&1
    fi
    sh -c "$check" >/dev/null 2>&1
}

# start NAME: sets port and pid of an example on any free port
start() {
    "$BUILD/examples/$1" --port 0 >"$out/$1.out" 2>"$out/$1.err" &
    pid=$!
    servers="$servers $pid"
    tries=0
    port=
    until [ -n "$port" ]; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ] || ! kill -0 "$pid" 2>/dev/null; then
            echo "$1 does not start: $(cat "$out/$1.err")" >&2
            exit 1
        fi
        sleep 0.05
        port=$(sed -n '1s|^listening on ws://.*:\([0-9]*\)/$|\1|p' "$out/$1.out")
    done
}

count() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
}

# peer NAME COMMAND...: the last line tells
peer() {
    name=$1
    shift
    timeout 100 "$@" 2>"$out/peer.err"
    status=$?
    if [ $status != 0 ]; then
        [ $status = 124 ] && echo "$name: FAILED, too slow"
        head -n 20 "$out/peer.err" >&2
    fi
    count $status
}

missing() {
    echo "$1: FAILED, it could not be had here"
    count 1
}

# Exactly what the lock file says, once.
install_ws() {
    cmp -s "$here/package-lock.json" "$out/installed.json" && return
    cp "$here/package.json" "$here/package-lock.json" "$out/" &&
        (cd "$out" && npm ci --no-audit --no-fund --ignore-scripts) >"$out/npm.log" 2>&1 &&
        cp "$here/package-lock.json" "$out/installed.json"
}

start echo_server
export BUILD ECHO="$port"
echo_pid=$pid
start broadcast_server
export BROADCAST="$port"
broadcast_pid=$pid
export NODE_PATH="$out/node_modules"

have_ws=false
if need 'node -e 0 && npm --version' nodejs npm && install_ws; then
    have_ws=true
    peer 'node ws' node "$here/node_ws.js"
else
    missing 'node ws'
fi

if need 'node -e 0' nodejs; then
    peer 'autobahn client' node "$here/autobahn_server.js"
else
    missing 'autobahn client'
fi

if need '/usr/bin/python3 -c "import websockets"' python3 python3-websockets; then
    peer 'python websockets' /usr/bin/python3 -B "$here/python_websockets.py"
    if $have_ws; then
        peer 'cawscat' /usr/bin/python3 -B "$here/cawscat.py"
    else
        missing 'cawscat'
    fi
else
    missing 'python websockets'
    missing 'cawscat'
fi

if $have_ws && need 'command -v chromium' chromium; then
    peer 'chromium' node "$here/chromium.js"
else
    missing 'chromium'
fi

# Through all of this the two servers were the same processes, and they end as they should.
ended() {
    kill -TERM "$2" 2>/dev/null
    wait "$2"
    status=$?
    [ $status = 0 ] && echo "$1: ok (SIGTERM, status 0)" || echo "$1: FAILED, status $status"
    count $status
}
ended echo_server "$echo_pid"
ended broadcast_server "$broadcast_pid"
servers=

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
