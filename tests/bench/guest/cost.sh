# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# cost.sh PACKETS: instructions a packet costs on its way through the kernel, in a guest whose nanoseconds are
# instructions. Prints "KIND SUBJECT INSTRUCTIONS" for each kind of traffic and what meters it.
. /lab/lib.sh
. /lab/module.sh
. /lab/subjects.sh

PACKETS=$1
# one after the other, so that after as many packets all of them live
MILLION=1048576
LIVE_MILLION='dst_min 10.16.0.0
dst_max 10.31.255.255'

# per_packet KIND SUBJECT PACKETS
per_packet() {
	echo "$1 $2 $(((US * 1000 + $3 / 2) / $3))"
}

# measure KIND SUBJECT SETTINGS: the second of two runs; the first finds no flow.
measure() {
	begin "$2"
	frames "$PACKETS" "$3"
	run
	run
	per_packet "$1" "$2" "$PACKETS"
	seen "$2" $((2 * PACKETS))
	end "$2"
}

# measure_million SUBJECT: one run makes the flows, and a short one comes back to the first of them.
measure_million() {
	FLOWS=1572864
	begin "$1"
	frames $MILLION "$LIVE_MILLION"
	run
	frames "$PACKETS" "$LIVE_MILLION"
	run
	per_packet live-1m "$1" "$PACKETS"
	seen "$1" $((MILLION + PACKETS))
	end "$1"
	unset FLOWS
}

# measure_merged SUBJECT: segments merged into frames of 45, from a tap device; per segment.
measure_merged() {
	modprobe tun 2>/dev/null
	mkdir -p /dev/net
	[ -c /dev/net/tun ] || mknod /dev/net/tun c 10 200
	ip tuntap add name out0 mode tap vnet_hdr || fail "no tap device"
	silence out0
	ip link set out0 up
	begin "$1"
	_ns=$(/bin/merged out0 2000) || fail "merged"
	echo "merged $1 $_ns"
	seen "$1" 4000
	end "$1"
	ip link del out0
}

for subject in base rx ingress; do
	measure_merged $subject
done
make_link
for subject in base raw_table rx tap ingress rx-passive ingress-passive rx-drop ipt_netflow; do
	measure live-1000 $subject "$LIVE"
	measure new-flows $subject "$FLOOD"
done
for subject in base rx ipt_netflow; do
	measure_million $subject
done
