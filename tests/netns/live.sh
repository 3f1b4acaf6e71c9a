#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# live.sh: nprobe-k on real traffic of this host, judged by the programs that made it ("sudo make run").
#
#     namespace npk-a.PID                                  namespace npk-b.PID
#     ping, curl, dig, iperf3                              web server, dnsmasq, iperf3 -s
#       npk0    198.51.100.1   2001:db8:1::1   <--veth-->   npk0    198.51.100.2   2001:db8:1::2
#       npk0.7  203.0.113.1    2001:db8:7::1   VLAN 7       npk0.7  203.0.113.2    2001:db8:7::2
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
VID=7
VLAN=$DEV.$VID
PORT=2055 # of the namespace's own loopback: always free

WEB_BYTES=1500000
QUERIES=100
PINGS=20
TCP_RATE=20M
UDP_RATE=4M
SECONDS_EACH=2
FLOW_LINES=40

say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }

# One sentence and where to read more; cleanup() puts the logs there.
fail() {
	printf 'run: failed: %s; log: %s\n' "$1" "$LOGS/${2:-}" >&2
	exit 1
}

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
	local owner=${SUDO_UID:-0}:${SUDO_GID:-0}
	rm -rf "$W/www" "$LOGS"
	mkdir -p "${LOGS%/*}"
	cp -r "$W" "$LOGS"
	rm -rf "$W"
	chown -h "$owner" "${LOGS%/*}"
	chown -hR "$owner" "$LOGS"
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

# The work is done by a child that is waited for, because bash runs a trap only when no program is in its foreground.
child() {
	"$@" &
	wait $!
}

nap() { child sleep "$1"; }

# wait_for SECONDS WHAT LOG COMMAND...: until the command succeeds.
wait_for() {
	local end=$((SECONDS + $1)) what=$2 log=$3
	shift 3
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || fail "$what" "$log"
		nap 0.1
	done
}

# client LOG SENTENCE COMMAND...: runs a program in namespace a; what it prints is kept.
client() {
	local log=$1 sentence=$2
	shift 2
	child in_a timeout 30 "$@" >"$W/$log" 2>&1 || fail "$sentence" "$log"
}

# bound tcp|udp PID PORT: a socket of that port is there, in the namespace of the process.
bound() { grep -qE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$3") " "/proc/$2/net/$1" "/proc/$2/net/${1}6"; }
alive() { kill -0 "$1" 2>/dev/null; }

# ---------------------------------------------------------------- what must be there

check_host() {
	local prog
	[ "$(id -u)" -eq 0 ] || { echo "run: this needs root; run: sudo make run" >&2; exit 1; }
	for prog in ip ethtool ping curl python3; do
		command -v "$prog" >/dev/null || { echo "run: $prog is missing; run: sudo make run" >&2; exit 1; }
	done
	[ -x "$PROBE" ] || { echo "run: $PROBE is missing; run: make" >&2; exit 1; }
	"$PACKAGES" tools nfdump iperf3 dnsmasq-base bind9-dnsutils
}

# ---------------------------------------------------------------- topology

# Accounting of TCP is exact only while its header has a known length: timestamps in every segment, no selective
# acknowledgements (sent whenever segments arrive out of order), nothing newer negotiated.
# Small windows keep a burst below what a receiving CPU queues, so that nothing has to be sent again.
set_sysctls() {
	local ns=$1 name
	for name in tcp_timestamps=1 tcp_sack=0 tcp_window_scaling=1 tcp_ecn=0 tcp_fastopen=0 tcp_mtu_probing=0 \
		'tcp_rmem=4096 131072 262144' 'tcp_wmem=4096 65536 262144'; do
		ip netns exec "$ns" sh -c "echo ${name#*=} >/proc/sys/net/ipv4/${name%=*}" 2>"$W/netns.log" ||
			fail "$name cannot be set in namespace $ns" netns.log
	done
}

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
	ip -n "$A" address add 198.51.100.1/24 dev "$DEV"
	ip -n "$B" address add 198.51.100.2/24 dev "$DEV"
	ip -n "$A" address add 2001:db8:1::1/64 dev "$DEV" nodad
	ip -n "$B" address add 2001:db8:1::2/64 dev "$DEV" nodad
	# The other end stays down until the meter runs: until then not one frame can pass.
	ip -n "$A" link set "$DEV" up
}

carrier() { [ "$(in_a cat "/sys/class/net/$1/carrier")" = 1 ]; }

connect() {
	ip -n "$B" link set "$DEV" up
	wait_for 5 "the veth does not come up" netns.log carrier "$DEV"
	add_vlan "$A" 203.0.113.1/24 2001:db8:7::1/64
	add_vlan "$B" 203.0.113.2/24 2001:db8:7::2/64
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

# stop PID NAME LOG: SIGTERM and a clean end within 10 s.
stop() {
	local status=0
	kill -TERM "$1" 2>/dev/null || fail "$2 had ended before it was told to" "$3"
	wait_for 10 "$2 does not end on SIGTERM" "$3" gone "$1"
	wait "$1" || status=$?
	[ "$status" -eq 0 ] || fail "$2 ended with status $status" "$3"
}

gone() { ! alive "$1" || [ "$(awk '{ print $3 }' "/proc/$1/stat")" = Z ]; }

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

# ---------------------------------------------------------------- real programs

start_servers() {
	mkdir "$W/www"
	truncate -s "$WEB_BYTES" "$W/www/file"
	ip netns exec "$B" python3 -u -m http.server --directory "$W/www" --bind :: 80 >"$W/web.log" 2>&1 &
	wait_for 10 "the web server does not start" web.log bound tcp $! 80
	ip netns exec "$B" "$PACKAGES" tool dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
		--pid-file= --log-facility=- --user=nobody --address=/npk.test/198.51.100.53 --address=/npk.test/2001:db8:53::53 >"$W/dnsmasq.log" 2>&1 &
	wait_for 10 "dnsmasq does not start" dnsmasq.log bound udp $! 53
	ip netns exec "$B" "$PACKAGES" tool iperf3 -s >"$W/iperf3-server.log" 2>&1 &
	wait_for 10 "the iperf3 server does not start" iperf3-server.log bound tcp $! 5201
}

run_ping() {
	client "$1.ping" "ping $2 gets no answer" ping -n -c "$PINGS" -i 0.05 -w 10 "$2"
}

run_web() {
	client "$1.web" "the download from $2 failed" curl -q -sS --noproxy '*' -o /dev/null \
		-w '%{local_port} %{size_request} %{size_header} %{size_download}\n' "http://$2/file"
}

# The queries are written out for dig's batch mode: each is sent from a port of its own.
run_dns() {
	local i type
	for ((i = 1; i <= QUERIES; i++)); do
		type=A
		[ $((i % 2)) -eq 0 ] || type=AAAA
		echo "@$2 host-$i.npk.test $type +qr +noedns +tries=1 +time=3"
	done >"$W/$1.queries"
	client "$1.dns" "dig gets no answer from $2" "$PACKAGES" tool dig -f "$W/$1.queries"
}

run_iperf() {
	local log=$1 server=$2
	shift 2
	client "$log" "iperf3 to $server failed" "$PACKAGES" tool iperf3 -J -c "$server" -t "$SECONDS_EACH" "$@"
}

run_programs() {
	say "ping, IPv4 and IPv6, and both on the VLAN"
	run_ping v4 198.51.100.2
	run_ping v6 2001:db8:1::2
	run_ping vlan4 203.0.113.2
	run_ping vlan6 2001:db8:7::2
	say "HTTP downloads of $WEB_BYTES bytes: IPv4, IPv6, VLAN"
	run_web v4 198.51.100.2
	run_web v6 '[2001:db8:1::2]'
	run_web vlan4 203.0.113.2
	say "$QUERIES DNS queries each over IPv4 and IPv6"
	run_dns v4 198.51.100.2
	run_dns v6 2001:db8:1::2
	say "iperf3 TCP at ${TCP_RATE}bit/s, $SECONDS_EACH s each over IPv4 and IPv6"
	run_iperf v4.tcp 198.51.100.2 -b "$TCP_RATE"
	run_iperf v6.tcp 2001:db8:1::2 -b "$TCP_RATE"
	say "iperf3 UDP at ${UDP_RATE}bit/s, $SECONDS_EACH s each over IPv4 and IPv6"
	run_iperf v4.udp 198.51.100.2 -u -l 1000 -b "$UDP_RATE"
	run_iperf v6.udp 2001:db8:1::2 -u -l 1000 -b "$UDP_RATE"
}

# ---------------------------------------------------------------- what came out

read_flows() {
	child "$PACKAGES" tool nfdump -R "$W/flows" -o json >"$W/flows.json" 2>"$W/nfdump.log" ||
		fail "nfdump cannot read what nfcapd wrote" nfdump.log
	child "$PACKAGES" tool nfdump -R "$W/flows" -6 -N -O bytes -o long >"$W/flows.txt" 2>"$W/nfdump.log" ||
		fail "nfdump cannot read what nfcapd wrote" nfdump.log
}

# nfdump prints a line of names, the flows, and its summary; the flows are in the order of their size.
show_flows() {
	echo
	echo "The flows as nfdump shows them, largest first:"
	awk -v most="$FLOW_LINES" -v file="$LOGS/flows.txt" '
		/^Summary:/ && more { printf "... and %d flows more: %s\n", more, file }
		/^[0-9]/ && ++flows > most { more++; next }
		{ print }' "$W/flows.txt"
	echo
}

# The device the user most likely wants to look at.
own_device() {
	local dev
	dev=$(ip -o route show default | awk '{ for (i = 1; i < NF; i++) if ($i == "dev" && !n++) print $(i + 1) }')
	echo "${dev:-eth0}"
}

what_next() {
	local dev
	dev=$(own_device)
	echo
	echo "sudo build/nprobe-k -i live:$dev --print csv          # your own traffic, on the screen"
	echo "sudo build/nprobe-k -i live:$dev -n 192.0.2.1:2055    # your own traffic, to your collector"
	echo "# The kernel module will add: exact counts of merged packets at a fraction of the CPU, no packet copied to user space."
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
	show_flows
	child python3 "$HERE/verdict.py" "$W" || fail "the flows do not say what the programs say" ""
	what_next
}

main "$@"
