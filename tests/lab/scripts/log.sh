# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# log.sh: the sentences that take a minute: no reader, early expiry ended; each is said once.
. /lab/lib.sh
. /lab/module.sh

make_link
log_mark
load devices=out0 flows=1000 idle=1 ring_slots=64
setup_flood 5000
pktgen_run
said "early expiry began: the table of 1000 flows is full"
sleep 3
said "lost "
sleep 66
said "group default: no reader for 60 s, "
said "early expiry ended: "
for sentence in "no reader for" "early expiry began" "early expiry ended"; do
	same "times \"$sentence\" was said" "$(log_since | grep -c "$sentence")" 1
done
sums
ok "rmmod" rmmod nprobe_k
