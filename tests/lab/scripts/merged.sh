# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# merged.sh [HOOK]: the same transfers with packets merged in every way this kernel knows, and with none merged. What was
# sent, what the kernel counted, what tcpdump saw and what was metered is left in /out/FORM; merged.py judges it.
. /lab/lib.sh
. /lab/module.sh
. /lab/router.sh

HOOK=${1:-ingress}
OCTETS=3000017
DATAGRAMS=240
SIZE=1100
LAST=333
BIG=180000
WINDOW=340000

# A veth queues 256 packets and drops the others, before they are metered: on a busy host the router may come to them
# late. So never more are on their way: 240 datagrams in all, and of TCP what the receiver's window has room for, at most
# 242 full packets. The sender's buffer is no such bound: TCP adds to a packet it has not sent whether there is room or not.
# GRO ends where the sender pushes, which it does after each half of the receiver's window.
windows() {
	for _ns in a b; do
		ip netns exec $_ns sh -c "echo 4096 $WINDOW $WINDOW >/proc/sys/net/ipv4/tcp_rmem
			echo 4096 131072 $WINDOW >/proc/sys/net/ipv4/tcp_wmem" || fail "no windows"
	done
}

# without_offloads NAMESPACE DEVICE: "feature off" of those that only some forms use, where this kernel knows them
without_offloads() {
	on "$1" ethtool -k "$2" |
		sed -nE 's/^(tx-udp-segmentation|tx-tcp-mangleid-segmentation|rx-gro-list|rx-udp-gro-forwarding):.*/\1 off/p'
}

# offloads SENDERS ROUTER: of both end systems, and of the router's ends; each a list of "feature on|off"
offloads() {
	for _at in "a eth0 $1" "b eth0 $1" "router va $2" "router vb $2"; do
		# shellcheck disable=SC2086 # words
		set -- $_at
		_where=$1 _dev=$2
		shift 2
		# shellcheck disable=SC2046 # words
		on "$_where" ethtool -K "$_dev" $(without_offloads "$_where" "$_dev") "$@" >/tmp/ethtool 2>&1 ||
			{ cat /tmp/ethtool && return 1; }
	done
}

max_sizes() {
	for _at in "a eth0" "b eth0" "router va" "router vb"; do
		# shellcheck disable=SC2086 # words
		on ${_at% *} ip link set "${_at#* }" gso_max_size "$1" gro_max_size "$1" || return 1
	done
}

max_sizes4() {
	for _at in "a eth0" "b eth0" "router va" "router vb"; do
		on ${_at% *} transfer ipv4-max "${_at#* }" "$1" || return 1
	done
}

# ---------------------------------------------------------------- meter and witnesses

begin() {
	FORM=$1
	OUT=/out/$FORM
	mkdir "$OUT"
	echo "== $FORM"
	load devices=va,vb hook="$HOOK" idle=3600 active=3600
	witness sink 0 "udp dst port 2055"
	witness va 160 "-Q in"
	witness vb 160 "-Q in"
	nprobe-k -n 192.0.2.1:2055 --print csv --flush-on-exit --stats-json "$OUT/stats.json" >"$OUT/flows.csv" \
		2>"$OUT/nprobe-k.log" &
	_probe=$!
	wait_for 10 grep -q joined $NPK/groups || fail "nprobe-k: $(cat "$OUT/nprobe-k.log")"
}

end() {
	quiet
	kill -TERM $_probe
	wait $_probe || fail "nprobe-k: $(cat "$OUT/nprobe-k.log")"
	sums
	cat $NPK/stats >"$OUT/proc-stats"
	end_witnesses
	cat "$OUT"/*.log >>/out/log
	rmmod nprobe_k || fail "rmmod"
}

# ---------------------------------------------------------------- transfers

# snmp NAMESPACE NAME: a counter of TCP
snmp() {
	ip netns exec "$1" cat /proc/net/snmp | awk -v name="$2" '
		$1 == "Tcp:" && !at { for (i = 2; i <= NF; i++) if ($i == name) at = i; next }
		$1 == "Tcp:" { print $at }'
}

# All segments a namespace sent: those sent again are counted apart.
segments() {
	echo $(($(snmp "$1" OutSegs) + $(snmp "$1" RetransSegs)))
}

# dropped [BEFORE]: what each end of a veth could not give to its peer, whose queue was full; less what it said BEFORE
dropped() {
	for _at in "a eth0" "b eth0" "router va" "router vb"; do
		_all=$(on "${_at% *}" cat "/sys/class/net/${_at#* }/statistics/tx_dropped") || fail "no statistics: $_at"
		printf 'dropped_%s_%s %d ' $_at $((_all - ${2:-0}))
		[ $# -eq 0 ] || shift 2
	done
}

merged_so_far() {
	quiet
	stat_of note_merged.packets
}

# addresses 4|6: sets FROM and TO
addresses() {
	FROM=10.1.0.1 TO=10.2.0.1
	[ "$1" = 4 ] || FROM=fd01::1 TO=fd02::1
}

# path_mtu 4|6: what the sender takes for it
path_mtu() {
	_mtu=$(ip -n a "-$1" route show default | sed -n 's/.* mtu \([0-9]*\).*/\1/p')
	echo "${_mtu:-1500}"
}

# tcp 4|6
tcp() {
	addresses "$1"
	_a=$(segments a) _b=$(segments b) _r=$(snmp a OutRsts) _m=$(merged_so_far) _d=$(dropped)
	ip netns exec b transfer tcp-serve 5001 $OCTETS 1 >/tmp/b &
	_server=$!
	wait_for 10 listens tcp 5001 || fail "the server does not listen"
	ip netns exec a transfer tcp-send $TO 5001 $OCTETS "4000$1" >/tmp/a || fail "$FORM: tcp $1"
	wait $_server || fail "$FORM: tcp $1: the server failed"
	_m2=$(merged_so_far)
	echo "tcp $1 $FROM $TO 4000$1 5001 mtu $(path_mtu "$1") merged $((_m2 - _m)) $(dropped $_d)" \
		"resets_a $(($(snmp a OutRsts) - _r)) segments_a $(($(segments a) - _a)) segments_b $(($(segments b) - _b)) a $(cat /tmp/a) b $(cat /tmp/b)" | tee -a "$OUT/transfers"
}

# udp 4|6 segment|single
udp() {
	addresses "$1"
	_m=$(merged_so_far) _d=$(dropped)
	ip netns exec b transfer udp-serve 5002 $DATAGRAMS >/tmp/b &
	_server=$!
	wait_for 10 listens udp 5002 || fail "the server does not listen"
	ip netns exec a transfer udp-send $TO 5002 "4100$1" $DATAGRAMS $SIZE $LAST "$2" >/tmp/a || fail "$FORM: udp $1"
	wait $_server || fail "$FORM: udp $1: the server failed"
	_m2=$(merged_so_far)
	echo "udp $1 $FROM $TO 4100$1 5002 mtu 1500 merged $((_m2 - _m)) $(dropped $_d)" \
		"a $(cat /tmp/a) b $(cat /tmp/b)" | tee -a "$OUT/transfers"
}

# at_least MAJOR MINOR: the kernel's version
at_least() {
	_release=$(uname -r)
	_minor=${_release#*.}
	[ "${_release%%.*}" -gt "$1" ] || { [ "${_release%%.*}" -eq "$1" ] && [ "${_minor%%[!0-9]*}" -ge "$2" ]; }
}

not_run() {
	echo "not run: $*" | tee -a /out/not-run
}

# receives_merged FORM
receives_merged() {
	at_least 5 13 || { not_run "$1: GRO of a veth came with 5.13, this is $(uname -r)" && return 1; }
}

# ---------------------------------------------------------------- the forms

off() {
	offloads "tso off gso off gro off" "tso off gso off gro off" || fail "no offloads off"
	begin off
	tcp 4
	tcp 6
	udp 4 single
	udp 6 single
	end
}

gso() {
	offloads "tso on gso on gro off tx-udp-segmentation on" "tso on gso on gro off" || fail "no TSO"
	begin gso
	tcp 4
	tcp 6
	if on a ethtool -k eth0 | grep -q '^tx-udp-segmentation: on'; then
		udp 4 segment
		udp 6 segment
	else
		for _ver in 4 6; do
			not_run "gso udp $_ver: a veth of $(uname -r) has no tx-udp-segmentation"
		done
	fi
	end
}

gro() {
	receives_merged gro || return 0
	offloads "tso off gso off gro off" "tso on gso on gro on" || fail "no GRO"
	begin gro
	tcp 4
	tcp 6
	end
}

# The sender's own stack cuts its bursts before the device: datagrams in a row, as GRO wants them.
udp_gro() {
	receives_merged udp-gro || return 0
	offloads "tso off gso off gro off" "tso on gso on gro on rx-udp-gro-forwarding on" ||
		{ not_run "udp-gro: no rx-udp-gro-forwarding" && return; }
	begin udp-gro
	udp 4 segment
	udp 6 segment
	end
}

fraglist() {
	receives_merged fraglist || return 0
	offloads "tso off gso off gro off" "tso on gso on gro on rx-gro-list on" ||
		{ not_run "fraglist: no rx-gro-list" && return; }
	begin fraglist
	udp 4 segment
	udp 6 segment
	if at_least 6 10; then
		tcp 4
		tcp 6
	else
		for _ver in 4 6; do
			not_run "fraglist tcp $_ver: fraglist GRO of TCP came with 6.10, this is $(uname -r)"
		done
	fi
	end
}

big() {
	offloads "tso on gso on gro on" "tso on gso on gro on" || fail "no TSO"
	if ! max_sizes $BIG; then
		not_run "big: gso_max_size cannot be $BIG"
		not_run "big-gro: gro_max_size cannot be $BIG"
		return
	fi
	_four=1
	max_sizes4 $BIG || { _four= && not_run "big tcp 4: BIG TCP for IPv4 came with 6.3, this is $(uname -r)"; }
	# A router finds BIG TCP over IPv6 too big for a link: it adds the hop-by-hop header to each packet's length
	ip -n a route change default via fd01::2 mtu 1480 || fail "no path MTU"
	# else the sender's large packets are only what its path carries in a millisecond
	ip netns exec a sh -c "echo 70 >/proc/sys/net/ipv4/tcp_min_tso_segs" || fail "no tcp_min_tso_segs"
	begin big
	tcp 6
	[ -z "$_four" ] || tcp 4
	end
	big_gro
}

# What arrives within 10 ms is merged: 64 packets at most, because GRO ends with a round of NAPI. The sender pushes, and
# GRO ends, with each of its own large packets, so these are large too.
big_gro() {
	offloads "tso off gso off gro off" "tso on gso on gro on" || fail "no GRO"
	[ -n "$_four" ] || not_run "big-gro tcp 4: BIG TCP for IPv4 came with 6.3, this is $(uname -r)"
	for _at in "a eth0" "b eth0"; do
		on ${_at% *} ip link set eth0 gso_max_size 100000
	done
	for _dev in va vb; do
		echo 50 >/sys/class/net/$_dev/napi_defer_hard_irqs
		echo 10000000 >/sys/class/net/$_dev/gro_flush_timeout
	done
	begin big-gro
	tcp 6
	[ -z "$_four" ] || tcp 4
	end
}

network
windows
off
gso
gro
udp_gro
fraglist
big
