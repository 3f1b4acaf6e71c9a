#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guard.sh [--write]: instructions of the core's main cases (callgrind, in user space) against the limits in limits.tsv; fails
# when one is more than 3 % above. The same on any machine, but not by any compiler: with another one than the limits name it
# is skipped. --write makes what is counted now the limits: to be done when a change is worth its price, or made it cheaper.

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/bench/callgrind.sh
. "$TOP/tests/bench/callgrind.sh"
LIMITS=$TOP/tests/bench/limits.tsv
GUARD=$TOP/build/bench/guard
CASES=(ip4-udp-live ip4-udp-batch ip4-udp-new ip4-udp-record ip4-tcp-live ip4-tcp-new ip4-tcp-syn-new ip4-tagged-live ip4-tagged-new
	ip6-udp-live ip6-udp-batch ip6-udp-new ip6-tcp-live ip6-udp-record)

compiler() { gcc -dumpfullversion; }

# count CASE: instructions of a packet, or of a record
count() {
	local packets
	packets=$("${CALLGRIND[@]}" "$GUARD" "$1" 2>"$GUARD.log")
	sed -n 's/.*Collected *: *\([0-9]*\).*/\1/p' "$GUARD.log" | awk -v n="$packets" '{ printf "%.1f\n", $1 / n }'
}

main() {
	local name now limit failed=0
	make -s -C "$TOP" build/bench/guard >&2
	callgrind_cmd "$GUARD.callgrind"
	if [ "${1:-}" = --write ]; then
		printf '# gcc %s: instructions of a packet or a record; written by guard.sh --write\n' "$(compiler)" >"$LIMITS"
		for name in "${CASES[@]}"; do printf '%s\t%s\n' "$name" "$(count "$name")"; done >>"$LIMITS"
		cat "$LIMITS"
		return
	fi
	if ! head -1 "$LIMITS" | grep -qF "gcc $(compiler):"; then
		echo "not run: the limits are for another compiler than gcc $(compiler)"
		exit 77
	fi
	for name in "${CASES[@]}"; do
		limit=$(awk -v name="$name" '$1 == name { print $2 }' "$LIMITS")
		now=$(count "$name")
		if awk -v now="$now" -v limit="${limit:-0}" 'BEGIN { exit !(now <= limit * 1.03) }'; then
			echo "ok: $name: $now, limit $limit"
		else
			echo "FAILED: $name: $now instructions, limit ${limit:-none} and 3 %"
			failed=1
		fi
	done
	exit $failed
}

main "$@"; exit # nothing is read after this, so the file may change while it runs
