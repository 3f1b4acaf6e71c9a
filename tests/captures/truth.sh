#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# truth.sh: pcap:NAME --print csv equals the truth of every capture, and what is
# not accounted is what the truth calls not IP.

set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PROBE=${NPROBE_K:-$TOP/build/nprobe-k}
# shellcheck source=tests/captures/lists.sh
. "$TOP/tests/captures/lists.sh"
captures_or_skip
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
bad=0

for name in "${CAPTURES_EXACT[@]}"; do
    "$PROBE" -i "pcap:$CAPTURES/$name.pcap" --print csv --stats-json "$W/stats" -b 0 \
        --dont-drop-privileges >"$W/flows.csv" || { echo "$name: exit code $?"; bad=1; continue; }
    printf '%s: ' "$name"
    python3 "$CAPTURES/compare.py" "$W/flows.csv" "$CAPTURES/truth/$name.pcap.flows.csv" || bad=1
    python3 "$TOP/tests/captures/totals.py" "$name.pcap" "$CAPTURES/truth/summary.json" "$W/stats" || bad=1
done
exit $bad
