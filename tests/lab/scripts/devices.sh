# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# devices.sh: devices appear later, are renamed, go down, are removed; what is refused and what is warned about.
. /lab/lib.sh
. /lab/module.sh

state_of() {
	counter $NPK/devices "$1" 1
}

packets_in() {
	setup_flood 100 "$1"
	pktgen_run
	quiet
	stat_of seen.packets
	pg pgctrl reset	# it does not survive a rename of its device
}

later() {
	log_mark
	load devices=out0 flows=1000
	said "out0: no such device yet, waiting for it"
	same "state" "$(state_of out0)" absent
	make_link
	said "out0: attached, hook ingress, received packets only"
	same "metered" "$(packets_in out0)" 200
	ip link set out0 down
	same "state" "$(state_of out0)" down
	ip link set out0 up
	same "metered after down and up" "$(packets_in out0)" 400
	ip link set out0 down
	ip link set out0 name other0
	ip link set other0 up
	said "other0: out0 was renamed, still attached"
	same "metered after the rename" "$(packets_in other0)" 600
	sums
	ip link del in0
	said "other0: detached: the device was removed"
	same "state" "$(state_of out0)" absent
	make_link
	same "metered again" "$(packets_in out0)" 800
	sums
	rmmod nprobe_k || fail "rmmod"
	said "out0: detached: the module is unloaded"
}

# Passive metering must not cut the operator off.
passive() {
	ip address add 198.51.100.1/24 dev out0
	log_mark
	load devices=out0 passive=1 flows=1000
	said "out0: not attached: passive=1 would cut off a device with an address (force=1)"
	rmmod nprobe_k
	log_mark
	load devices=out0 passive=1 force=1 flows=1000
	said "out0: attached, hook ingress, passive, promiscuous"
	same "promiscuity" "$(ip -d link show out0 | grep -o 'promiscuity [0-9]*')" "promiscuity 1"
	rmmod nprobe_k
	same "promiscuity after" "$(ip -d link show out0 | grep -o 'promiscuity [0-9]*')" "promiscuity 0"
	ip address flush dev out0
	ip link add br0 type bridge
	ip link set out0 master br0
	log_mark
	load devices=out0 passive=1 flows=1000
	said "out0: not attached: passive=1 would cut off a device with a master (force=1)"
	rmmod nprobe_k
}

# out0 is a port of br0 here.
taken() {
	log_mark
	load devices=out0 hook=rx flows=1000
	said "out0: hook=rx: the slot is taken by br0"
	rmmod nprobe_k
	log_mark
	load devices=out0,br0 flows=1000
	said "br0 and out0 are stacked: packets will be counted twice"
	rmmod nprobe_k
	ip link del br0
	log_mark
	load devices=out0 hook=rx flows=1000
	said "out0: attached, hook rx, received packets only; it cannot join a bridge or bond now"
	ip link add br0 type bridge
	must_fail "a metered device joins a bridge" ip link set out0 master br0
	ip link add link out0 name out0.5 type vlan id 5
	grep -q 'blind vlan-subdevice' $NPK/devices || fail "vlan sub-device: $(cat $NPK/devices)"
	rmmod nprobe_k
	ip link del br0
}

blind() {
	load devices=out0 flows=1000
	grep -q 'blind -$' $NPK/devices || fail "$(cat $NPK/devices)"
	tc qdisc add dev out0 clsact
	tc filter add dev out0 ingress matchall action pass ||
		tc filter add dev out0 ingress protocol all u32 match u32 0 0 action pass ||
		{ echo "not tested: blind tc, this kernel has no classifier" && rmmod nprobe_k && return; }
	grep -q 'blind tc$' $NPK/devices || fail "tc: $(cat $NPK/devices)"
	tc qdisc del dev out0 clsact
	rmmod nprobe_k
}

not_ethernet() {
	modprobe tun
	mkdir -p /dev/net
	[ -c /dev/net/tun ] || mknod /dev/net/tun c 10 200
	ip tuntap add dev tun0 mode tun || fail "no tun device"
	log_mark
	load devices=tun0,lo flows=1000
	said "tun0: not attached: not an Ethernet device"
	said "lo: attached"
	ping -c 2 -i 0.2 127.0.0.1 >/dev/null
	[ "$(stat_of accounted.packets)" -ge 4 ] || fail "the loopback is not metered"
	sums
	rmmod nprobe_k
}

later
passive
taken
blind
not_ethernet
