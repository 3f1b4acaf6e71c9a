# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# subjects.sh: what a packet can meet on its way through the kernel, and pktgen to send it. To be sourced after module.sh;
# needs /lib/floor.ko, and what peer.sh says.
. /lab/peer.sh

# After three rounds of the reaper the module's clock knows the rate of the cycle counter; until then it asks the kernel.
meter() {
	load devices=out0 flows="${FLOWS:-262144}" active=3600 idle=3600 "$@"
	sleep 0.5
}

begin() {
	case $1 in
	base) ;;
	raw_table) peer_table ;;
	rx | tap | ingress) meter hook="$1" ;;
	rx-passive) meter hook=rx passive=1 ;;
	ingress-passive) meter hook=ingress passive=1 ;;
	rx-drop) insmod /lib/floor.ko device=out0 || fail "insmod floor" ;;
	ipt_netflow) peer_load ;;
	*) fail "no subject $1" ;;
	esac
}

# seen SUBJECT COUNT: it has seen so many packets; a number that measured nothing is worth nothing.
seen() {
	case $1 in
	rx | tap | ingress | *-passive) _seen=$(stat_of frames) && sums ;;
	ipt_netflow) _seen=$(peer_packets) ;;
	*) return 0 ;;
	esac
	[ "$_seen" -eq "$2" ] || fail "$1 has seen $_seen packets of $2"
}

end() {
	case $1 in
	raw_table) peer_table_gone ;;
	rx | tap | ingress | *-passive) rmmod nprobe_k || fail "rmmod nprobe_k" ;;
	rx-drop) rmmod floor || fail "rmmod floor" ;;
	ipt_netflow) peer_unload ;;
	esac
}

# 1000 flows, again and again.
LIVE='flows 1000
flowlen 100000000
flag IPDST_RND
dst_min 10.1.0.0
dst_max 10.1.255.255'

# frames COUNT SETTINGS: out0 will receive COUNT.
frames() {
	pktgen_setup out0 0 "$@"
}

# run: sends them, and sets US to the microseconds it took. Without a program: starting one takes longer than a run.
run() {
	pktgen_run
	while read -r _line; do
		case $_line in
		"Result: OK: "*) US=${_line#Result: OK: } US=${US%%(*} ;;
		esac
	done <"$PKTGEN/out0@0"
}
