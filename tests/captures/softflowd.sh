#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# softflowd.sh [NAME...]: what softflowd makes of captures, beside their truth and nprobe-k.
#
# One line a capture: packets/octets of the outermost IP packets by the truth, by nprobe-k, and what softflowd's own
# statistics say it accounted. Not a test: it prints the numbers of docs/metering.md.

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/captures/lists.sh
. "$TOP/tests/captures/lists.sh"
captures_or_skip
"$TOP/tests/lib/packages.sh" tools softflowd >/dev/null
[ $# -gt 0 ] || set -- "${CAPTURES_EXACT[@]}"

sum() {
	awk -F, -v OFS=/ -v "cols=$1" 'BEGIN { split(cols, c, " ") } NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		{ p += $at[c[1]]; b += $at[c[2]] } END { print p + 0, b + 0 }' "$2"
}

# Its process file must be one that may be removed.
softflowd() {
	timeout 60 "$TOP/tests/lib/packages.sh" tool softflowd -D -T vlan -m 60000 -t maxlife=86400 -r "$1" \
		-n 127.0.0.1:9 -p "$W/pid" -c none 2>&1 </dev/null |
		awk -F'[: ]+' '/EXPIRED:/ { for (i = 1; i < NF; i++) { if ($i ~ /^octets/) b += $(i + 1); if ($i ~ /^packets/) p += $(i + 1) } }
			END { print p + 0 "/" b + 0 }'
}

W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
for name in "$@"; do
	"$TOP/build/nprobe-k" -b0 -i "pcap:$CAPTURES/$name.pcap" --print csv >"$W/flows.csv"
	printf '%-26s truth %-14s nprobe-k %-14s softflowd %s\n' "$name" \
		"$(sum "packets bytes" "$CAPTURES/truth/$name.pcap.flows.csv")" \
		"$(sum "packets bytes" "$W/flows.csv")" "$(softflowd "$CAPTURES/$name.pcap")"
done
