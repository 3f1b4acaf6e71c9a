#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# interrupt.sh: make run, interrupted after 1, 4 and 9 seconds by SIGINT to its
# process group, as Ctrl-C does, leaves no namespace, process or file behind.

set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

leftovers() {
    ip netns list | grep '^npk-' || :
    pgrep -a -x 'nprobe-k|nfcapd|iperf3|dnsmasq' || :
}

leftovers >"$W/before"
for seconds in 1 4 9; do
    code=0
    # a session of its own, so that the signal reaches the run and nobody else
    setsid -w timeout -s INT "$seconds" "$TOP/tests/netns/live.sh" >"$W/out" 2>&1 || code=$?
    leftovers >"$W/after"
    diff "$W/before" "$W/after" || { echo "left behind after $seconds s"; exit 1; }
    [ "$code" -eq 124 ] || [ "$code" -eq 130 ] || { cat "$W/out"; echo "exit code $code after $seconds s"; exit 1; }
    echo "interrupted after $seconds s: nothing left"
done
