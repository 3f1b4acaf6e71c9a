#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# truth.sh: pcap:NAME --print csv equals the truth of every capture, with later
# fragments joined to their first one and without, and what is not accounted is
# what the truth calls not IP.

set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PROBE=${NPROBE_K:-$TOP/build/nprobe-k}
# shellcheck source=tests/captures/lists.sh
. "$TOP/tests/captures/lists.sh"
captures_or_skip
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
bad=0

# probe NAME ARG...: the flows of a capture in $W/flows.csv, the counters in $W/stats
probe() {
    local name=$1
    shift
    "$PROBE" -i "pcap:$CAPTURES/$name.pcap" --print csv --stats-json "$W/stats" -b 0 --dont-drop-privileges \
        "$@" >"$W/flows.csv"
}

compare() {
    python3 "$CAPTURES/compare.py" "$W/flows.csv" "$@" | tee "$W/said"
    [ "${PIPESTATUS[0]}" -eq 0 ]
}

# later NAME: no flow had later fragments left over but for those that arrived before their first one
later() {
    local left arrived
    left=$(sed -n 's/.*fragment-order //p' "$W/said")
    arrived=$(python3 "$TOP/tests/captures/fragorder.py" "$CAPTURES/$1.pcap")
    [ "$left" -le "$arrived" ] && return
    echo "$1: fragment-order $left, but only $arrived arrived before their first fragment"
    return 1
}

for name in "${CAPTURES_EXACT[@]}"; do
    truth=$CAPTURES/truth/$name.pcap
    joined=()
    [ ! -f "$truth.fragjoin.csv" ] || joined=("$truth.fragjoin.csv")
    probe "$name" || { echo "$name: exit code $?"; bad=1; continue; }
    printf '%s: ' "$name"
    compare "$truth.flows.csv" "${joined[@]}" || bad=1
    python3 "$TOP/tests/captures/totals.py" "$name.pcap" "$CAPTURES/truth/summary.json" "$W/stats" || bad=1
    [ "${#joined[@]}" -gt 0 ] || continue
    later "$name" || bad=1
    probe "$name" --frag zero || { echo "$name: exit code $?"; bad=1; continue; }
    printf '%s, --frag zero: ' "$name"
    compare "$truth.flows.csv" || bad=1
done
exit $bad
