# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# common.sh: what every form of "make run" needs. Sourced by bash and, in a guest, by dash: POSIX and "local" only.
#
# Who sources it sets W, the folder of the logs, and LOGS, where the user finds them afterwards, and has a function
# seconds that sets NOW: how long the run has taken so far.

say() {
	seconds
	printf '[%3d s] %s\n' "$NOW" "$*"
}

# fail SENTENCE [LOG]: one sentence and where to read more.
fail() {
	printf 'run: failed: %s; log: %s\n' "$1" "$LOGS/${2:-}" >&2
	exit 1
}

# The work is done by a child that is waited for, because bash runs a trap only when no program is in its foreground,
# and now and then forgets a Ctrl-C that comes the moment such a program or a $(...) ends.
child() {
	"$@" &
	wait $!
}

nap() { child sleep "$1"; }

# wait_for SECONDS WHAT LOG COMMAND...: until the command succeeds.
wait_for() {
	local tries=$(($1 * 10)) what=$2 log=$3
	shift 3
	until "$@" >/dev/null 2>&1; do
		[ "$tries" -gt 0 ] || fail "$what" "$log"
		tries=$((tries - 1))
		nap 0.1
	done
}

# bound tcp|udp PID PORT: a socket of that port is there, in the namespace of the process.
bound() { grep -qE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$3") " "/proc/$2/net/$1" "/proc/$2/net/${1}6"; }

alive() { kill -0 "$1" 2>/dev/null; }
gone() { ! alive "$1" || [ "$(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null)" = Z ]; }

# stop PID NAME LOG: SIGTERM and a clean end within 10 s.
stop() {
	local status=0
	kill -TERM "$1" 2>/dev/null || fail "$2 had ended before it was told to" "$3"
	wait_for 10 "$2 does not end on SIGTERM" "$3" gone "$1"
	wait "$1" || status=$?
	[ "$status" -eq 0 ] || fail "$2 ended with status $status" "$3"
}
