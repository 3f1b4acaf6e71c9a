# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# export.sh [SECONDS=30]: as v5, v9 and IPFIX for so long each, the flows of both IP versions that two processors meter,
# a new one with each packet. export.py lets tshark judge every datagram that was sent.
. /lab/lib.sh
. /lab/module.sh
. /lab/router.sh

SECONDS_EACH=${1:-30}

# IPv4 on one processor, IPv6 on the other, about 500 packets a second each.
setup_both() {
	setup_flood 0
	pg out0@0 "delay 2000000"
	pg out0@1 "delay 2000000"
	pg out0@1 "src6 fd03::1"
	pg out0@1 "dst6_min fd04::1"
	pg out0@1 "dst6_max fd04::ffff"
	pg out0@1 "pkt_size 100"
}

no_flows() {
	[ "$(stat_of flows)" -eq 0 ]
}

# export_as VERSION
export_as() {
	OUT=/out/v$1
	mkdir "$OUT"
	load devices=out0 idle=4 active=30
	witness sink 0 "udp dst port 2055"
	nprobe-k -n 192.0.2.1:2055 -V "$1" --options-seconds 10 --print csv --stats-json "$OUT/stats.json" \
		>"$OUT/flows.csv" 2>"$OUT/nprobe-k.log" &
	_probe=$!
	wait_for 10 grep -q joined $NPK/groups || fail "nprobe-k: $(cat "$OUT/nprobe-k.log")"
	pktgen_start
	sleep "$SECONDS_EACH"
	pktgen_stop
	wait_for 30 no_flows || fail "flows stay"
	sleep 2
	kill -TERM $_probe
	wait $_probe || fail "nprobe-k: $(cat "$OUT/nprobe-k.log")"
	sums
	stat_of published.default.records >"$OUT/published"
	same "packets lost" "$(stat_of lost.default.packets)" 0
	end_witnesses
	grep -q '^0 packets dropped by kernel' "$OUT/sink.log" || fail "tcpdump: $(cat "$OUT/sink.log")"
	rmmod nprobe_k || fail "rmmod"
}

network
make_link
setup_both
for version in 5 9 10; do
	export_as $version
done
