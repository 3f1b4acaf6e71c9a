# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# expiry.sh: what closing flows costs, in a guest whose nanoseconds are instructions (guest --icount).
# Lines "result NAME VALUE UNIT"; tests/bench/expiry.sh says what they mean and how they come about.
. /lab/lib.sh
. /lab/module.sh

SLOTS=1048576
PACKETS=450000
# Distinct addresses in a row: every packet a new flow.
NEW='src_min 10.2.0.0
src_max 10.255.255.255'
TRACE=/sys/kernel/tracing

result() {
	echo "result $1 $2 $3"
}

# new_flows PACKETS [SETTING]: sets pktgen up
new_flows() {
	pktgen_setup out0 0 "$1" "$NEW" "${2:-}"
}

# used: nanoseconds pktgen took for its packets
used() {
	sed -n 's/.*OK: \([0-9]*\)(.*/\1000/p' "$PKTGEN/out0@0"
}

# divided A B: A/B, one decimal
divided() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f\n", a / b }'
}

start_reader() {
	reader >/tmp/reader &
	reader_pid=$!
	sleep 0.2
}

# woken: how often the reader was, for nothing too
woken() {
	counter "/proc/$reader_pid/status" voluntary_ctxt_switches
}

# stop_reader: sets read_records and read_ns
stop_reader() {
	sleep 0.3	# what waits is shown a tenth of a second later
	kill "$reader_pid"
	wait "$reader_pid" || fail "the reader failed"
	read -r _ _ read_records _ read_packets _ _ _ read_ns </tmp/reader
	[ "$read_records" = "$read_packets" ] || fail "records of one packet: $(cat /tmp/reader)"
}

# ---------------------------------------------------------------- longest hold of a shard's lock

# traced FUNCTION: from here on how long it takes each time
traced() {
	echo 0 >$TRACE/tracing_on
	echo "$1" >$TRACE/set_ftrace_filter
	echo function_graph >$TRACE/current_tracer
	echo >$TRACE/trace
	echo 1 >$TRACE/tracing_on
}

# durations: of the traced function, microseconds without the tracer's own, shortest first
durations() {
	echo 0 >$TRACE/tracing_on
	sed -n 's/^ *[0-9]*).* \([0-9.]*\) us.*/\1/p' $TRACE/trace | sort -n |
		awk -v tracer="${tracer:-0}" '{ printf "%.3f\n", $1 - tracer }' >/tmp/durations
	echo nop >$TRACE/current_tracer
	[ -s /tmp/durations ] || fail "nothing was traced"
}

# calibrate: sets tracer: what a function seems to take that only subtracts two numbers
calibrate() {
	load flows=64
	tracer=
	traced npk_ring_unread
	sleep 2
	durations
	tracer=$(median)
	result expiry.tracer "$tracer" us
	rmmod nprobe_k || fail "rmmod"
}

median() {
	awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }' /tmp/durations
}

# flushed: every flow has left the table
flushed() {
	[ "$(stat_of flows)" = 0 ]
}

# looks: buckets in use in which nothing is due yet
looks() {
	load devices=out0 hook=rx passive=1 flows=262144 idle=5 active=60
	new_flows 160000
	pktgen_run
	traced npk_meter_sweep
	sleep 1
	durations
	same "records" "$(stat_of published.default.records)" 0
	# the longest is one that spent all of the reaper's budget, a look a unit
	result expiry.look "$(tail -1 /tmp/durations | awk '{ printf "%.0f", $1 * 1000 / 120 }')" instructions
	rmmod nprobe_k || fail "rmmod"
}

# holds: a table whose every bucket is full, all of its flows due at once, into rings that hold them
holds() {
	load devices=out0 hook=rx passive=1 flows=$SLOTS idle=3600 active=3600 ring_slots=$SLOTS
	traced meter_skb
	start_reader
	new_flows 100
	pktgen_run
	durations
	result expiry.hold.packet "$(tail -1 /tmp/durations)" us
	new_flows $((SLOTS * 5 / 4))
	pktgen_run
	stop_reader
	_flows=$(stat_of flows)
	[ "$_flows" -gt $((SLOTS / 100 * 99)) ] || fail "$_flows flows: the table is not full"
	traced npk_meter_sweep
	reader flush || fail "flush"
	wait_for 60 flushed || fail "the flush does not end"
	durations
	sums
	result expiry.hold.flows "$_flows" flows
	result expiry.hold.sweep "$(tail -1 /tmp/durations)" us
	result expiry.hold.sweep-median "$(median)" us
	result expiry.record "$(awk -v n="$_flows" '{ sum += $1 } END { printf "%.0f", sum * 1000 / n }' /tmp/durations)" instructions
	traced npk_ring_discard
	reader discard
	durations
	sums
	same "records dropped" "$(stat_of lost.default.records)" "$_flows"
	result expiry.hold.discard "$(tail -1 /tmp/durations)" us
	rmmod nprobe_k || fail "rmmod"
}

# ---------------------------------------------------------------- every packet a new flow that also expires

# new_and_read NAME PARAMETER...: while as many flows leave as come
new_and_read() {
	_name=expiry.new-and-read.$1
	shift
	load devices=out0 idle=1 active=60 "$@"
	start_reader
	new_flows $((PACKETS / 2))
	pktgen_run	# from here on there are flows that leave
	new_flows $PACKETS
	_before=$(stat_of published.default.records)
	_woken=$(woken)
	pktgen_run
	_woken=$(($(woken) - _woken))
	_left=$(($(stat_of published.default.records) - _before))
	_ns=$(divided "$(used)" $PACKETS)
	wait_for 60 flushed || fail "flows do not leave"
	sums
	same "early" "$(stat_of early.flows)" 0
	same "lost" "$(stat_of lost.default.records)" 0
	stop_reader
	same "records read" "$read_records" $((PACKETS * 3 / 2))
	_own=$(divided "$read_ns" "$read_records")
	result "$_name" "$(awk -v a="$_ns" -v b="$_base" -v c="$_own" -v l="$_left" -v n=$PACKETS \
		'BEGIN { printf "%.0f", a - b - c * l / n }')" instructions
	result "$_name.reader" "$_own" instructions
	result "$_name.wakes" "$(awk -v n=$_woken -v ns="$(used)" 'BEGIN { printf "%.1f", n * 1e9 / ns }')" wake-ups/s
	result "$_name.leaving" "$(awk -v a="$_left" -v b=$PACKETS 'BEGIN { printf "%.3f", a / b }')" ratio
	rmmod nprobe_k || fail "rmmod"
}

throughput() {
	new_flows 100000
	pktgen_run
	_base=$(divided "$(used)" 100000)
	result expiry.path "$_base" instructions
	new_and_read rx hook=rx flows=262144
	new_and_read ingress hook=ingress flows=262144
	new_and_read rx-large-table hook=rx flows=$SLOTS
}

# ---------------------------------------------------------------- wake-ups of the reader

# wakes RATE: a new flow RATE times a second, each of which leaves
wakes() {
	load devices=out0 hook=rx passive=1 flows=$SLOTS idle=1 active=60
	start_reader
	new_flows $(($1 * 4)) "ratep $1"
	pktgen_run
	wait_for 60 flushed || fail "flows do not leave"
	sums
	_woken=$(woken)
	stop_reader
	same "records read" "$read_records" $(($1 * 4))
	result expiry.wakes-at-$1 "$(divided "$_woken" 4)" wake-ups/s
	rmmod nprobe_k || fail "rmmod"
}

mount -t tracefs tracefs $TRACE || fail "no tracefs"
echo 16384 >$TRACE/buffer_size_kb
calibrate
make_link
looks
holds
throughput
wakes 100
wakes 1000
wakes 10000
