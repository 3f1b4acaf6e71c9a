#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# offline.sh: a capture file to NetFlow v9 at a collector on the loopback, beside softflowd and pmacctd.
#
# Two captures: big-tcp-echo-82k repeated to two million packets (1000 flows at a time), and half a million packets each
# of which is a new flow ("newflows"). Packets per second of CPU (user and system, of all processes of the program) and
# the largest resident set; interleaved rounds (NPK_BENCH_ROUNDS, 7) after one that counts for nothing;
# medians, .low and .high are quartiles. A ratio is that of the medians, its quartiles are those of the rounds' ratios.
#
# All runs are on CPU 0; the collector reads every datagram on CPU 1, in a network namespace of this script's own. What
# it counted is checked for nprobe-k, and a result line for each peer: one that skips work is seen. The peers have their
# own default timeouts, which are longer than ours: softflowd and pmacctd make 1000 records of the first capture,
# nprobe-k 25,000. pmacctd's queue between its processes is sized for its best speed.

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BENCH=$TOP/tests/bench
OUT=$TOP/build/bench
W=$OUT/offline
ROUNDS=${NPK_BENCH_ROUNDS:-7}
PROGRAMS=(nprobe-k softflowd pmacctd)
# shellcheck source=tests/captures/lists.sh
. "$TOP/tests/captures/lists.sh"
# shellcheck source=tests/bench/quartiles.sh
. "$BENCH/quartiles.sh"
# shellcheck source=tests/lib/packages.sh
. "$TOP/tests/lib/packages.sh"

say() { printf 'offline: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
cannot() { say "not run: $*"; exit 77; }

prepare() {
	[ -f "$CAPTURES/big-tcp-echo-82k.pcap" ] || cannot "no captures in $CAPTURES (NPK_CAPTURES names the folder)"
	[ "$(id -u)" -eq 0 ] || cannot "a network namespace and a large socket buffer need root"
	[ "$(nproc)" -ge 2 ] || cannot "one processor cannot run the program and the collector side by side"
	mkdir -p "$W"
	make -s -C "$TOP" >&2
	"$TOP/tests/lib/packages.sh" tools softflowd pmacct >&2
	cc -O2 -Wall -Wextra -D_GNU_SOURCE -o "$W/rusage" "$BENCH/rusage.c"
	say "making the captures"
	"$BENCH/capture.py" repeat "$CAPTURES/big-tcp-echo-82k.pcap" "$OUT/big.pcap" 2000000 >"$W/big.packets"
	"$BENCH/capture.py" newflows "$OUT/newflows.pcap" 500000 >"$W/newflows.packets"
}

# set_command PROGRAM CAPTURE PORT: sets COMMAND, and ENVIRON for programs out of the cache
set_command() {
	local file=$OUT/$2.pcap
	ENVIRON=(env)
	case $1 in
	nprobe-k) COMMAND=("$TOP/build/nprobe-k" -i "pcap:$file" -n "127.0.0.1:$3") && return ;;
	softflowd) COMMAND=(-d -v 9 -r "$file" -n "127.0.0.1:$3" -p "$W/softflowd.pid" -c none) ;;
	pmacctd)
		printf '%s\n' "daemonize: false" "plugins: nfprobe" "nfprobe_version: 9" "nfprobe_receiver: 127.0.0.1:$3" \
			"aggregate: src_host, dst_host, src_port, dst_port, proto, tos" \
			"plugin_pipe_size: 67108864" "plugin_buffer_size: 262144" >"$W/pmacctd.conf"
		COMMAND=(-f "$W/pmacctd.conf" -I "$file")
		;;
	esac
	tool_cmd "$1"
	ENVIRON=("${TOOL[@]:0:${#TOOL[@]}-1}")
	COMMAND=("${TOOL[-1]}" "${COMMAND[@]}")
}

# once PROGRAM CAPTURE: sets the variables of the two lines it reads: what the program used, what the collector counted
once() {
	local port sink
	coproc SINK { exec taskset -c 1 "$BENCH/sink.py"; }
	sink=$SINK_PID
	exec {from_sink}<&"${SINK[0]}" {to_sink}>&"${SINK[1]}"
	exec {SINK[0]}<&- {SINK[1]}>&-
	read -r port <&"$from_sink" || die "the collector did not start"
	set_command "$1" "$2" "$port"
	"${ENVIRON[@]}" timeout 300 "$W/rusage" "$W/used" 0 "${COMMAND[@]}" >"$W/$1.log" 2>&1 </dev/null ||
		die "$1 did not end: $W/$1.log"
	exec {to_sink}>&-
	read -r datagrams records packets octets dropped <&"$from_sink" || die "the collector failed"
	exec {from_sink}<&-
	wait "$sink"
	read -r cpu memory code <"$W/used"
	[ "$code" -eq 0 ] || die "$1 failed: $W/$1.log"
	[ "$dropped" -eq 0 ] || die "the collector had no room for $dropped datagrams"
}

# What the collector counted must be all of it, in ours.
check() {
	[ "$1" != nprobe-k ] || [ "$packets" -eq "$3" ] || die "nprobe-k exported $packets packets of $3 in $2"
}

# rounds CAPTURE PACKETS: one line a run: round, program, CPU seconds, memory, records, packets
rounds() {
	local round program
	for ((round = 0; round <= ROUNDS; round++)); do
		for program in "${PROGRAMS[@]}"; do
			once "$program" "$1"
			check "$program" "$1" "$2"
			say "$1 $round: $program $cpu s of CPU, $memory octets; collector: $datagrams datagrams," \
				"$records records, $packets packets, $octets octets"
			[ "$round" -eq 0 ] || echo "$round $program $cpu $memory $records $packets"
		done
	done
}

# results PREFIX FILE PACKETS
results() {
	local program
	for program in "${PROGRAMS[@]}"; do
		awk -v p="$program" -v n="$3" '$2 == p { print n / $3 }' "$2" |
			quartiles "$1.$program.packets_per_cpu_second" packets/s %.0f
		awk -v p="$program" '$2 == p { print $4 }' "$2" | quartiles "$1.$program.maxrss" octets %.0f
		awk -v p="$program" '$2 == p { print $5 }' "$2" | quartiles "$1.$program.records" records %.0f | sed -n 1p
		awk -v p="$program" '$2 == p { print $6 }' "$2" | quartiles "$1.$program.exported" packets %.0f | sed -n 1p
	done
	for program in "${PROGRAMS[@]:1}"; do
		ratio "$1" "$2" "$program"
	done
}

median() { quartiles x x %.9f | awk 'NR == 1 { print $2 }'; }

ratio() {
	local ours theirs
	ours=$(awk '$2 == "nprobe-k" { print $3 }' "$2" | median)
	theirs=$(awk -v p="$3" '$2 == p { print $3 }' "$2" | median)
	awk -v a="$theirs" -v b="$ours" -v name="$1.vs_$3.ratio" 'BEGIN { printf "%s\t%.3f\tratio\n", name, a / b }'
	awk -v p="$3" '$2 == "nprobe-k" { ours[$1] = $3 } $2 == p { theirs[$1] = $3 }
		END { for (i in ours) print theirs[i] / ours[i] }' "$2" | quartiles "$1.vs_$3.ratio" ratio %.3f | sed 1d
}

inside() {
	local capture prefix=offline packets_in
	ip link set lo up
	for capture in big newflows; do
		packets_in=$(cat "$W/$capture.packets")
		rounds "$capture" "$packets_in" >"$W/$capture.runs"
		results "$prefix" "$W/$capture.runs" "$packets_in"
		prefix=offline.newflows
	done
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
