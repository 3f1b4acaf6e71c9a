#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# device.sh DEV [HOST:PORT]: the kernel module on a device of this host ("sudo make run DEV=eth0").
#
# Observes what the device receives and changes nothing. Without HOST:PORT a collector of its own shows the flows.
# Ends on Ctrl-C, at any moment, and leaves only build/.
#
# Environment: NPK_KO=FILE, a module that is loaded instead of building one. NPROBE_K=FILE, another daemon.
# NPK_ROOT=DIR, for tests: see checks.sh.

set -euo pipefail
export LC_ALL=C

# First of all, for a Ctrl-C at any moment. See child() too: while it meters, no program is run in another way.
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
trap 'exit 141' PIPE

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
PACKAGES=$TOP/tests/lib/packages.sh
LOGS=$TOP/build/run
W=$LOGS
DEV=${1:-}
COLLECTOR=${2:-}
KO=${NPK_KO:-}
ROOT=${NPK_ROOT:-}
PROBE=${NPROBE_K:-}
RELEASE=$(uname -r)
DAEMON=${PROBE:-build/nprobe-k}

# For something to be seen soon. With a collector of the user's the module keeps its own: 15 and 60.
TIMEOUTS=()
[ -n "$COLLECTOR" ] || TIMEOUTS=(idle=5 active=15)
EVERY=5
NEW_LINES=20
NAMES=1
declare -A SHOWN=()

# shellcheck source=tests/run/common.sh
. "$HERE/common.sh"
# shellcheck source=tests/run/show.sh
. "$HERE/show.sh"
# shellcheck source=tests/run/checks.sh
. "$HERE/checks.sh"

announce() {
	local insmod="insmod devices=$DEV${TIMEOUTS[*]:+ ${TIMEOUTS[*]}}"
	echo "On $DEV, in this host's own kernel $RELEASE:"
	if [ -n "$KO" ]; then
		echo "  loads $KO: $insmod"
	else
		echo "  builds build/module/$RELEASE/nprobe_k.ko and loads it: $insmod"
	fi
	echo "  it looks at the packets $DEV receives: none is changed or dropped, no setting of $DEV is touched"
	if [ -n "$COLLECTOR" ]; then
		echo "  runs $DAEMON, which sends NetFlow v9 to $COLLECTOR"
	else
		echo "  runs $DAEMON and a collector of its own on the loopback (nfcapd), and shows the flows as they end"
	fi
	echo "  Ctrl-C ends it: the module is unloaded and nothing of it stays but build/"
}

# ---------------------------------------------------------------- building

# kbuild writes beside the sources, so they are copied. Nothing but what is newer is compiled again.
build_module() {
	local dir=$TOP/build/module/$RELEASE
	mkdir -p "$dir"
	(cd "$TOP" && find Kbuild kmod include -type f \( -name '*.[ch]' -o -name Kbuild \)) | while read -r file; do
		cmp -s "$TOP/$file" "$dir/$file" || install -D -m 644 "$TOP/$file" "$dir/$file"
	done
	make -C "$ROOT/lib/modules/$RELEASE/build" M="$dir" modules >"$dir/build.log" 2>&1 || {
		echo "run: the module does not build for $RELEASE: $(grep -m1 -E 'error:|ERROR:|\*\*\*' "$dir/build.log"); log: $dir/build.log" >&2
		exit 1
	}
	KO=$dir/nprobe_k.ko
}

build() {
	if [ -z "$KO" ] || [ -z "$PROBE" ]; then
		"$PACKAGES" host
		say "building"
	fi
	[ -n "$KO" ] || build_module
	if [ -z "$PROBE" ]; then
		make -s -C "$TOP" -j"$(nproc)"
		PROBE=$TOP/build/nprobe-k
	fi
	[ ! -d "$TOP/build" ] || give_back "$TOP/build"
}

# The host's own nfcapd, or one out of the cache.
find_collector() {
	NFDUMP=(env TZ=UTC nfdump)
	NFCAPD=(nfcapd)
	if ! command -v nfcapd >/dev/null || ! command -v nfdump >/dev/null; then
		"$PACKAGES" tools nfdump
		NFDUMP=("$PACKAGES" tool nfdump)
		NFCAPD=("$PACKAGES" tool nfcapd)
	fi
}

# ---------------------------------------------------------------- what runs

# background LOG PROGRAM ARG...: in a session of its own, so that Ctrl-C does not reach it: it is ended in order.
background() {
	setsid "${@:2}" >"$W/$1" 2>&1 &
	PID=$!
}

free_port() {
	local port
	for port in 2055 9995 9996 {20550..20599}; do
		bound udp self "$port" || break
	done
	echo "$port"
}

start_collector() {
	local port
	port=$(free_port)
	mkdir "$W/flows"
	background nfcapd.log "${NFCAPD[@]}" -w "$W/flows" -b 127.0.0.1 -p "$port" -t "$EVERY"
	CAPD=$PID
	wait_for 10 "nfcapd does not listen" nfcapd.log bound udp "$CAPD" "$port"
	COLLECTOR=127.0.0.1:$port
}

# The last sentence of the module in the kernel's log since it was to be loaded.
kernel_says() {
	dmesg 2>/dev/null | tail -n "+$(($(wc -l <"$W/dmesg") + 1))" | sed -n 's/.*\(nprobe_k: .*\)/; the kernel says: \1/p' |
		tail -1
}

# The counters are in the first network namespace only, as are the devices the module finds by name.
load() {
	dmesg >"$W/dmesg" 2>/dev/null || :
	LOADED=1
	insmod "$KO" "devices=$DEV" "${TIMEOUTS[@]}" 2>"$W/insmod.log" ||
		fail "the module was not loaded: $(tail -1 "$W/insmod.log")$(kernel_says)" insmod.log
	[ -d /proc/net/nprobe_k ] ||
		fail "this is a network namespace of its own (a container?), and the module meters the machine's devices" insmod.log
	child grep -qE "^$DEV (up|down) " /proc/net/nprobe_k/devices || fail "the module does not meter $DEV$(kernel_says)" insmod.log
	wait_for 5 "the module is loaded, but there is no /dev/nprobe_k" insmod.log [ -c /dev/nprobe_k ]
}

joined() { ! alive "$METER" || grep -q ' joined ' /proc/net/nprobe_k/groups; }

start_meter() {
	background nprobe-k.log "$PROBE" -i kmod -n "$COLLECTOR" -V 9 --flush-on-exit
	METER=$PID
	wait_for 10 "nprobe-k does not join the ring" nprobe-k.log joined
	alive "$METER" || fail "nprobe-k ended by itself: $(tail -n1 "$W/nprobe-k.log")" nprobe-k.log
}

# ---------------------------------------------------------------- what is shown

# nfcapd ends a file every $EVERY seconds. One without flows has no line of names either.
show_new() {
	local file
	for file in "$W"/flows/nfcapd.[0-9]*; do
		[ -e "$file" ] && [ -z "${SHOWN[$file]:-}" ] || continue
		SHOWN[$file]=1
		child "${NFDUMP[@]}" -r "$file" -6 -N -O bytes -o long >"$W/new.txt" 2>/dev/null || continue
		child grep -q '^[0-9]' "$W/new.txt" || continue
		child awk -v names="$NAMES" -v most="$NEW_LINES" '
			(names && /^Date/) || (/^[0-9]/ && ++n <= most)
			END { if (n > most) printf "... and %d flows more in these seconds\n", n - most }' "$W/new.txt"
		NAMES=0
	done
}

show_progress() {
	seconds
	child awk -v now="$NOW" '
		{ value[$1] = $2 }
		END {
			printf "[%3d s] %d packets seen, %d flows open, %d flows published\n", now, value["seen.packets"],
				value["flows"], value["published.default.records"]
		}' /proc/net/nprobe_k/stats
}

follow() {
	while alive "$METER"; do
		nap "$EVERY"
		if [ -n "${CAPD:-}" ]; then show_new; else show_progress; fi
	done
	fail "nprobe-k ended by itself: $(tail -n1 "$W/nprobe-k.log")" nprobe-k.log
}

summary() {
	if [ -n "${CAPD:-}" ] && "${NFDUMP[@]}" -R "$W/flows" -6 -N -O bytes -o long >"$W/flows.txt" 2>/dev/null; then
		show_flows "$W/flows.txt"
	fi
	[ ! -s "$W/stats" ] || show_counters "$W/stats"
	! grep -h '^nprobe-k: ' "$W/nprobe-k.log" 2>/dev/null | tail -1
}

# ---------------------------------------------------------------- leaving the host as it was

# end PID SECONDS: asked first, then forced.
end() {
	local tries=$(($2 * 10))
	[ -n "$1" ] || return 0
	kill -TERM "$1" 2>/dev/null
	until gone "$1" || [ "$((tries--))" -le 0 ]; do sleep 0.1; done
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# A reader's end is not over the moment it is gone.
unload() {
	local tries=30
	[ -n "${LOADED:-}" ] && [ -d /sys/module/nprobe_k ] || return 0
	until rmmod nprobe_k 2>"$W/rmmod.log" || [ "$((tries--))" -le 0 ]; do sleep 0.1; done
	[ -d /sys/module/nprobe_k ] || return 0
	echo "run: the module could not be unloaded: $(tail -1 "$W/rmmod.log"); later: sudo rmmod nprobe_k" >&2
}

# Runs on every way out; Ctrl-C while metering is the way out that is meant. nprobe-k goes first, and sends what is
# open; then the collector, which has all of it; then the module.
cleanup() {
	local status=$? pid
	trap '' INT TERM HUP PIPE
	trap - EXIT
	set +e
	[ "$status" -le 128 ] || echo "run: ending" >&2
	end "${METER:-}" 7
	[ -z "${METER:-}" ] || cp /proc/net/nprobe_k/stats "$W/stats"
	[ -z "${CAPD:-}" ] || sleep 0.5 # what is still in its socket
	end "${CAPD:-}" 5
	for pid in $(jobs -p); do # one that had been started, but not yet noted
		end "$pid" 5
	done
	unload
	[ -z "${METER:-}" ] || summary
	rm -rf "$W/flows" "$W/new.txt"
	[ ! -d "$W" ] || give_back "${W%/*}"
	[ "$status" -le 128 ] || [ -z "${METERING:-}" ] || status=0
	exit "$status"
}

main() {
	[ -n "$DEV" ] || { sed -n 's/^# \{0,1\}//; 4,10p' "${BASH_SOURCE[0]}" >&2 && exit 2; }
	child announce
	child check_all
	trap cleanup EXIT
	rm -rf "$W"
	mkdir -p "$W"
	build
	if [ -z "$COLLECTOR" ]; then
		find_collector
		start_collector
	fi
	say "loading the module"
	load
	start_meter
	METERING=1
	say "metering $DEV, stop with Ctrl-C"
	follow
}

main "$@"
