# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# cpus.sh: what belongs together is received on two devices by two processors: both directions of a connection whose
# delays are known, and the fragments of packets. cpus.py judges what is left in /out.
. /lab/lib.sh
. /lab/module.sh
. /lab/router.sh

OUT=/out
SERVER_MS=40 CLIENT_MS=25 ANSWER_MS=300

# steer DEV MASK: which processor receives
steer() {
	echo "$2" >"/sys/class/net/$1/queues/rx-0/rps_cpus" || fail "$1 cannot be steered"
}

# The way back from each end system takes its time.
slow() {
	ip netns exec "$1" tc qdisc add dev eth0 root netem delay "$2ms" || fail "no netem"
}

# hex OCTETS...: as a file has them
hex() {
	for _octet in "$@"; do
		# shellcheck disable=SC2059 # that is the point
		printf "\\$(printf %03o "0x$_octet")"
	done
}

# fragment FILE IDENT FRAG: 24 octets of UDP from 192.0.2.1:4369 to 198.51.100.2:8738; FRAG in hex, as in the header
fragment() {
	{
		hex d4 c3 b2 a1 02 00 04 00 00 00 00 00 00 00 00 00 ff ff 00 00 01 00 00 00
		hex 00 00 00 00 00 00 00 00 3c 00 00 00 3c 00 00 00
		hex 02 00 00 00 00 02 02 00 00 00 00 01 08 00
		# shellcheck disable=SC2086 # octets
		hex 45 00 00 2c 12 $2 $3 40 11 00 00 c0 00 02 01 c6 33 64 02
		hex 11 11 22 22 00 30 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
	} >"$1"
}

replay() {
	ip netns exec "$1" tcpreplay -q -i eth0 "$2" >/tmp/tcpreplay 2>&1 || fail "tcpreplay: $(cat /tmp/tcpreplay)"
	quiet
}

connection() {
	printf '#!/bin/sh\nread line\nsleep 0.%s\necho answer\n' $ANSWER_MS >/tmp/answer
	chmod 755 /tmp/answer
	ip netns exec b nc -l -p 5001 -e /tmp/answer &
	wait_for 10 listens_on 5001 || fail "the server does not listen"
	(
		echo question
		sleep 2
	) | ip netns exec a nc 10.2.0.1 5001 | grep -q answer || fail "no answer"
}

listens_on() {
	ip netns exec b cat /proc/net/tcp /proc/net/tcp6 | grep -q ":$(printf %04X "$1") .* 0A "
}

no_flows() {
	[ "$(stat_of flows)" -eq 0 ]
}

network
slow a $CLIENT_MS
slow b $SERVER_MS
load devices=va,vb cpus=0,1 key=ifindex idle=3 active=60
# tcpdump shall stamp where the module does, behind the queue from one processor to the other
echo 0 >/proc/sys/net/core/netdev_tstamp_prequeue
steer va 1
steer vb 2
witness va 128 "-Q in tcp"
witness vb 128 "-Q in tcp"
nprobe-k --print csv -b 1 >/out/flows.csv 2>/out/nprobe-k.log &
reader=$!
wait_for 10 grep -q joined $NPK/groups || fail "nprobe-k: $(cat /out/nprobe-k.log)"

connection
# the first fragment by one processor, what follows by the other; then one that nobody has seen the start of
fragment /tmp/first 34 "20 00"
fragment /tmp/later 34 "00 03"
fragment /tmp/orphan 35 "00 03"
replay a /tmp/first
replay b /tmp/later
replay b /tmp/orphan
same "fragments whose first is not known" "$(stat_of note_fragment_unknown.packets)" 1
cat $NPK/cpu >/out/cpu
wait_for 20 no_flows || fail "flows stay: $(cat $NPK/flows)"
sleep 1
kill -TERM $reader
wait $reader || fail "nprobe-k: $(cat /out/nprobe-k.log)"
sums
cat $NPK/stats >/out/stats
end_witnesses
rmmod nprobe_k || fail "rmmod"
