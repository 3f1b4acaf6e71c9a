# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# differential.sh: each capture in /captures in every form this guest has: on one processor as a file, by libpcap, and
# through the module by three hooks, with GRO off and on; on two the module alone, spread over both by RPS.
# /out/NAME/FORM/ gets the records; differential.py compares them.
. /lab/lib.sh
. /lab/module.sh

CPUS=$(nproc)

# begin FORM: sets OUT
begin() {
	OUT=/out/$NAME/$1
	mkdir -p "$OUT"
}

send() {
	tcpreplay -q -i in0 --pps 10000 "$CAPTURE" >"$OUT/tcpreplay.log" 2>&1 || fail "$NAME: $(cat "$OUT/tcpreplay.log")"
}

finish() {
	kill -TERM $_probe
	wait $_probe || fail "$OUT: $(cat "$OUT/nprobe-k.log")"
}

from_file() {
	begin pcap
	nprobe-k -i "pcap:$CAPTURE" -d 3600 -t 3600 --print csv >"$OUT/flows.csv" 2>"$OUT/nprobe-k.log" ||
		fail "$NAME: $(cat "$OUT/nprobe-k.log")"
}

# the first line of the file is its header
captures_on() {
	[ "$(wc -l </proc/net/packet)" -gt 1 ]
}

live() {
	begin live
	nprobe-k -i live:out0 -d 3600 -t 3600 --print csv >"$OUT/flows.csv" 2>"$OUT/nprobe-k.log" &
	_probe=$!
	wait_for 10 captures_on || fail "$OUT: $(cat "$OUT/nprobe-k.log")"
	send
	finish
}

# module HOOK GRO
module() {
	begin "module-$1-$CPUS-cpu-gro-$2"
	ethtool -K out0 gro "$2" || fail "GRO cannot be $2"
	load devices=out0 hook="$1" idle=3600 active=3600 cpus="$(seq -s, 0 $((CPUS - 1)))"
	nprobe-k --print csv --flush-on-exit >"$OUT/flows.csv" 2>"$OUT/nprobe-k.log" &
	_probe=$!
	wait_for 10 grep -q joined $NPK/groups || fail "$OUT: $(cat "$OUT/nprobe-k.log")"
	send
	quiet
	finish
	sums
	for _file in stats cpu; do
		cat "$NPK/$_file" >"$OUT/$_file"
	done
	rmmod nprobe_k || fail "rmmod"
}

make_link
ip link set in0 mtu 65535
ip link set out0 mtu 65535
# a veth does no GRO for a sender that could have sent merged packets itself
ethtool -K in0 tso off || fail "no offloads off"
# GRO holds packets back for 5 ms: tcpreplay sends one at a time
echo 50 >/sys/class/net/out0/napi_defer_hard_irqs
echo 5000000 >/sys/class/net/out0/gro_flush_timeout
[ "$CPUS" -eq 1 ] || echo 3 >/sys/class/net/out0/queues/rx-0/rps_cpus
for CAPTURE in /captures/*.pcap; do
	NAME=$(basename "$CAPTURE" .pcap)
	echo "== $NAME"
	if [ "$CPUS" -eq 1 ]; then
		from_file
		ethtool -K out0 gro off
		live
	fi
	for _hook in ingress tap rx; do
		module $_hook off
		module $_hook on
	done
done
