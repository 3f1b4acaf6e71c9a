# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# early.sh: a table of 1024 flows under 200,000 one-packet flows: no flow is refused, what leaves early is counted.
. /lab/lib.sh
. /lab/module.sh

make_link
log_mark
load devices=out0 flows=1024
nprobe-k -n 127.0.0.1:9 -b 0 2>/dev/null &
reader=$!
setup_flood 100000
pktgen_run
quiet
sums
same "packets seen" "$(stat_of seen.packets)" 200000
same "packets accounted" "$(stat_of accounted.packets)" 200000
[ "$(stat_of early.flows)" -gt 190000 ] || fail "closed early: $(stat_of early.flows)"
[ "$(stat_of flows)" -le 1050 ] || fail "flows: $(stat_of flows)"
said "early expiry began: the table of 1024 flows is full"
kill "$reader"
wait "$reader" || fail "the reader failed"
ok "rmmod" rmmod nprobe_k
