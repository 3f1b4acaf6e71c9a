# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# cost.sh PACKETS: what metering a packet costs on its way through the kernel, in a guest whose nanoseconds are
# instructions (guest --icount). Prints one line for each hook and kind of traffic: instructions per packet, in all and
# added to the path without the module.
. /lab/lib.sh
. /lab/module.sh

PACKETS=${1:-20000}
LIVE='flows 1000
flowlen 100000000
flag IPDST_RND
dst_min 10.1.0.0
dst_max 10.1.255.255'
ONE='burst 1'

# traffic KIND: sets pktgen up
traffic() {
	case $1 in
	one-flow) _settings=$ONE ;;
	live-1000) _settings=$LIVE ;;
	new-flows) _settings=$FLOOD ;;
	esac
	IFS='
'
	# shellcheck disable=SC2086 # one setting a line
	set -- $_settings
	unset IFS
	pktgen_setup out0 0 "$PACKETS" "$@"
}

# nanoseconds: those pktgen needed for a packet, the second of two runs, when every flow is known
nanoseconds() {
	traffic "$1"
	pktgen_run
	pktgen_run
	sed -n 's/.*OK: \([0-9]*\)(.*/\1/p' "$PKTGEN/out0@0" | awk -v n="$PACKETS" '{ printf "%d\n", $1 * 1000 / n + 0.5 }'
}

# cost NAME KIND PARAMETER...: loads the module, measures, unloads
cost() {
	_name=$1 _kind=$2
	shift 2
	load devices=out0 flows=262144 "$@"
	_ns=$(nanoseconds "$_kind")
	sums
	rmmod nprobe_k || fail "rmmod"
	echo "cost $_name $_kind $_ns $((_ns - $(eval echo "\$base_$(echo "$_kind" | tr - _)")))"
}

make_link
for kind in one-flow live-1000 new-flows; do
	ns=$(nanoseconds $kind)
	eval "base_$(echo $kind | tr - _)=$ns"
	echo "cost none $kind $ns 0"
done
for hook in rx tap ingress; do
	for kind in one-flow live-1000 new-flows; do
		cost "$hook" $kind hook=$hook
	done
done
for hook in rx ingress; do
	cost "$hook-passive" live-1000 hook=$hook passive=1
done
