#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# native.sh [ROUNDS]: nanoseconds a packet costs at native speed, metered by the module and by ipt_NETFLOW,
# in User-mode Linux made of this suite's kernel source, in one boot. A round measures each subject once, as the fastest
# of six or ten short runs. Of 15 rounds the medians; .low and .high are quartiles. What is added, and ratios, are worked out
# round by round.
#
#   base, raw_table          the receive path alone; and with the table ipt_NETFLOW's rule stands in
#   rx, ingress              the module by these hooks, packets go on;  rx-passive: they do not
#   rx-drop                  an rx_handler that drops at once: the floor of rx-passive (over_drop: what is above it)
#   ipt_netflow              the peer in PREROUTING of the raw table
#   live-1000, new-flows     one of 1000 flows, each frame 32 times over; every packet a flow of its own
#
# First time: about 145 MB to download and 5 to 10 minutes of compiling; then 6 minutes, most of them pktgen waiting for
# itself.

# shellcheck source=tests/lab/host.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/host.sh"
# shellcheck source=tests/bench/subjects.sh
. "$TOP/tests/bench/subjects.sh"

BENCH=$TOP/tests/bench
OUT=$TOP/build/bench/native

say() { printf 'native: %s\n' "$*" >&2; }

main() {
	local rounds=${1:-15} kernel
	local -a first=()
	need_amd64
	kernel=$("$LAB/kernel" uml) || exit $?
	make_dir "$OUT"
	subjects_options uml "$kernel/build" ARCH=um
	say "$rounds rounds, about $((rounds * 22)) s"
	# for these minutes what else runs here comes second: a round that is interrupted is worth nothing
	[ "$(id -u)" -ne 0 ] || first=(nice -n -15)
	"${first[@]}" "$LAB/guest" --kernel uml --time $((120 + rounds * 30)) --out "$OUT" \
		"${SUBJECTS[@]}" "$BENCH/guest/native.sh" "$rounds" >"$OUT/log" || exit $?
	"$BENCH/rounds.py" <"$OUT/output"
}

main "$@"; exit # nothing is read after this, so the file may change while it runs
