# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# peer.sh: ipt_NETFLOW in a guest, to be sourced after lib.sh. The guest needs /lib/ipt_NETFLOW.ko and
# /lib/xtables/libipt_NETFLOW.so as tests/bench/peer.sh makes them, and the program iptables-legacy (PEER_* name other
# places of them).
#
# It meters where its manual puts it, in PREROUTING of the raw table, so packets have to reach IP: pktgen's destination
# address must be the receiving device's. Its timeouts are long and what it exports goes nowhere: only metering is seen.

: "${PEER_KO:=/lib/ipt_NETFLOW.ko}" "${PEER_LIB:=/lib/xtables}" "${PEER_IPTABLES:=iptables-legacy}"

peer_rule() {
	XTABLES_LIBDIR=$PEER_LIB "$PEER_IPTABLES" -t raw "$@" || fail "iptables -t raw $*"
}

# peer_table: the raw table alone, which packets from then on walk through; gone with peer_table_gone.
peer_table() {
	modprobe iptable_raw 2>/dev/null
	peer_rule -S >/dev/null
}

# A table that is built in stays, and so does its cost.
peer_table_gone() {
	[ ! -d /sys/module/iptable_raw ] || rmmod iptable_raw 2>/dev/null
}

# peer_load [PARAMETER...]: the module and its rule.
peer_load() {
	peer_table
	insmod "$PEER_KO" destination=127.0.0.1:9 active_timeout=1800 inactive_timeout=1800 "$@" ||
		fail "insmod ipt_NETFLOW"
	peer_rule -A PREROUTING -j NETFLOW
}

# peer_packets: those it has seen.
peer_packets() {
	counter /proc/net/stat/ipt_netflow_snmp inPackets
}

peer_unload() {
	peer_rule -D PREROUTING -j NETFLOW
	rmmod ipt_NETFLOW || fail "rmmod ipt_NETFLOW"
	peer_table_gone
}
