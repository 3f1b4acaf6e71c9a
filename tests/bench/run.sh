#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [--docs] [SUITE...]: what the meter costs, beside its peers and beside what is to hold. Numbers, not a test.
#
#   cost      instructions a packet costs in the kernel, by hook and kind of traffic
#   native    nanoseconds, in User-mode Linux
#   core      the flow core in user space, beside its floor
#   ring      records through a ring, and what a record costs a sweep
#   expiry    closing flows in the kernel: how long a lock is held, what a record costs
#   cliff     floods, full tables, colliding keys
#   offline   a capture file to NetFlow v9, beside softflowd and pmacctd
#   export    records into datagrams, and to a reader on the loopback
#
# Each suite is SUITE.sh, whose header says what its results mean; they are kept in build/bench/SUITE.tsv, and report.py makes
# one table, build/bench/report.json, and with --docs the tables and plots of docs/performance.md of all that are there.
# All of them take about 25 minutes on two cores, and more the first time.

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BENCH=$TOP/tests/bench
RESULTS=$TOP/build/bench
SUITES=(cost native core ring expiry cliff offline export)

say() { printf 'bench: %s\n' "$*" >&2; }

usage() {
	sed -n 's/^# \{0,1\}//; 4,17p' "${BASH_SOURCE[0]}" >&2
	exit 2
}

# suite NAME: its results replace those of before, if it has any.
suite() {
	local code=0 began=$SECONDS
	say "$1"
	"$BENCH/$1.sh" >"$RESULTS/$1.new" || code=$?
	case $code in
	0) mv "$RESULTS/$1.new" "$RESULTS/$1.tsv" && say "$1: $((SECONDS - began)) s" ;;
	77) rm -f "$RESULTS/$1.new" && say "$1: not run here" ;;
	*) say "$1: failed (exit code $code)" && return 1 ;;
	esac
}

main() {
	local failed=0 name
	local -a docs=()
	if [ "${1:-}" = --docs ]; then
		docs=(--docs "$TOP/docs/performance.md")
		shift
	fi
	[ $# -gt 0 ] || set -- "${SUITES[@]}"
	for name in "$@"; do
		[ -x "$BENCH/$name.sh" ] && [[ " ${SUITES[*]} " == *" $name "* ]] || usage
	done
	mkdir -p "$RESULTS"
	for name in "$@"; do suite "$name" || failed=1; done
	"$BENCH/report.py" "${docs[@]}"
	exit $failed
}

main "$@"; exit # nothing is read after this, so the file may change while it runs
