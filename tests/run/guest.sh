# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh SECONDS LOGS: the main job of "make run", in a guest of tests/lab/guest.
#
#     namespace a                    the guest's init namespace routes                 namespace b
#     ping, curl, dig, iperf3        nprobe_k on va and vb, nprobe-k, nfcapd   web server, dnsmasq, iperf3 -s
#       eth0   198.51.100.1  <--veth-->  va               vb  <--veth-->  eth0   198.51.100.129
#       eth0.7 203.0.113.1    VLAN 7     va.7           vb.7   VLAN 7     eth0.7 203.0.113.129     and IPv6
#
# The module meters what a device receives: what a sends at va, what b sends at vb, each packet once.
#
# Merged packets arrive in both ways there are: a hands whole bursts to its veth (TSO); b cuts its bursts itself, and
# vb puts the pieces together again (GRO).
#
# SECONDS is how long the run has taken so far, LOGS the folder in which the user will find what is left in /out.

set -eu
STARTED=$1
LOGS=$2
W=/out
PORT=2055

# shellcheck source=tests/run/common.sh
. /lab/common.sh
# shellcheck source=tests/run/programs.sh
. /lab/programs.sh

seconds() {
	read -r NOW _ </proc/uptime
	NOW=$((STARTED + ${NOW%.*}))
}

client() {
	local log=$1 sentence=$2
	shift 2
	ip netns exec a timeout 30 "$@" >"$W/$log" 2>&1 || fail "$sentence" "$log"
	echo "$log $(counter frames) $(counter seen.packets) $(counter note_merged.packets)" >>"$W/arrivals"
}

counter() { sed -n "s/^$1 //p" /proc/net/nprobe_k/stats; }

server() {
	local log=$1
	shift
	ip netns exec b "$@" >"$W/$log" 2>&1 &
	PID=$!
}

web_server() { server web.log busybox httpd -f -p '[::]:80' -h "$W/www"; }

# ---------------------------------------------------------------- topology

# Sub-interfaces on both ends of a veth: join NAMESPACE ROUTER-DEVICE.
join() {
	ip netns add "$1"
	set_sysctls "$1"
	ip link add "$2" type veth peer name eth0 netns "$1"
	ip link add link "$2" name "$2.$VID" type vlan id "$VID"
	ip -n "$1" link add link eth0 name "eth0.$VID" type vlan id "$VID"
}

# address_near NAMESPACE DEVICE ADDRESS4 ADDRESS6 ROUTER4 ROUTER6
address_near() {
	ip -n "$1" address add "$3/25" dev "$2"
	ip -n "$1" address add "$4/64" dev "$2" nodad
	ip -n "$1" link set "$2" up
	ip -n "$1" route add "${5%.*}.0/24" via "$5"
	ip -n "$1" route add "${6%%:[ab]:*}::/48" via "$6"
}

# address_router DEVICE ADDRESS4 ADDRESS6
address_router() {
	ip address add "$2/25" dev "$1"
	ip address add "$3/64" dev "$1" nodad
	ip link set "$1" up
}

merging() {
	ethtool -K vb gro on
	ip netns exec b ethtool -K eth0 tso off gso off
} >"$W/ethtool.log" 2>&1

make_network() {
	join a va
	join b vb
	merging || fail "the offloads cannot be set" ethtool.log
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
}

connect() {
	address_router va 198.51.100.2 2001:db8:1:a::2
	address_router vb 198.51.100.130 2001:db8:1:b::2
	address_near a eth0 "$A4" "$A6" 198.51.100.2 2001:db8:1:a::2
	address_near b eth0 "$B4" "$B6" 198.51.100.130 2001:db8:1:b::2
	address_router "va.$VID" 203.0.113.2 2001:db8:7:a::2
	address_router "vb.$VID" 203.0.113.130 2001:db8:7:b::2
	address_near a "eth0.$VID" "$VA4" "$VA6" 203.0.113.2 2001:db8:7:a::2
	address_near b "eth0.$VID" "$VB4" "$VB6" 203.0.113.130 2001:db8:7:b::2
	wait_for 5 "the VLAN does not come up" netns.log carrier a
	wait_for 5 "the VLAN does not come up" netns.log carrier b
}

carrier() { [ "$(ip netns exec "$1" cat "/sys/class/net/eth0.$VID/carrier")" = 1 ]; }

# ---------------------------------------------------------------- meter and collector

# A device is attached the moment it is there; nothing may pass before, so the links come up after this.
start_meter() {
	insmod /lib/nprobe_k.ko devices=va,vb idle=2 active=60 || fail "the module does not load" dmesg
	[ "$(grep -c ' hook ingress ' /proc/net/nprobe_k/devices)" -eq 2 ] || fail "va and vb are not attached" dmesg
	mkdir /tmp/flows
	nfcapd -w /tmp/flows -b 127.0.0.1 -p "$PORT" -t 300 >"$W/nfcapd.log" 2>&1 &
	NFCAPD=$!
	wait_for 10 "nfcapd does not listen" nfcapd.log bound udp "$NFCAPD" "$PORT"
	nprobe-k -n "127.0.0.1:$PORT" -V 9 --flush-on-exit --stats-json "$W/stats.json" >"$W/nprobe-k.log" 2>&1 &
	METER=$!
	wait_for 10 "nprobe-k does not join the ring" nprobe-k.log grep -q joined /proc/net/nprobe_k/groups
}

# Every flow is closed and read before the counters are: nothing is sent any more once the links are down.
stop_meter() {
	ip -n a link set eth0 down
	ip -n b link set eth0 down
	stop "$METER" nprobe-k nprobe-k.log
	nap 0.5 # what is still in nfcapd's socket
	stop "$NFCAPD" nfcapd nfcapd.log
	mkdir "$W/proc"
	for name in stats cpu devices groups config; do
		cat "/proc/net/nprobe_k/$name" >"$W/proc/$name"
	done
	for name in a b; do
		ip netns exec "$name" cat /proc/net/snmp >"$W/snmp.$name"
		ip netns exec "$name" cat /proc/net/snmp6 >"$W/snmp6.$name"
	done
	rmmod nprobe_k || fail "the module cannot be unloaded" dmesg
}

read_flows() {
	nfdump -R /tmp/flows -o json >"$W/flows.json" 2>"$W/nfdump.log" &&
		nfdump -R /tmp/flows -6 -N -O bytes -o long >"$W/flows.txt" 2>"$W/nfdump.log" ||
		fail "nfdump cannot read what nfcapd wrote" nfdump.log
}

say "the kernel $(uname -r) runs; making namespaces a and b and routing between them"
make_network
say "loading nprobe_k on va and vb, starting nfcapd and nprobe-k"
start_meter
connect
start_servers
run_programs
say "stopping nprobe-k, then nfcapd, and unloading the module"
stop_meter
read_flows
rm -r "$W/www"
