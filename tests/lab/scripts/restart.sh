# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# restart.sh: readers end and die in mid-run; every packet is in a record that was read, and none is read twice but
# for the batch that a killed reader had in its hands. One reads its configuration again and loses nothing by it. Then
# shutdown, unload, and a reader that waits for the return, and is not ended by a SIGHUP meanwhile. At last one that
# ends while the module makes more records than it can send.
. /lab/lib.sh
. /lab/module.sh

# packets FILE...: in the records printed; a line cut by a kill does not count
packets() {
	cat "$@" | awk -F, 'NF > 21 && $10 ~ /^[0-9]+$/ { sum += $10 } END { print sum + 0 }'
}

# It has joined when this returns: before that a signal ends it like any program.
run_reader() {
	nprobe-k --print csv -b 1 "$@" >"/tmp/flows.$run" 2>"/tmp/log.$run" &
	reader=$!
	run=$((run + 1))
	wait_for 20 grep -q " joined " /proc/net/nprobe_k/groups || fail "the reader did not join"
}

# run_reader_into_pipe LOG: as run_reader, into /tmp/pipe
run_reader_into_pipe() {
	nprobe-k --print csv -b 1 >/tmp/pipe 2>"$1" &
	reader=$!
	wait_for 20 grep -q " joined " $NPK/groups || fail "the reader did not join"
}

# read_rest WHY: what a reader left in the ring, by the next one; $left: packets in it
read_rest() {
	run_reader
	sleep 4
	kill -TERM "$reader"
	wait "$reader" || fail "$1"
	left=$(packets "/tmp/flows.$((run - 1))")
}

# answered N: the present reader has read its configuration N times again
answered() {
	[ "$(grep -c 'was read again' "/tmp/log.$((run - 1))")" = "$1" ]
}

# not_printed LOG: how many flows its reader said that it read and did not print
not_printed() {
	sed -n 's/.* \([0-9]*\) flows were not printed.*/\1/p' "$1"
}

make_link
load devices=out0 flows=100000 idle=1 active=2 ring_slots=65536
run=0
setup_flood 20000
pktgen_start
for signal in TERM INT TERM; do
	run_reader
	sleep 1
	kill -$signal "$reader"
	wait "$reader" || fail "SIG$signal: exit code $?"
done
run_reader
pktgen_wait
quiet
sleep 4
kill -TERM "$reader"
wait "$reader" || fail "the last reader failed"
sums
same "live" "$(stat_of live.packets)" 0
same "lost" "$(stat_of lost.default.records)" 0
same "packets in records read, readers ended by signals" "$(packets /tmp/flows.*)" 40000

rm /tmp/flows.*
setup_flood 20000
pktgen_start
for signal in 1 2 3; do
	run_reader
	sleep 1
	kill -KILL "$reader"
	wait "$reader" 2>/dev/null
done
run_reader
pktgen_wait
quiet
sleep 4
sums
got=$(packets /tmp/flows.*)
echo "packets in records read, readers killed: $got of 40000"
[ "$got" -ge 40000 ] || fail "records were lost"
[ "$got" -le $((40000 + 3 * 4096)) ] || fail "more than a batch was read twice"

kill -TERM "$reader"
wait "$reader" || fail "the last reader failed"
rm /tmp/flows.*
# found by review: a pipe that nobody reads. What it has no room for stays in the ring, the rows on their way too.
mkfifo /tmp/pipe
sleep 1000 </tmp/pipe &
holder=$!
setup_flood 20000
run_reader_into_pipe /tmp/log.pipe
pktgen_run
quiet
sleep 4
kill -TERM "$reader"
code=0
wait "$reader" || code=$?
kill "$holder"
same "exit code, into a pipe that nobody reads" $code 1
unprinted=$(not_printed /tmp/log.pipe)
printed=$(sed -n 's/.* \([0-9]*\) printed$/\1/p' /tmp/log.pipe)
[ "$unprinted" -gt 0 ] && [ "$unprinted" -lt 4000 ] || fail "not printed: $(cat /tmp/log.pipe)"
read_rest "the next reader failed"
sums
same "records printed, and left in the ring" "$((printed + $left))" 40000
rm /tmp/flows.*

# found by review: rows that were written while it ended were read again
setup_flood 20000
pktgen_run
quiet
sleep 4
while :; do
	dd bs=4096 count=1 status=none
	sleep 0.05
done </tmp/pipe >/tmp/flows.slow &
slow=$!
run_reader_into_pipe /tmp/log.slow
sleep 1
kill -TERM "$reader"
wait "$reader" && fail "a slow reader had all of it"
# the pipe is read empty
sleep 4
kill "$slow"
read_now=$(packets /tmp/flows.slow)
read_rest "the reader after a slow one failed"
got=$((read_now + $left))
echo "records printed slowly, $read_now, and left in the ring: $got of 40000"
[ "$got" -ge 40000 ] || fail "records were lost"
[ "$got" -le 40100 ] || fail "more than a piece was read twice"
rm /tmp/flows.*

# found by review: a pipe that is closed emptied the ring
setup_flood 20000
pktgen_run
quiet
sleep 4
{
	code=0
	nprobe-k --print csv -b 1 2>/tmp/log.head || code=$?
	echo $code >/tmp/code
} | head -n 1 >/dev/null
same "exit code, into a pipe that is closed" "$(cat /tmp/code)" 1
grep -q "standard output: Broken pipe" /tmp/log.head || fail "a closed pipe is not said: $(cat /tmp/log.head)"
unprinted=$(not_printed /tmp/log.head)
printed=$(sed -n 's/.* \([0-9]*\) printed$/\1/p' /tmp/log.head)
[ "$unprinted" -gt 0 ] && [ "$unprinted" -lt 4000 ] || fail "not printed, closed: $(cat /tmp/log.head)"
read_rest "the reader after a closed pipe failed"
got=$((printed + $left))
echo "records printed, and left in the ring by a closed pipe: $got of 40000"
[ "$got" -ge 40000 ] || fail "records were lost"
[ "$got" -le $((40000 + 4096)) ] || fail "more than a batch was read twice"
rm /tmp/flows.*

echo "collector=127.0.0.1:9" >/tmp/reload.conf
setup_flood 20000
pktgen_start
run_reader --config /tmp/reload.conf
# signals that come together are one: each is to be answered before the next
for times in 1 2 3; do
	sleep 1
	echo "collector=127.0.0.1:1$times,127.0.0.1:9" >/tmp/reload.conf
	kill -HUP "$reader"
	wait_for 20 answered $times || fail "SIGHUP $times: the reader does not say that it read again"
done
pktgen_wait
quiet
sleep 4
sums
got=$(packets /tmp/flows.*)
same "packets in records read, SIGHUP under load" "$got" 40000

log_mark
ok "shutdown" hostile shutdown
said "out0: detached: shutdown"
wait_for 5 grep -q 'ended its stream' "/tmp/log.$((run - 1))" || fail "the reader does not know"
ok "rmmod while the reader waits" rmmod nprobe_k
kill -HUP "$reader"
sleep 1
said "unloaded, every record was read"
load devices=out0 flows=100000 idle=1
wait_for 5 grep -q 'the module is back' "/tmp/log.$((run - 1))" || fail "the reader did not come back"
setup_flood 500
pktgen_run
quiet
sleep 3
kill -TERM "$reader"
wait "$reader" || fail "the reader failed"
same "packets read after the return" "$(($(packets /tmp/flows.*) - got))" 1000

# found by review: rows for a pipe that nobody reads were forgotten in silence while the module was away
sleep 1000 <>/tmp/pipe &
holder=$!
run_reader_into_pipe /tmp/log.away
setup_flood 350
pktgen_run
quiet
sleep 3
ok "shutdown" hostile shutdown
sleep 1
kill -TERM "$reader"
code=0
wait "$reader" || code=$?
same "exit code, the module away and nobody reads" $code 1
timeout 2 cat /tmp/pipe >/tmp/flows.away
kill "$holder"
unprinted=$(not_printed /tmp/log.away)
[ "$unprinted" -gt 0 ] || fail "the pipe had room for all: $(wc /tmp/flows.away)"
same "rows in the pipe and flows not printed, the module away" $((unprinted + $(packets /tmp/flows.away))) 700
ok "rmmod while nobody reads" rmmod nprobe_k
said "unloaded with $unprinted records unread"
load devices=out0 flows=100000 idle=1

# found by review: a reader that was told to stop went on for as long as the module made records sooner than it sent them
ended() {
	! grep -qs '^State:.[^Z]' "/proc/$reader/status"
}
setup_flood 0
pktgen_start
nprobe-k -b 1 -V nflow9 --nflow9-zlib --nflow-key secret -n 127.0.0.1:9 2>/tmp/log.flood &
reader=$!
wait_for 20 grep -q " joined " $NPK/groups || fail "the reader did not join"
sleep 3
kill -TERM "$reader"
wait_for 20 ended || fail "SIGTERM under a flood: the reader does not end"
wait "$reader" || fail "SIGTERM under a flood: exit code $?"
if ! grep -q ' 8192 8192 ' $NPK/groups; then
	grep -q ' kasan_report$' /proc/kallsyms || fail "the flood is none: $(cat /tmp/log.flood $NPK/groups)"
	echo "not run: SIGTERM under a flood: pktgen does not outrun the reader on a kernel with KASAN"
fi
pktgen_stop
quiet
sums
ok "rmmod" rmmod nprobe_k
