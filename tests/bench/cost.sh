#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cost.sh [PACKETS]: instructions a packet of 60 octets costs on its way through the stock kernel, in one boot of a guest whose
# nanoseconds are instructions. Boots differ by some 20, because the flows' places in the table do; memory costs nothing here.
#
#   base, raw_table          the receive path alone; and with the table ipt_NETFLOW's rule stands in
#   rx, tap, ingress         the module by these hooks;  rx-passive, ingress-passive: it takes the packets
#   rx-drop                  an rx_handler that drops at once: the floor of rx-passive
#   ipt_netflow              the peer in PREROUTING of the raw table
#   live-1000, live-1m       a packet of one of so many flows;  new-flows: of a flow of its own, in a table with room
#   merged                   a segment of TCP merged with 44 others into one frame of a tap device
#
# About four minutes.

# shellcheck source=tests/lab/host.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/host.sh"
# shellcheck source=tests/bench/subjects.sh
. "$TOP/tests/bench/subjects.sh"

BENCH=$TOP/tests/bench
OUT=$TOP/build/bench/cost

main() {
	local packets=${1:-20000} headers
	need_amd64
	make_dir "$OUT"
	headers=$("$PACKAGES" kernel-headers --path) || exit $?
	subjects_options stock "$headers"
	gcc -static -O2 -Wall -Wextra -Werror -o "$OUT/merged" "$BENCH/merged.c"
	"$LAB/guest" --icount --mem 1536 --time 900 --out "$OUT" --file "$OUT/merged:/bin/merged" "${SUBJECTS[@]}" \
		"$BENCH/guest/cost.sh" "$packets" >&2 || exit $?
	awk -v OFS='\t' '
		NF != 3 { next }
		$2 == "base" { base[$1] = $3 }
		{ print "cost." $2 "." $1 ".total", $3, "instructions" }
		$2 !~ /^(base|rx-drop|.*-passive)$/ { print "cost." $2 "." $1 ".added", $3 - base[$1], "instructions" }' "$OUT/output"
}

main "$@"; exit # nothing is read after this, so the file may change while it runs
