# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# native-guest.sh ROUNDS: nanoseconds a packet costs on its way through the kernel, by what meters it, in a guest
# at native speed. Each round measures everything once, in an order of its own. Prints "KIND SUBJECT ROUND NANOSECONDS".
. /lab/lib.sh
. /lab/module.sh
. /lab/peer-guest.sh

ROUNDS=$1
SUBJECTS='base raw_table observe-rx observe-ingress passive-rx drop-rx ipt_netflow'

# A run is to be over before the host has something else to do; of several the fastest counts.
LIVE_RUNS=10 LIVE_PACKETS=64000 # whole bursts
# Every run needs room in the table for flows of its own.
NEW_RUNS=6 NEW_PACKETS=20000

# One frame is received 32 times over, so that making it costs little beside receiving it.
LIVE='burst 32
flag NO_TIMESTAMP
flows 1000
flowlen 100000000
flag IPDST_RND
dst_min 10.1.0.0
dst_max 10.1.255.255'

# Each frame is made anew: that cost is in all subjects alike.
NEW="flag NO_TIMESTAMP
$FLOOD"

# traffic KIND: sets pktgen up
traffic() {
	case $1 in
	live-1000) _settings=$LIVE _packets=$LIVE_PACKETS _runs=$LIVE_RUNS ;;
	new-flows) _settings=$NEW _packets=$NEW_PACKETS _runs=$NEW_RUNS ;;
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

# run: sets US to the microseconds it took. Without a program: starting one takes longer here than a run.
run() {
	pktgen_run
	while read -r _line; do
		case $_line in
		"Result: OK: "*) US=${_line#Result: OK: } US=${US%%(*} ;;
		esac
	done <"$PKTGEN/out0@0"
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
