# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# sums.sh: the sums differ by 0 whenever they are read: under load on two processors, with a reader that is killed and
# comes back, with a ring too small, with no reader, when the device goes away under traffic, and at the end.
. /lab/lib.sh
. /lab/module.sh

READS=${1:-1000}

start_reader() {
	nprobe-k -n 127.0.0.1:9 -b 0 2>/dev/null &
	reader=$!
}

kill_reader() {
	kill -KILL "$reader"
	wait "$reader" 2>/dev/null
}

make_link
load devices=out0 flows=4000 idle=1 active=3 ring_slots=256
setup_flood 0
pktgen_start
start_reader
reads=0
while [ "$reads" -lt "$READS" ]; do
	sums
	reads=$((reads + 1))
	if [ $((reads % (READS / 4))) -eq 0 ]; then
		kill_reader
		start_reader
	fi
done
echo "ok: $READS reads under load, the reader killed 4 times, and every sum was right"
kill_reader
sleep 3
sums
echo "ok: no reader"
[ "$(stat_of lost.default.records)" -gt 0 ] || fail "nothing was lost with a ring of 256 records: no test"
[ "$(stat_of early.flows)" -gt 0 ] || fail "no flow was closed early: no test"
pktgen_stop
sent=$(pktgen_sent)
quiet
sums
same "frames seen" "$(stat_of frames)" "$sent"

pktgen_start
sleep 1
ip link del in0
wait "$_pktgen_pid"
sums
grep -q '^out0 absent' $NPK/devices || fail "$(cat $NPK/devices)"
echo "ok: the device was removed under traffic"
log_mark
ok "rmmod" rmmod nprobe_k
said "unloaded with "
gone || fail "something is left behind"
