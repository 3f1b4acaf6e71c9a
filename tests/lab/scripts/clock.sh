# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# clock.sh: the wall clock is stepped while flows run and are exported, as NetFlow v9 and as v5; then a flow that is
# split by the active timeout, and connections with the same ports in a row. clock.py judges what is left in /out.
. /lab/lib.sh
. /lab/module.sh
. /lab/router.sh

# begin FOLDER NETFLOW-VERSION MODULE-PARAMETER...: one table, so that a flow is one record
begin() {
	OUT=/out/$1
	_version=$2
	shift 2
	mkdir "$OUT"
	echo "== ${OUT#/out/}"
	load devices=va,vb cpus=0 "$@"
	witness sink 0 "udp dst port 2055"
	mkfifo /tmp/printed
	transfer stamp </tmp/printed >"$OUT/flows.csv" &
	_stamp=$!
	nprobe-k -n 192.0.2.1:2055 -V "$_version" --print csv >/tmp/printed 2>"$OUT/nprobe-k.log" &
	_probe=$!
	wait_for 10 grep -q joined $NPK/groups || fail "nprobe-k: $(cat "$OUT/nprobe-k.log")"
	transfer clocks >"$OUT/clocks"
}

# All flows have ended by themselves: none is flushed.
end() {
	wait_for 30 no_flows || fail "flows stay: $(cat $NPK/flows)"
	sleep 1.5
	transfer clocks >>"$OUT/clocks"
	kill -TERM $_probe
	wait $_probe || fail "nprobe-k: $(cat "$OUT/nprobe-k.log")"
	wait $_stamp
	rm /tmp/printed
	sums
	cat $NPK/stats >"$OUT/proc-stats"
	end_witnesses
	rmmod nprobe_k || fail "rmmod"
}

no_flows() {
	[ "$(stat_of flows)" -eq 0 ]
}

# flow PORT DATAGRAMS: one each 100 ms, in the background, to where nobody answers
flow() {
	ip netns exec a transfer paced 192.0.2.1 9 "$1" "$2" 100 >"$OUT/sent.$1" &
	_flows="$_flows $!"
}

senders() {
	for _flow in $_flows; do
		wait "$_flow" || fail "a sender failed"
	done
}

# step SECONDS: the wall clock; when that was is between two lines
step() {
	transfer clocks >>"$OUT/clocks"
	date -s "@$(($(date +%s) + $1))" >/dev/null || fail "the clock cannot be set"
	transfer clocks >>"$OUT/clocks"
}

# A flow that is exported after the first step, one through both, one between them, one after both.
stepped() {
	begin "stepped-v$1" "$1" idle=4 active=60
	_flows=
	flow 42001 5
	flow 42002 80
	sleep 1.5
	step 3600
	flow 42003 10
	sleep 5
	step -7200
	flow 42004 10
	senders
	end
}

split() {
	begin split 9 idle=4 active=5
	_flows=
	flow 43001 120
	senders
	end
}

# The server closes first, so that the client may use its port again at once.
reopened() {
	begin reopened 9 idle=4 active=60
	ip netns exec b transfer tcp-serve 5001 20000 3 >"$OUT/server" &
	_server=$!
	wait_for 10 listens tcp 5001 || fail "the server does not listen"
	for _time in 1 2 3; do
		ip netns exec a transfer tcp-send 10.2.0.1 5001 20000 43100 >>"$OUT/client" || fail "connection $_time"
		sleep 0.1
	done
	wait $_server || fail "the server failed"
	end
}

network
stepped 9
stepped 5
split
reopened
