#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# export.sh: records into datagrams in memory, and to a collector on the loopback; .low and .high are quartiles.
#
# export.encode.FORMAT              records a second of CPU, default templates, datagrams of 1472 octets (nflow: 1400 before zlib)
# export.send.records_per_second    half a million records of a file, all due at its end, from the first one to the last one that
#                                   arrives at a reader in another process, by the clock on the wall; NetFlow v9
# export.send-1500.*                likewise with --mtu 1500; the loopback's own MTU gives datagrams of 9000
# export.send-1500.cpu              CPU time of the daemon for each record, metering included
#
# The daemon is on CPU 0, the reader on CPU 1; it checks that every record arrives and that no sequence number is missing: a
# round that loses something is an error. All of it is in a network namespace of this script's own.

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BENCH=$TOP/tests/bench
OUT=$TOP/build/bench
W=$OUT/export
ROUNDS=${NPK_BENCH_ROUNDS:-9}
RECORDS=500000
# shellcheck source=tests/bench/quartiles.sh
. "$BENCH/quartiles.sh"
# shellcheck source=tests/lib/packages.sh
. "$TOP/tests/lib/packages.sh"

say() { printf 'export: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
cannot() { say "not run: $*"; exit 77; }

prepare() {
	[ "$(id -u)" -eq 0 ] || cannot "a network namespace and a large socket buffer need root"
	[ "$(nproc)" -ge 2 ] || cannot "one processor cannot run the daemon and the reader side by side"
	mkdir -p "$W"
	make -s -C "$TOP" all build/bench/encode build/bench/reader >&2
	cc -O2 -Wall -Wextra -D_GNU_SOURCE -o "$W/rusage" "$BENCH/rusage.c"
	"$BENCH/capture.py" newflows "$W/flows.pcap" "$RECORDS" >/dev/null
}

# once ARG...: prints records a second, and nanoseconds of CPU for each
once() {
	local port reader records datagrams gaps dropped ns cpu code
	coproc READER { exec "$OUT/reader"; }
	reader=$READER_PID
	exec {from}<&"${READER[0]}" {to}>&"${READER[1]}"
	exec {READER[0]}<&- {READER[1]}>&-
	read -r port <&"$from" || die "the reader did not start"
	timeout 120 "$W/rusage" "$W/used" 0 "$TOP/build/nprobe-k" -i "pcap:$W/flows.pcap" -d 3600 -t 3600 -M 1000000 \
		-n "127.0.0.1:$port" "$@" >"$W/log" 2>&1 </dev/null || die "nprobe-k did not end: $W/log"
	exec {to}>&-
	read -r records datagrams gaps dropped ns <&"$from" || die "the reader failed"
	exec {from}<&-
	wait "$reader"
	read -r cpu _ code <"$W/used"
	[ "$code" -eq 0 ] || die "nprobe-k failed: $W/log"
	[ "$records $gaps $dropped" = "$RECORDS 0 0" ] ||
		die "of $RECORDS records $records came, $gaps gaps, $dropped datagrams dropped by the socket"
	say "${*:-no --mtu}: $records records in $datagrams datagrams and $ns ns, $cpu s of CPU"
	awk -v n="$records" -v ns="$ns" -v cpu="$cpu" 'BEGIN { print n / ns * 1e9, cpu / n * 1e9 }'
}

# send NAME ARG...
send() {
	local round
	for ((round = 0; round <= ROUNDS; round++)); do
		once "${@:2}" >"$W/round"
		[ "$round" -eq 0 ] || cat "$W/round"
	done >"$W/rounds"
	awk '{ print $1 }' "$W/rounds" | quartiles "$1.records_per_second" records/s %.0f
	awk '{ print $2 }' "$W/rounds" | quartiles "$1.cpu" ns %.1f
}

inside() {
	ip link set lo up
	"$OUT/encode"
	send export.send
	send export.send-1500 --mtu 1500
	give_to_user "$OUT"
}

case ${1:-} in
inside) inside ;;
"")
	prepare
	exec unshare -n -p -f --kill-child -- "${BASH_SOURCE[0]}" inside
	;;
*)
	sed -n 's/^# \{0,1\}//; 4,16p' "${BASH_SOURCE[0]}" >&2
	exit 2
	;;
esac
