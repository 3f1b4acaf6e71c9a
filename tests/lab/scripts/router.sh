# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# router.sh: a network through the guest, for scripts that let /bin/transfer run. Source it after lib.sh.
#
#     namespace a                          the guest's init namespace routes                  namespace b
#     transfer ...-send  eth0 10.1.0.1 <--veth--> va, metered   vb, metered <--veth--> 10.2.0.1 eth0  transfer ...-serve
#                             fd01::1                                                   fd02::1
#     nprobe-k sends to 192.0.2.1 behind the device sink, where nobody is.

# Accounting is exact only while TCP's header has a known length: see tests/run/programs.sh. And each transfer is to
# fill its window, whatever the one before has found and however long GRO holds packets back.
sysctls() {
	for _set in tcp_congestion_control=reno tcp_no_metrics_save=1 tcp_timestamps=1 tcp_sack=0 tcp_ecn=0 tcp_fastopen=0 \
		tcp_mtu_probing=0 tcp_window_scaling=1; do
		ip netns exec "$1" sh -c "echo ${_set#*=} >/proc/sys/net/ipv4/${_set%%=*}" || fail "no sysctl $_set"
	done
}

network() {
	make_veth va a eth0 10.1.0.2/24 10.1.0.1/24 fd01::2/64 fd01::1/64
	make_veth vb b eth0 10.2.0.2/24 10.2.0.1/24 fd02::2/64 fd02::1/64
	ip -n a route add default via 10.1.0.2
	ip -n b route add default via 10.2.0.2
	ip -n a route add default via fd01::2
	ip -n b route add default via fd02::2
	sysctls a
	sysctls b
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	# where datagrams to a collector end
	ip link add sink type dummy || fail "no dummy"
	silence sink
	ip address add 192.0.2.2/24 dev sink
	ip link set sink up
	ip neighbour add 192.0.2.1 lladdr 02:00:00:00:00:01 dev sink
}

# on NAMESPACE COMMAND...: router is the guest's own
on() {
	_ns=$1
	shift
	if [ "$_ns" = router ]; then "$@"; else ip netns exec "$_ns" "$@"; fi
}

# witness DEV SNAPLEN ARGUMENTS: tcpdump into $OUT/DEV.pcap; adds to $WITNESSES
witness() {
	tcpdump --immediate-mode -Z root -q -i "$1" -s "$2" -B 65536 -U -w "$OUT/$1.pcap" $3 2>"$OUT/$1.log" &
	WITNESSES="$WITNESSES $!"
	wait_for 10 grep -q 'listening on' "$OUT/$1.log" || fail "tcpdump: $(cat "$OUT/$1.log")"
}

end_witnesses() {
	sleep 0.3
	# shellcheck disable=SC2086 # numbers
	kill -TERM $WITNESSES
	# shellcheck disable=SC2086
	wait $WITNESSES
	WITNESSES=
}

listens() {
	ip netns exec b cat "/proc/net/${1}6" | grep -qE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$2") [0-9A-F]+:0000 0[7A] "
}
