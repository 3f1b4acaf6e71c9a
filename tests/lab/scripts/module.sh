# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# module.sh: what the scripts about the module share. Source it after lib.sh.

NPK=/proc/net/nprobe_k

# load PARAMETER...
load() {
	insmod /lib/nprobe_k.ko "$@" || fail "insmod $*"
}

# sums: every difference in the statistics is 0.
sums() {
	_wrong=$(grep '^difference' $NPK/stats | grep -v ' 0$') || return 0
	cat $NPK/stats
	fail "the sums differ: $_wrong"
}

stat_of() {
	counter $NPK/stats "$1"
}

# make_link: a veth pair in0, out0 that carries nothing of its own.
make_link() {
	ip link add in0 type veth peer name out0 || fail "no veth"
	silence in0
	silence out0
	ip link set in0 up
	ip link set out0 up
	wait_for 5 grep -q 1 /sys/class/net/out0/carrier || fail "out0 has no carrier"
}

# quiet: the module has stopped seeing frames.
quiet() {
	_last=-1
	while _now=$(stat_of frames) && [ "$_now" != "$_last" ]; do
		_last=$_now
		sleep 0.3
	done
}

# said TEXT: the module said so since log_mark.
said() {
	log_since | grep -qF "nprobe_k: $1" || {
		log_since
		fail "the log does not say \"$1\""
	}
	echo "ok: the log says \"$1\""
}

# gone: nothing of the module is left.
gone() {
	[ ! -e /dev/nprobe_k ] && [ ! -e $NPK ] && ! grep -q '^nprobe_k' /proc/modules
}

# Two processors, every packet another flow.
FLOOD='flag IPSRC_RND
src_min 10.2.0.0
src_max 10.200.255.255
flag UDPSRC_RND
udp_src_min 1
udp_src_max 60000'

# setup_flood COUNT [DEV]: COUNT packets a processor, 0 = until pktgen_stop.
setup_flood() {
	pktgen_setup "${2:-out0}" "0 1" "$1" "$FLOOD"
}
