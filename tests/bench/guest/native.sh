# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# native.sh ROUNDS: nanoseconds a packet costs on its way through the kernel, by what meters it, in a guest
# at native speed. Each round measures everything once, in an order of its own. Prints "KIND SUBJECT ROUND NANOSECONDS".
. /lab/lib.sh
. /lab/module.sh
. /lab/subjects.sh

ROUNDS=$1
SUBJECTS='base raw_table rx ingress rx-passive rx-drop ipt_netflow'

# Packets are for this host, whose UDP drops them: nobody listens, and no ICMP is sent. Packets without a route would get
# a cache entry each, freed by RCU after a tick or two: a short run would end before it pays for that, a longer one pays
# for several.
make_path() {
	make_link
	ip link set lo up
	ip route add local 10.1.0.0/16 dev lo || fail "no route"
	echo 0 >/proc/sys/net/ipv4/icmp_msgs_per_sec
	traffic live-1000
	pktgen_run
	_udp=$(awk '$1 == "Udp:" { ports = $3 } END { print ports }' /proc/net/snmp)
	[ "$_udp" -eq "$_packets" ] || fail "$_udp of $_packets packets reach UDP"
}

# A run is to be over before the host has something else to do; of several the fastest counts.
LIVE_RUNS=10 LIVE_PACKETS=64000 # whole bursts
# Every run needs room in the table for flows of its own.
NEW_RUNS=6 NEW_PACKETS=20000

# One frame is received 32 times over, so that making it costs little beside receiving it.
BURSTS="burst 32
flag NO_TIMESTAMP
$LIVE"

# Each frame is made anew: that cost is in all subjects alike.
NEW="flag NO_TIMESTAMP
$FLOOD"

# traffic KIND: sets pktgen up
traffic() {
	case $1 in
	live-1000) _packets=$LIVE_PACKETS _runs=$LIVE_RUNS && frames "$_packets" "$BURSTS" ;;
	new-flows) _packets=$NEW_PACKETS _runs=$NEW_RUNS && frames "$_packets" "$NEW" ;;
	esac
}

# measure KIND SUBJECT ROUND: not counting the first run, which finds no flow.
measure() {
	begin "$2"
	traffic "$1"
	run
	_best=1000000000 _run=0
	while [ $_run -lt "$_runs" ]; do
		run
		[ "$US" -ge $_best ] || _best=$US
		_run=$((_run + 1))
	done
	echo "$1 $2 $3 $_best" | awk -v n="$_packets" '{ printf "%s %s %s %.2f\n", $1, $2, $3, $4 * 1000 / n }'
	seen "$2" $(((_runs + 1) * _packets))
	end "$2"
}

# turned N WORD...: the words, beginning with the Nth.
turned() {
	_n=$(($1 % ($# - 1)))
	shift
	while [ "$_n" -gt 0 ]; do
		_word=$1
		shift
		set -- "$@" "$_word"
		_n=$((_n - 1))
	done
	echo "$@"
}

make_path
round=0
while [ "$round" -lt "$ROUNDS" ]; do
	for kind in live-1000 new-flows; do
		# shellcheck disable=SC2086 # words
		for subject in $(turned "$round" $SUBJECTS); do
			measure "$kind" "$subject" "$round"
		done
	done
	round=$((round + 1))
done
dmesg | sed -n 's/.*floor: clock \([0-9]*\) ps/clock clock \1/p' | awk '{ print $1, $2, NR, $3 / 1000 }'
