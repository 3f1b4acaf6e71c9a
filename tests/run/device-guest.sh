# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# device-guest.sh: in a guest, what device.sh does from its start to Ctrl-C, and that nothing stays of it.
#
#     namespace a: ping    eth0 198.51.100.1  <--veth-->  va 198.51.100.2: metered

set -eu
RUN=/src/tests/run/device.sh
export NPK_KO=/lib/nprobe_k.ko NPROBE_K=/bin/nprobe-k
PINGS=40

failed() {
	echo "FAILED: $*"
	[ ! -f /tmp/run.log ] || sed 's/^/    /' /tmp/run.log
	exit 1
}

ip netns add a
ip link add va type veth peer name eth0 netns a
ip address add 198.51.100.2/24 dev va
ip link set va up
ip -n a address add 198.51.100.1/24 dev eth0
ip -n a link set eth0 up
ip -n a link set lo up

# start WORD...: as a shell with job control would: a process group of its own, in which Ctrl-C is not ignored.
start() {
	: >/tmp/run.log # not the last run's, for who waits for a line of this one
	env --default-signal=INT setsid "$@" >/tmp/run.log 2>&1 &
	PID=$!
	until busybox kill -0 "-$PID" 2>/dev/null; do :; done
}

# ctrl_c: to the group, as a terminal does; sets CODE. Once more when nothing happens: bash 5.2 forgets one in some
# hundred that come while it is in a $(...), of which a run has many before it builds and none while it meters.
ctrl_c() {
	local again
	CODE=0
	busybox kill -INT "-$PID"
	(
		sleep 10
		echo "Ctrl-C once more"
		busybox kill -INT "-$PID"
	) &
	again=$!
	wait "$PID" || CODE=$?
	kill "$again" 2>/dev/null || :
	cp /tmp/run.log "/out/$1.log"
}

wait_for() {
	local tries=150
	until grep -q "$1" /tmp/run.log; do
		[ "$tries" -gt 0 ] || failed "never said: $1"
		tries=$((tries - 1))
		sleep 0.1
	done
}

# Every request is in one of the flows shown. Requests received on two processors are two flows.
wait_for_pings() {
	local tries=150
	until [ "$(awk '/198\.51\.100\.1:0 .*198\.51\.100\.2:8\.0 / { n += $(NF - 2) } END { print n + 0 }' /tmp/run.log)" -eq "$PINGS" ]; do
		[ "$tries" -gt 0 ] || failed "not $PINGS packets in the flows of ping"
		tries=$((tries - 1))
		sleep 0.1
	done
}

clean() {
	[ ! -d /sys/module/nprobe_k ] || failed "$1: the module stays"
	! pidof nprobe-k nfcapd device.sh >/dev/null || failed "$1: a program stays"
	[ -z "$(ls -d /tmp/tmp.* 2>/dev/null)" ] || failed "$1: files stay in /tmp"
}

# says CODE WORDS COMMAND...: ends by itself, with this exit code and sentence.
says() {
	local want=$1 words=$2 code=0
	shift 2
	"$@" >/tmp/run.log 2>&1 || code=$?
	[ "$code" -eq "$want" ] && grep -q "^run: .*$words" /tmp/run.log || failed "exit code $code, wanted \"$words\""
	echo "ok: $(grep -m1 '^run: ' /tmp/run.log)"
}

own_collector() {
	start bash "$RUN" va
	wait_for "metering va"
	ip netns exec a ping -n -q -c "$PINGS" -i 0.05 198.51.100.2 >/dev/null
	wait_for_pings
	ctrl_c own
	[ "$CODE" -eq 0 ] || failed "a run that did its job ended with $CODE"
	for words in "^The flows as nfdump shows them" "^ *accounted.packets" "^ *difference.seen.packets *0$" \
		"^ *difference.default.packets *0$" "^ *lost.default.packets *0$"; do
		wait_for "$words"
	done
	clean "own collector"
	echo "ok: the flows were shown, and Ctrl-C left nothing"
}

users_collector() {
	mkdir /tmp/flows
	nfcapd -w /tmp/flows -b 127.0.0.1 -p 9999 -t 300 >/out/nfcapd.log 2>&1 &
	capd=$!
	start bash "$RUN" va 127.0.0.1:9999
	wait_for "metering va"
	ip netns exec a ping -n -q -c "$PINGS" -i 0.05 198.51.100.2 >/dev/null
	wait_for "packets seen, .* flows open"
	ctrl_c users
	[ "$CODE" -eq 0 ] || failed "a run that did its job ended with $CODE"
	sleep 0.5
	kill -TERM "$capd"
	wait "$capd" || :
	clean "user's collector"
	nfdump -R /tmp/flows -q -6 -o long >/tmp/run.log
	wait_for_pings
	echo "ok: the user's collector got the flow, open as it was"
}

interrupted() {
	for after in 0.1 0.3 0.5 0.6 0.7 0.8 0.9 1.2 3; do
		start bash "$RUN" va
		sleep "$after"
		ctrl_c "after-$after"
		[ "$CODE" -eq 0 ] || [ "$CODE" -eq 130 ] || failed "interrupted after $after s: exit code $CODE"
		clean "interrupted after $after s"
		echo "ok: interrupted after $after s: exit code $CODE, nothing stays"
	done
}

refused() {
	echo nonsense >/tmp/bad.ko
	says 1 "there is no device eth9" bash "$RUN" eth9
	says 1 "the module was not loaded: " env NPK_KO=/tmp/bad.ko bash "$RUN" va
	says 1 "network namespace of its own" ip netns exec a bash "$RUN" eth0
	says 1 "nprobe-k ended by itself" bash "$RUN" va nowhere.invalid:1
	clean refused
	insmod "$NPK_KO" devices=va
	says 1 "nprobe_k is loaded already (va)" bash "$RUN" va
	[ -d /sys/module/nprobe_k ] || failed "a refused run unloaded another's module"
	rmmod nprobe_k
}

own_collector
users_collector
interrupted
refused
