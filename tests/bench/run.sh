#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [cost [PACKETS]]: what the meter costs. Numbers, not a test: docs/performance.md says what they mean.
#
# cost    instructions a packet costs in the kernel, by hook and kind of traffic, in a guest whose nanoseconds are
#         instructions: the same on any machine (about half a minute)

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB=$TOP/tests/lab

cost() {
	local out=$TOP/build/bench/cost
	"$LAB/guest" --icount --time 600 --out "$out" --file "$LAB/scripts/module.sh:/lab/module.sh" \
		"$TOP/tests/bench/cost.sh" "${1:-20000}" >"$TOP/build/bench/log" 2>&1 ||
		{ tail -5 "$TOP/build/bench/log" >&2; exit 1; }
	awk 'BEGIN { printf "%-16s %-10s %14s %8s\n", "hook", "traffic", "instructions", "added" }
		/^cost / { printf "%-16s %-10s %14d %8d\n", $2, $3, $4, $5 }' "$out/output"
}

mkdir -p "$TOP/build/bench"
case ${1:-cost} in
cost) cost "${@:2}" ;;
*)
	sed -n 's/^# \{0,1\}//; 4,8p' "${BASH_SOURCE[0]}" >&2
	exit 2
	;;
esac
