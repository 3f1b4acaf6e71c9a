# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# programs.sh: real programs in namespace a that talk to servers in namespace b. Sourced after common.sh, by bash and,
# in a guest, by dash: POSIX and "local" only. What they print is left in $W; tests/netns/verdict.py reads it and has
# the same addresses.
#
# Who sources it has these functions:
#   client LOG SENTENCE PROGRAM ARG...   run it in namespace a; fail with the sentence
#   server LOG PROGRAM ARG...            start it in namespace b and set PID
#   web_server                           the same for a server of $W/www on port 80, IPv4 and IPv6

# The namespaces may share a network (/24, /48) or have one each (/25, /64). V: on the VLAN.
A4=198.51.100.1 B4=198.51.100.129 A6=2001:db8:1:a::1 B6=2001:db8:1:b::1
VA4=203.0.113.1 VB4=203.0.113.129 VA6=2001:db8:7:a::1 VB6=2001:db8:7:b::1
VID=7

WEB_BYTES=1500000
QUERIES=100
PINGS=20
TCP_RATE=20M
UDP_RATE=4M
SECONDS_EACH=2

# Accounting of TCP is exact only while its header has a known length: timestamps in every segment, no selective
# acknowledgements (sent whenever segments arrive out of order), nothing newer negotiated.
# Small windows keep a burst below what a receiving CPU queues, so that nothing has to be sent again.
set_sysctls() {
	local ns=$1 name
	for name in tcp_timestamps=1 tcp_sack=0 tcp_window_scaling=1 tcp_ecn=0 tcp_fastopen=0 tcp_mtu_probing=0 \
		'tcp_rmem=4096 131072 262144' 'tcp_wmem=4096 65536 262144'; do
		ip netns exec "$ns" sh -c "echo ${name#*=} >/proc/sys/net/ipv4/${name%%=*}" 2>"$W/netns.log" ||
			fail "$name cannot be set in namespace $ns" netns.log
	done
}

start_servers() {
	mkdir "$W/www"
	truncate -s "$WEB_BYTES" "$W/www/file"
	web_server
	wait_for 10 "the web server does not start" web.log bound tcp "$PID" 80
	server dnsmasq.log dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --pid-file= \
		--log-facility=- --user=nobody --address=/npk.test/198.51.100.53 --address=/npk.test/2001:db8:53::53
	wait_for 10 "dnsmasq does not start" dnsmasq.log bound udp "$PID" 53
	server iperf3-server.log iperf3 -s
	wait_for 10 "the iperf3 server does not start" iperf3-server.log bound tcp "$PID" 5201
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
	local i=1 type
	while [ "$i" -le "$QUERIES" ]; do
		type=A
		[ $((i % 2)) -eq 0 ] || type=AAAA
		echo "@$2 host-$i.npk.test $type +qr +noedns +tries=1 +time=3"
		i=$((i + 1))
	done >"$W/$1.queries"
	client "$1.dns" "dig gets no answer from $2" dig -f "$W/$1.queries"
}

run_iperf() {
	local log=$1 server=$2
	shift 2
	client "$log" "iperf3 to $server failed" iperf3 -J -c "$server" -t "$SECONDS_EACH" "$@"
}

run_programs() {
	say "ping, IPv4 and IPv6, and both on the VLAN"
	run_ping v4 "$B4"
	run_ping v6 "$B6"
	run_ping vlan4 "$VB4"
	run_ping vlan6 "$VB6"
	say "HTTP downloads of $WEB_BYTES bytes: IPv4, IPv6, VLAN"
	run_web v4 "$B4"
	run_web v6 "[$B6]"
	run_web vlan4 "$VB4"
	say "$QUERIES DNS queries each over IPv4 and IPv6"
	run_dns v4 "$B4"
	run_dns v6 "$B6"
	say "iperf3 TCP at ${TCP_RATE}bit/s, $SECONDS_EACH s each over IPv4 and IPv6"
	run_iperf v4.tcp "$B4" -b "$TCP_RATE"
	run_iperf v6.tcp "$B6" -b "$TCP_RATE"
	say "iperf3 UDP at ${UDP_RATE}bit/s, $SECONDS_EACH s each over IPv4 and IPv6"
	run_iperf v4.udp "$B4" -u -l 1000 -b "$UDP_RATE"
	run_iperf v6.udp "$B6" -u -l 1000 -b "$UDP_RATE"
}
