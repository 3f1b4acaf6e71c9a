# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# large.sh: four million flows in a machine of 2 GB, from two processors.
#
# In 6,500,000 slots all of them fit: each gets a second packet, and 4,000,000 records of two packets are read.
# 4,194,304 slots are then 95 % full: what has to leave early is counted and is a record, nothing else leaves, and the
# daemon reads every record.
. /lab/lib.sh
. /lab/module.sh

# Flows of each processor.
EACH=${1:-2000000}
FLOWS=$((2 * EACH))

# send_each: a packet of every flow. Each processor counts through sources of its own, from 16.0.0.0 and 32.0.0.0 on.
send_each() {
	pktgen_setup out0 "0 1" $EACH
	_last=$((EACH - 1))
	for _cpu in 0 1; do
		_first=$((16 + 16 * _cpu))
		pg "out0@$_cpu" "src_min $_first.0.0.0"
		pg "out0@$_cpu" "src_max $_first.$((_last >> 16)).$((_last >> 8 & 255)).$((_last & 255))"
	done
	_seen=$(stat_of seen.packets)
	pktgen_run
	same "packets sent" "$(pktgen_sent)" $FLOWS
	same "packets seen" "$(($(stat_of seen.packets) - _seen))" $FLOWS
	sums
}

emptied() {
	[ "$(stat_of flows)" = 0 ] && awk 'NR > 1 && $4 { bad = 1 } END { exit bad }' $NPK/groups
}

# unloaded RECORDS: everything was published, nothing lost
unloaded() {
	sums
	same "records published" "$(stat_of published.default.records)" "$1"
	same "packets published" "$(stat_of published.default.packets)" $((2 * FLOWS))
	same "packets lost" "$(stat_of lost.default.packets)" 0
	ok "rmmod" rmmod nprobe_k
}

all_fit() {
	load devices=out0 hook=rx passive=1 flows=6500000 idle=3600 active=3600 ring_slots=65536
	send_each
	same "flows closed early" "$(stat_of early.flows)" 0
	same "flows" "$(stat_of flows)" $FLOWS
	send_each
	same "flows closed early" "$(stat_of early.flows)" 0
	same "flows" "$(stat_of flows)" $FLOWS
	same "packets in the table" "$(stat_of live.packets)" $((2 * FLOWS))
	reader >/tmp/reader &
	reader shutdown || fail "shutdown"
	wait $! || fail "the reader failed"
	same "read" "$(sed 's/ ns .*//' /tmp/reader)" "reader records $FLOWS packets $((2 * FLOWS)) most 2"
	unloaded $FLOWS
}

nearly_full() {
	load devices=out0 hook=rx passive=1 flows=4194304 idle=3600 active=3600 ring_slots=65536
	nprobe-k -n 127.0.0.1:9 2>/tmp/daemon &
	daemon=$!
	send_each
	early=$(stat_of early.flows)
	same "flows in the table and closed early" $(($(stat_of flows) + early)) $FLOWS
	[ "$early" -lt $((FLOWS / 50)) ] || fail "$early of $FLOWS flows closed early in a table 95 % full"
	echo "ok: $early of $FLOWS flows closed early"
	send_each
	early=$(stat_of early.flows)
	[ "$early" -lt $((FLOWS / 20)) ] || fail "$early flows closed early by two packets of each"
	records=$(($(stat_of flows) + early))
	reader flush || fail "flush"
	wait_for 120 emptied || fail "the flush does not end"
	kill $daemon
	wait $daemon || fail "the daemon failed"
	grep -q "flows: $records read, $records sent in .* datagrams, 0 failed" /tmp/daemon ||
		fail "$records records, and the daemon says $(cat /tmp/daemon)"
	echo "ok: $(grep flows: /tmp/daemon)"
	unloaded $records
}

make_link
all_fit
nearly_full
