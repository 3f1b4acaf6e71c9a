# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# churn.sh [ROUNDS]: load, attach and unload under traffic on two processors, each hook in turn.
. /lab/lib.sh
. /lab/module.sh

ROUNDS=${1:-50}
make_link
setup_flood 0
pktgen_start
log_mark
round=0
while [ $round -lt "$ROUNDS" ]; do
	case $((round % 5)) in
	0) load devices=out0 flows=5000 ;;
	1) load devices=out0 flows=5000 hook=tap ;;
	2) load devices=out0 flows=5000 hook=rx ;;
	3) load devices=out0 flows=5000 hook=rx passive=1 ;;
	4) load devices=out0 flows=5000 passive=1 ;;
	esac
	sleep 0.1
	sums
	[ "$(stat_of frames)" -gt 0 ] || fail "round $round metered nothing"
	rmmod nprobe_k || fail "rmmod in round $round"
	gone || fail "round $round left something behind"
	round=$((round + 1))
done
pktgen_stop
# "early expiry" and "unloaded with N records unread" are warnings by design; nothing worse may be there
log_since 3 | grep . && fail "the kernel said something"
echo "ok: $ROUNDS rounds of load, attach, rmmod under traffic"
