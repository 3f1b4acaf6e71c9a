# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# lib.sh: helpers for scripts that run in a guest: ". /lab/lib.sh". For a POSIX sh, busybox's too; needs only what
# every guest has. A check that does not hold ends the script with exit code 1 and says which it was.
#
# The guest's sh is dash, so "ip" and "ping" are the programs of that name. busybox's own wrappers (xargs, nice,
# time, chroot) and a script that asks for busybox sh prefer busybox's applets: name the full path there.

PKTGEN=/proc/net/pktgen

# ---------------------------------------------------------------- checks

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

skip() {
	echo "skipped: $*"
	exit 77
}

# ok NAME COMMAND...: it succeeds; what it says is shown only when it does not.
ok() {
	_name=$1
	shift
	if _said=$("$@" 2>&1); then
		echo "ok: $_name"
	else
		_code=$?
		echo "$_said"
		fail "$_name: \"$*\" ended with $_code"
	fi
}

# must_fail NAME COMMAND...: it does not, and is not killed either. What it said is left in $SAID.
must_fail() {
	_name=$1
	shift
	_code=0
	SAID=$("$@" 2>&1) || _code=$?
	case $_code in
	0) fail "$_name: \"$*\" succeeded: $SAID" ;;
	12[67]) fail "$_name: \"$*\" could not be run" ;;
	129 | 1[3-5][0-9]) fail "$_name: \"$*\" was killed by signal $((_code - 128))" ;;
	esac
	echo "ok: $_name"
}

# wait_for SECONDS COMMAND...: until it succeeds, asked ten times a second. Returns 1 when it does not in time.
wait_for() {
	_until=$(($(uptime_ms) + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(uptime_ms)" -lt "$_until" ] || return 1
		sleep 0.1
	done
}

# same NAME GOT WANTED
same() {
	[ "$2" = "$3" ] || fail "$1: is \"$2\", should be \"$3\""
	echo "ok: $1: $2"
}

uptime_ms() {
	read -r _up _ </proc/uptime
	_ms=1${_up#*.}0 # no number that begins with 0
	echo $((${_up%.*} * 1000 + _ms - 1000))
}

# ---------------------------------------------------------------- what the kernel says

# counter FILE NAME [COLUMN]: a number out of the line that begins with NAME (which may be several words): the
# first behind it, or that of the column.
counter() {
	awk -v name="$2" -v column="${3:-1}" '
		{ line = $0; sub(/^[ \t]+/, "", line) }
		index(line, name) == 1 && substr(line, length(name) + 1, 1) ~ /^[ \t:=]?$/ {
			$0 = substr(line, length(name) + 1)
			gsub(/[:=]/, " ")
			print $column
			found = 1
			exit
		}
		END { exit !found }' "$1" || fail "$1 has no line \"$2\""
}

# log_mark, then log_since: what the kernel said in between. log_since LEVEL: only what is that bad or worse
# (4: warnings, 3: errors).
log_mark() {
	_log_mark=lab-mark-$$-$(uptime_ms)
	echo "<7>$_log_mark" >/dev/kmsg
}

log_since() {
	dmesg -r | awk -v mark="$_log_mark" -v level="${1:-7}" '
		seen && match($0, /^<[0-9]+>/) && (substr($0, 2, RLENGTH - 2) % 8) <= level
		index($0, mark) { seen = 1 }'
}

# ---------------------------------------------------------------- networks

# make_veth A NETNS B [ADDRESS_A ADDRESS_B]...: A in this namespace, B in NETNS (made when it is not there), both up.
make_veth() {
	_a=$1 _ns=$2 _b=$3
	shift 3
	[ -e "/run/netns/$_ns" ] || ip netns add "$_ns" || fail "no namespace $_ns"
	ip link add "$_a" type veth peer name "$_b" netns "$_ns" || fail "no veth $_a"
	ip -n "$_ns" link set lo up
	while [ $# -ge 2 ]; do
		_nodad=
		case $1 in *:*) _nodad=nodad ;; esac
		ip address add "$1" dev "$_a" $_nodad || fail "no address $1"
		ip -n "$_ns" address add "$2" dev "$_b" $_nodad || fail "no address $2"
		shift 2
	done
	ip link set "$_a" up
	ip -n "$_ns" link set "$_b" up
	wait_for 5 grep -q 1 "/sys/class/net/$_a/carrier" || fail "$_a has no carrier"
}

# silence DEV: the kernel itself sends nothing through it: no ARP, no IPv6. Inside a namespace: ip netns exec NS
# /bin/sh -c '. /lab/lib.sh; silence DEV'.
silence() {
	[ ! -d "/proc/sys/net/ipv6/conf/$1" ] || echo 1 >"/proc/sys/net/ipv6/conf/$1/disable_ipv6"
	ip link set "$1" arp off multicast off
}

# ---------------------------------------------------------------- pktgen: frames straight into the receive path

pg() {
	echo "$2" >"$PKTGEN/$1" || fail "pktgen $1 refuses \"$2\""
}

# pktgen_setup DEV "CPU..." COUNT [SETTINGS...]: COUNT packets per processor (0: until pktgen_stop) are received by
# DEV: 60 octets of UDP over IPv4, one flow per processor. Settings are pktgen's own words, a line each, for instance
#   "flows 1000" "flowlen 100000000" "flag IPDST_RND" "dst_min 10.1.0.0" "dst_max 10.1.255.255"   1000 flows
#   "flag IPSRC_RND" "src_min 10.2.0.0" "src_max 10.9.255.255"                      every packet another flow
#   "burst 32"                                                                       one frame 32 times over
pktgen_setup() {
	_dev=$1 _cpus=$2 _count=$3
	shift 3
	IFS='
'
	# shellcheck disable=SC2048,SC2086 # one setting a line
	set -- $*
	unset IFS
	modprobe pktgen 2>/dev/null
	[ -d $PKTGEN ] || fail "this kernel has no pktgen"
	pg pgctrl reset
	_mac=$(cat "/sys/class/net/$_dev/address")
	for _cpu in $_cpus; do
		pg "kpktgend_$_cpu" "add_device $_dev@$_cpu"
		for _set in "count $_count" "xmit_mode netif_receive" "pkt_size 60" "clone_skb 0" "delay 0" \
			"dst_mac $_mac" "src_mac 02:00:00:00:00:01" "src_min 10.0.0.1" "src_max 10.0.0.1" \
			"dst_min 10.1.0.1" "dst_max 10.1.0.1" \
			"udp_src_min $((9000 + _cpu))" "udp_src_max $((9000 + _cpu))" "udp_dst_min 9" "udp_dst_max 9" \
			"$@"; do
			pg "$_dev@$_cpu" "$_set"
		done
	done
	_pktgen_dev=$_dev _pktgen_cpus=$_cpus
}

# pktgen_start: in the background; then pktgen_wait or pktgen_stop.
pktgen_start() {
	echo start >$PKTGEN/pgctrl &
	_pktgen_pid=$!
	wait_for 5 pktgen_runs || :
}

pktgen_runs() {
	for _cpu in $_pktgen_cpus; do
		grep -qE '^Running: .*@' "$PKTGEN/kpktgend_$_cpu" && return
	done
	return 1
}

pktgen_wait() {
	wait "$_pktgen_pid" || fail "pktgen did not start"
}

pktgen_stop() {
	echo stop >$PKTGEN/pgctrl
	pktgen_wait
}

# pktgen_run: waited for without polling, which would take its time from the packets where there is one processor.
pktgen_run() {
	pg pgctrl start
}

# pktgen_sent: packets handed to the device, by all processors.
pktgen_sent() {
	for _cpu in $_pktgen_cpus; do
		sed -n 's/.*pkts-sofar: \([0-9]*\).*/\1/p' "$PKTGEN/$_pktgen_dev@$_cpu"
	done | awk '{ sum += $1 } END { print sum + 0 }'
}
