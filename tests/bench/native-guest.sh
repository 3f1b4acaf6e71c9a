# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# native-guest.sh ROUNDS PACKETS: nanoseconds a packet costs on its way through the kernel, by what meters it, in a guest
# at native speed. Each round measures everything once, in an order of its own. Prints "KIND SUBJECT ROUND NANOSECONDS".
. /lab/lib.sh
. /lab/module.sh
. /lab/peer-guest.sh

ROUNDS=$1
PACKETS=$2
SUBJECTS='base raw_table observe-rx observe-ingress passive-rx drop-rx ipt_netflow'

# One frame is received 32 times over, so that making it costs little beside receiving it.
LIVE='burst 32
flag NO_TIMESTAMP
flows 1000
flowlen 100000000
flag IPDST_RND
dst_min 10.1.0.0
dst_max 10.1.255.255'

# Each frame is made anew: that cost is in all subjects alike. Fewer of them, so that the table has room.
NEW="flag NO_TIMESTAMP
$FLOOD"
NEW_PACKETS=40000

# traffic KIND: sets pktgen up
traffic() {
	case $1 in
	live-1000) _settings=$LIVE _packets=$PACKETS ;;
	new-flows) _settings=$NEW _packets=$NEW_PACKETS ;;
	esac
	IFS='
'
	# shellcheck disable=SC2086 # one setting a line
	set -- $_settings
	unset IFS
	pktgen_setup out0 0 "$_packets" "$@"
}

meter() {
	load devices=out0 flows=262144 active=3600 idle=3600 "$@"
}

begin() {
	case $1 in
	base) ;;
	raw_table) peer_table ;;
	observe-rx) meter hook=rx ;;
	observe-ingress) meter hook=ingress ;;
	passive-rx) meter hook=rx passive=1 ;;
	drop-rx) insmod /lib/floor.ko device=out0 || fail "insmod floor" ;;
	ipt_netflow) peer_load ;;
	esac
}

# seen SUBJECT COUNT: the meter has seen all packets of both runs; a number that measured nothing is worth nothing.
seen() {
	case $1 in
	observe-* | passive-*) _seen=$(stat_of frames) && sums ;;
	ipt_netflow) _seen=$(peer_packets) ;;
	*) return ;;
	esac
	[ "$_seen" -eq "$2" ] || fail "$1 has seen $_seen packets of $2"
}

end() {
	case $1 in
	raw_table) peer_table_gone ;;
	observe-* | passive-*) rmmod nprobe_k || fail "rmmod nprobe_k" ;;
	drop-rx) rmmod floor || fail "rmmod floor" ;;
	ipt_netflow) peer_unload ;;
	esac
}

# measure KIND SUBJECT ROUND: the second of two runs, when every flow is known.
measure() {
	begin "$2"
	traffic "$1"
	pktgen_run
	pktgen_run
	sed -n 's/.*OK: \([0-9]*\)(.*/\1/p' "$PKTGEN/out0@0" |
		awk -v n="$_packets" -v what="$1 $2 $3" '{ printf "%s %.2f\n", what, $1 * 1000 / n }'
	seen "$2" $((2 * _packets))
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

make_link
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
