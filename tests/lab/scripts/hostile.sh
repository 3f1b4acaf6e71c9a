# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# hostile.sh: a reader that does everything wrong hurts only its own records, and the counters say so.
. /lab/lib.sh
. /lab/module.sh

bad_tails() {
	awk 'NR > 1 { sum += $6 } END { print sum + 0 }' $NPK/groups
}

make_link
load devices=out0 flows=5000 idle=1 ring_slots=256
setup_flood 0
pktgen_start
ok "what must be refused is" hostile refusals
same "nonsense counted so far" "$(bad_tails)" 0
ok "nonsense positions" hostile garbage 5
[ "$(bad_tails)" -gt 0 ] || fail "nonsense positions were not counted"
sums
ok "children that inherit and die" hostile fork
sums
hostile garbage 30 &
reader=$!
sleep 1
kill -KILL "$reader"
wait "$reader" 2>/dev/null
sums
# who comes next reads as if nothing had been
nprobe-k -n 127.0.0.1:9 --stats-json /tmp/stats 2>/out/next.log &
reader=$!
sleep 3
before=$(stat_of published.default.records)
sleep 1
[ "$(stat_of published.default.records)" -gt "$before" ] || fail "nothing is published to the next reader"
pktgen_stop
quiet
sums
kill -TERM "$reader"
wait "$reader" || fail "the next reader failed"
grep -q 'records wait' /out/next.log || fail "the next reader was told of no backlog"
ok "rmmod" rmmod nprobe_k
