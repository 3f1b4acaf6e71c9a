#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# live.sh: nprobe-k, without a kernel module, on real traffic, judged by the programs that made it ("sudo make run-live").
#
#     namespace npk-a.PID                                  namespace npk-b.PID
#     ping, curl, dig, iperf3                              web server, dnsmasq, iperf3 -s
#       npk0    198.51.100.1         <--veth-->             npk0    198.51.100.129
#       npk0.7  203.0.113.1            VLAN 7               npk0.7  203.0.113.129     and IPv6: tests/run/programs.sh
#     nprobe-k -i live:npk0  --NetFlow v9, 127.0.0.1:2055-->  nfcapd
#
# Everything runs inside these two namespaces: nothing listens on the host and no frame leaves it.
# The offloads of the veth are off, so that what is metered is what a wire would carry.
#
# Environment: NPROBE_K=FILE takes another binary than build/nprobe-k.

set -euo pipefail
export LC_ALL=C

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
PACKAGES=$TOP/tests/lib/packages.sh
PROBE=${NPROBE_K:-$TOP/build/nprobe-k}
LOGS=$TOP/build/run

A=npk-a.$$
B=npk-b.$$
DEV=npk0
PORT=2055 # of the namespace's own loopback: always free

# shellcheck source=tests/run/common.sh
. "$TOP/tests/run/common.sh"
# shellcheck source=tests/run/show.sh
. "$TOP/tests/run/show.sh"
# shellcheck source=tests/run/programs.sh
. "$TOP/tests/run/programs.sh"

VLAN=$DEV.$VID

# ---------------------------------------------------------------- leaving the host as it was

# kill_namespace NAME: its processes, politely for a second, then the namespace.
kill_namespace() {
	local pids tries=0 signal=TERM
	while pids=$(ip netns pids "$1" 2>/dev/null) && [ -n "$pids" ] && [ "$tries" -lt 20 ]; do
		[ "$tries" -lt 10 ] || signal=KILL
		# shellcheck disable=SC2086 # a list of numbers; one that ended meanwhile is no error
		kill -"$signal" $pids 2>/dev/null || :
		sleep 0.1
		tries=$((tries + 1))
	done
	[ ! -e "/run/netns/$1" ] || ip netns del "$1"
}

# The logs stay, for who wants to look closer, and belong to the invoking user.
keep_logs() {
	rm -rf "$W/www" "$LOGS"
	mkdir -p "${LOGS%/*}"
	cp -r "$W" "$LOGS"
	rm -rf "$W"
	give_back "${LOGS%/*}"
}

# Runs on every way out. Failing to remove one thing must not keep the next from being removed.
cleanup() {
	local status=$?
	trap '' INT TERM HUP PIPE
	trap - EXIT
	set +e
	[ "$status" -le 128 ] || echo "run: interrupted, cleaning up" >&2
	kill_namespace "$A"
	kill_namespace "$B"
	[ -z "${W:-}" ] || keep_logs
	exit "$status"
}

# A run that was killed with SIGKILL could not clean up; the next one does, if that process is really gone.
sweep() {
	local ns
	for ns in $(ip netns list | awk '/^npk-[ab]\.[0-9]+/ { print $1 }'); do
		[ -d "/proc/${ns##*.}" ] || kill_namespace "$ns"
	done
}

# ---------------------------------------------------------------- helpers

in_a() { ip netns exec "$A" "$@"; }
in_b() { ip netns exec "$B" "$@"; }

# client LOG SENTENCE PROGRAM ARG...: runs it in namespace a; what it prints is kept.
client() {
	local log=$1 sentence=$2
	shift 2
	child in_a timeout 30 "$PACKAGES" tool "$@" >"$W/$log" 2>&1 || fail "$sentence" "$log"
}

# server LOG PROGRAM ARG...: starts it in namespace b.
server() {
	local log=$1
	shift
	ip netns exec "$B" "$PACKAGES" tool "$@" >"$W/$log" 2>&1 &
	PID=$!
}

web_server() { server web.log python3 -u -m http.server --directory "$W/www" --bind :: 80; }

# ---------------------------------------------------------------- what must be there

check_host() {
	local prog
	[ "$(id -u)" -eq 0 ] || { echo "run: this needs root; run: sudo make run-live" >&2; exit 1; }
	for prog in ip ethtool ping curl python3; do
		command -v "$prog" >/dev/null || { echo "run: $prog is missing; run: sudo make run-live" >&2; exit 1; }
	done
	[ -x "$PROBE" ] || { echo "run: $PROBE is missing; run: make" >&2; exit 1; }
	"$PACKAGES" tools nfdump iperf3 dnsmasq-base bind9-dnsutils
}

# ---------------------------------------------------------------- topology

offloads_off() {
	local ns=$1 name left
	for name in tx rx sg tso gso gro txvlan rxvlan; do
		# Some kernels cannot change some of these; what counts is how it looks afterwards.
		ip netns exec "$ns" ethtool -K "$DEV" "$name" off >>"$W/ethtool.log" 2>&1 || :
	done
	left=$(ip netns exec "$ns" ethtool -k "$DEV" |
		awk '/^(tcp-segmentation|generic-segmentation|generic-receive)-offload: on/ { print $1 }')
	[ -z "$left" ] || fail "an offload cannot be switched off: $left" ethtool.log
}

make_namespaces() {
	ip netns add "$A" 2>"$W/netns.log" || fail "no network namespace can be made here" netns.log
	ip netns add "$B" 2>"$W/netns.log" || fail "no network namespace can be made here" netns.log
	ip link add "$DEV" netns "$A" type veth peer name "$DEV" netns "$B" 2>"$W/netns.log" ||
		fail "no veth pair can be made here" netns.log
	set_sysctls "$A"
	set_sysctls "$B"
	offloads_off "$A"
	offloads_off "$B"
	ip -n "$A" link set lo up
	ip -n "$B" link set lo up
	ip -n "$A" address add "$A4/24" dev "$DEV"
	ip -n "$B" address add "$B4/24" dev "$DEV"
	ip -n "$A" address add "$A6/48" dev "$DEV" nodad
	ip -n "$B" address add "$B6/48" dev "$DEV" nodad
	# The other end stays down until the meter runs: until then not one frame can pass.
	ip -n "$A" link set "$DEV" up
}

carrier() { [ "$(in_a cat "/sys/class/net/$1/carrier")" = 1 ]; }

connect() {
	ip -n "$B" link set "$DEV" up
	wait_for 5 "the veth does not come up" netns.log carrier "$DEV"
	add_vlan "$A" "$VA4/24" "$VA6/48"
	add_vlan "$B" "$VB4/24" "$VB6/48"
	wait_for 5 "the VLAN does not come up" vlan.log carrier "$VLAN"
}

add_vlan() {
	local ns=$1
	if ! ip -n "$ns" link add link "$DEV" name "$VLAN" type vlan id "$VID" 2>>"$W/vlan.log"; then
		[ "$ns" = "$B" ] || say "this kernel has no VLAN devices: vlan_tap.py tags the frames instead"
		ip netns exec "$ns" python3 "$HERE/vlan_tap.py" "$DEV" "$VLAN" "$VID" >>"$W/vlan.log" 2>&1 &
		TAPS+=($!)
		wait_for 5 "no VLAN can be made here" vlan.log ip -n "$ns" link show "$VLAN"
		ip -n "$ns" link set "$VLAN" address "$(ip netns exec "$ns" cat "/sys/class/net/$DEV/address")"
	fi
	ip -n "$ns" address add "$2" dev "$VLAN"
	ip -n "$ns" address add "$3" dev "$VLAN" nodad
	ip -n "$ns" link set "$VLAN" up
}

# Nobody may send while the link goes down, or a frame would be metered that the veth does not count: first the
# VLAN's helpers and the addresses go, and only then the link.
disconnect() {
	local pid ns
	for pid in "${TAPS[@]}"; do
		kill "$pid"
		wait "$pid" || : # of the signal just sent
	done
	for ns in "$A" "$B"; do
		ip netns exec "$ns" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
		ip -n "$ns" address flush dev "$DEV"
	done
	ip -n "$B" link set "$DEV" down
}

# What a meter on the device sees: packets received, sent, and sent when the other end could not take them.
frames() {
	local name
	for name in rx_packets tx_packets tx_dropped; do
		in_a cat "/sys/class/net/$DEV/statistics/$name"
	done | paste -sd' '
}

# ---------------------------------------------------------------- meter and collector

start_meter() {
	mkdir "$W/flows"
	ip netns exec "$A" "$PACKAGES" tool nfcapd -w "$W/flows" -b 127.0.0.1 -p "$PORT" -t 300 >"$W/nfcapd.log" 2>&1 &
	NFCAPD=$!
	wait_for 10 "nfcapd does not listen" nfcapd.log bound udp "$NFCAPD" "$PORT"
	ip netns exec "$A" "$PROBE" -i "live:$DEV" -n "127.0.0.1:$PORT" -V 9 -d 2 -t 60 --stats-json "$W/stats.json" \
		>"$W/nprobe-k.log" 2>&1 &
	METER=$!
	wait_for 10 "nprobe-k does not open $DEV" nprobe-k.log metering
	meter_alive
}

# Its packet socket is bound to the device and runs, or it has ended instead.
metering() { ! alive "$METER" || [ -n "$(awk '$5 > 0 && $6 == 1' "/proc/$METER/net/packet")" ]; }

meter_alive() {
	alive "$METER" || fail "nprobe-k ended by itself: $(tail -n1 "$W/nprobe-k.log")" nprobe-k.log
}

stop_meter() {
	disconnect
	frames >"$W/frames.after"
	in_a cat /proc/net/snmp >"$W/snmp.a"
	in_b cat /proc/net/snmp >"$W/snmp.b"
	meter_alive
	stop "$METER" nprobe-k nprobe-k.log
	nap 0.5 # what is still in nfcapd's socket
	stop "$NFCAPD" nfcapd nfcapd.log
}

# ---------------------------------------------------------------- what came out

read_flows() {
	child "$PACKAGES" tool nfdump -R "$W/flows" -o json >"$W/flows.json" 2>"$W/nfdump.log" ||
		fail "nfdump cannot read what nfcapd wrote" nfdump.log
	child "$PACKAGES" tool nfdump -R "$W/flows" -6 -N -O bytes -o long >"$W/flows.txt" 2>"$W/nfdump.log" ||
		fail "nfdump cannot read what nfcapd wrote" nfdump.log
}

main() {
	check_host
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	trap 'exit 141' PIPE
	TAPS=()
	W=$(mktemp -d)
	chmod 755 "$W" # programs that give up root still read from it
	sweep
	say "making namespaces $A and $B, joined by a veth"
	make_namespaces
	frames >"$W/frames.before"
	say "starting nfcapd and nprobe-k in $A, servers in $B"
	start_meter
	connect
	start_servers
	run_programs
	say "stopping nprobe-k, then nfcapd"
	stop_meter
	read_flows
	show_flows "$W/flows.txt"
	child python3 "$HERE/verdict.py" "$W" || fail "the flows do not say what the programs say"
	what_next
}

main "$@"
