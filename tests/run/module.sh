#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# module.sh: the kernel module on real traffic, in a guest with this suite's kernel ("sudo make run").
#
# guest.sh does it there and leaves in build/run what the programs printed and what was metered; verdict.py judges it
# here. Nothing of it touches this host's kernel or network.
#
# Environment: NPK_SECONDS, how long the run has taken so far.

set -euo pipefail
export LC_ALL=C

# First of all, for a Ctrl-C at any moment.
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
trap 'exit 141' PIPE

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
LAB=$TOP/tests/lab
LOGS=$TOP/build/run
W=$LOGS
LIMIT=150

# shellcheck source=tests/run/common.sh
. "$HERE/common.sh"
# shellcheck source=tests/run/show.sh
. "$HERE/show.sh"

# The guest switches itself off when it is ended; until it has, its files are in use.
cleanup() {
	local status=$?
	trap '' INT TERM HUP PIPE
	trap - EXIT
	set +e
	[ "$status" -le 128 ] || echo "run: interrupted, ending the guest" >&2
	if [ -n "${GUEST:-}" ]; then
		kill -TERM "$GUEST" 2>/dev/null
		wait "$GUEST"
	fi 2>/dev/null
	exit "$status"
}

boot() {
	local name status=0
	local -a with=()
	for name in ping curl dig dnsmasq iperf3 nfcapd nfdump; do
		with+=(--tool "$name")
	done
	for name in common.sh programs.sh; do
		with+=(--file "$HERE/$name:/lab/$name")
	done
	seconds
	"$LAB/guest" --time "$LIMIT" --out "$LOGS" "${with[@]}" "$HERE/guest.sh" "$NOW" "$LOGS" &
	GUEST=$!
	wait "$GUEST" || status=$?
	GUEST=
	[ "$status" -ne 77 ] || exit 77 # it has said why there is no guest here
	[ "$status" -eq 0 ] || fail "the guest did not do its job: $(cat "$LOGS/result" 2>/dev/null || echo "it did not start")"
}

main() {
	trap cleanup EXIT
	rm -rf "$LOGS"
	say "booting a guest"
	boot
	show_flows "$LOGS/flows.txt"
	show_counters "$LOGS/proc/stats"
	child python3 "$TOP/tests/netns/verdict.py" --module "$LOGS" || fail "the flows do not say what the programs say"
	what_next
}

main "$@"
