# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# vrf.sh: a collector that only a VRF leads to: -n HOST%VRF. The VRF goes and comes back while the daemon runs, which
# has no rights by then.
. /lab/lib.sh

# The only way to the collector.
make_vrf() {
	ip link add blue type vrf table 10
	ip link set dev blue up
	ip link set dev va master blue
	ip address replace 10.9.0.1/24 dev va
}

# The collector's device sees so many datagrams.
arrived() {
	ip netns exec far cat /proc/net/snmp | awk '$1 == "Udp:" && $2 ~ /^[0-9]+$/ { print $2 + $3 + $4 }'
}

more_than() {
	[ "$(arrived)" -gt "$1" ]
}

flows() {
	ping -q -c 3 -i 0.2 127.0.0.1 >/dev/null
}

ip link set dev lo up
ip netns add far
ip link add va type veth peer name vb
ip link set dev vb netns far
ip link set dev va up
ip -n far link set dev vb up
ip -n far address add 10.9.0.2/24 dev vb
ip link add probe type vrf table 11 2>/dev/null || skip "this kernel has no VRF"
ip link del probe
make_vrf

must_fail "a VRF that is not there is named" nprobe-k -i live:lo -n 10.9.0.2%green
echo "$SAID" | grep -q "green: No such device" || fail "$SAID"
nprobe-k -i live:lo -f icmp -t 1 -d 1 -n 10.9.0.2 --stats-json /out/without.json 2>/out/without.log &
without=$!
nprobe-k -i live:lo -f icmp -t 1 -d 1 -n 10.9.0.2%blue --stats-json /out/blue.json 2>/out/blue.log &
blue=$!
wait_for 20 grep -q metering /out/blue.log || fail "$(cat /out/blue.log)"
wait_for 20 grep -q metering /out/without.log || fail "$(cat /out/without.log)"
ok "without the VRF there is no way" grep -q "Network is unreachable" /out/without.log
flows
ok "datagrams come by the VRF" wait_for 20 more_than 1

ip link del blue
flows
sleep 4 # two timeouts, and the wait for the datagram to fill
before=$(arrived)
make_vrf
flows
ok "the VRF is back, and so are they" wait_for 30 more_than "$before"
kill -TERM "$blue" "$without"
wait "$blue" || fail "exit code $?"
wait "$without" || fail "exit code $?"
cat /out/blue.log
ok "while it was away they failed" grep -q '"failed":[1-9]' /out/blue.json
ok "the socket was replaced" grep -q '"reopened":[1-9]' /out/blue.json
ok "nothing was sent without it" grep -q '"sent":0,' /out/without.json
