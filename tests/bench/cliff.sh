#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cliff.sh [ROUNDS=5]: what a packet costs when the traffic is against the flow table: the core in user space, with its
# conversations and the reaper's sweeps. Fails when a count of an established flow is wrong, or one of them made room.
#
# cliff.CASE.ns            processor time of a packet, a table of 1,048,576 slots in ordinary pages: median of so many rounds,
#                          in turn with the other cases; .low and .high are the smallest and the largest
# cliff.CASE.instructions  instructions of a packet (callgrind), a table of 16,384 slots: the same on any machine. What
#                          the benchmark itself does to send one, about 60, is in it
# cliff.CASE.ratio         ns divided by those of new-0, median of the ratios of each round; .instructions-ratio likewise
#
#   new-N            every packet a new flow, with N % of the slots in use; 200: twice as many flows were sent as there are slots
#   hit-N            packets of the flows there are, in no order
#   flood            ten times as many one-packet flows as slots; every 11th packet is of one of the established flows, of which
#                    there is one for 100 slots. All of it is measured
#   pairs            the same with flows of two packets each: nobody is less useful than the established ones but by silence
#   one-home         3000 flows of one home bucket in turn: most find room in their other one. one-bucket: 1000 flows both of
#                    whose buckets are the same one, so that each is new every time; one-signature: 60 that have the same
#                    signature too. They are found by trying flows against the table's secret, which takes small tables:
#                    their nanoseconds are without the memory's, and only the instructions compare with new-0

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/bench/callgrind.sh
. "$TOP/tests/bench/callgrind.sh"
ROUNDS=${1:-5}
CASES=(new-0 new-25 new-50 new-75 new-95 new-100 new-200 hit-25 hit-50 hit-75 hit-95 hit-100 flood pairs one-home one-bucket
	one-signature)
BENCH=$TOP/build/bench/cliff
OUT=$TOP/build/bench/cliff.values

# nanoseconds: lines "CASE NS", each case once a round
nanoseconds() {
	local round name
	for ((round = 1; round <= ROUNDS; round++)); do
		printf 'cliff: round %d of %d\n' "$round" "$ROUNDS" >&2
		for name in "${CASES[@]}"; do
			"$BENCH" "$name" | awk -v name="$name" -v round="$round" '{ print "ns", name, round, $2 / $1 }'
		done
	done
}

instructions() {
	local name
	for name in "${CASES[@]}"; do
		"${CALLGRIND[@]}" "$BENCH" "$name" 16384 >"$OUT.run" 2>"$OUT.log" </dev/null
		awk -v name="$name" 'NR == FNR { n = $1; next } /Collected : / { print "ir", name, 0, $NF / n }' \
			"$OUT.run" "$OUT.log"
	done
}

results() {
	awk -v OFS='\t' -v names="${CASES[*]}" '
	# sorted(A, N): the first N elements of A in order
	function sorted(a, n,    i, k, x) {
		for (i = 2; i <= n; i++)
			for (k = i; k > 1 && a[k - 1] > a[k]; k--) { x = a[k]; a[k] = a[k - 1]; a[k - 1] = x }
	}
	$1 == "ns" { ns[$2, $3] = $4; if ($3 > rounds) rounds = $3 }
	$1 == "ir" { ir[$2] = $4 }
	END {
		nr = split(names, name, " ")
		for (c = 1; c <= nr; c++) {
			for (i = 1; i <= rounds; i++) {
				v[i] = ns[name[c], i]
				ratio[i] = v[i] / ns["new-0", i]
			}
			sorted(v, rounds)
			sorted(ratio, rounds)
			id = "cliff." name[c]
			printf "%s.ns\t%.1f\tns\n", id, v[int((rounds + 1) / 2)]
			printf "%s.ns.low\t%.1f\tns\n%s.ns.high\t%.1f\tns\n", id, v[1], id, v[rounds]
			printf "%s.ratio\t%.2f\tratio\n", id, ratio[int((rounds + 1) / 2)]
			printf "%s.instructions\t%.0f\tinstructions\n", id, ir[name[c]]
			printf "%s.instructions-ratio\t%.2f\tratio\n", id, ir[name[c]] / ir["new-0"]
		}
	}' "$1"
}

make -s -C "$TOP" build/bench/cliff >&2
callgrind_cmd "$OUT.callgrind"
{ nanoseconds; instructions; } >"$OUT"
results "$OUT"
