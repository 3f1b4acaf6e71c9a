# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# show.sh: what the forms of "make run" print on the host. Sourced after common.sh; W and LOGS as there.

FLOW_LINES=40

# Since the user typed the command: a caller that did work before this script says how much by NPK_SECONDS.
seconds() { NOW=$((SECONDS + ${NPK_SECONDS:-0})); }

# Files made as root on behalf of a user belong to that user.
give_back() {
	[ "$(id -u)" -ne 0 ] || [ -z "${SUDO_UID:-}" ] || chown -hR "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$@"
}

# The flows of FILE, in nfdump's order: a line of names, the flows, a summary.
show_flows() {
	echo
	echo "The flows as nfdump shows them, largest first:"
	awk -v most="$FLOW_LINES" -v file="$LOGS/${1##*/}" '
		/^Summary:/ && more { printf "... and %d flows more: %s\n", more, file }
		/^[0-9]/ && ++flows > most { more++; next }
		{ print }' "$1"
	echo
}

# Of the module's counters those that say something: a remark or a reason that never came up is left out.
show_counters() {
	echo "/proc/net/nprobe_k/stats, without reasons and remarks that are 0:"
	awk '!(/^(ignored|note_)/ && $2 == 0) { printf "    %-28s %15s\n", $1, $2 }' "$1"
	echo
}

# The device the user most likely wants to look at.
own_device() {
	local dev
	dev=$(ip -o route show default | awk '{ for (i = 1; i < NF; i++) if ($i == "dev" && !n++) print $(i + 1) }')
	echo "${dev:-eth0}"
}

what_next() {
	local dev
	dev=$(own_device)
	echo
	echo "sudo build/nprobe-k -i live:$dev --print csv          # your own traffic, on the screen"
	echo "sudo build/nprobe-k -i live:$dev -n 192.0.2.1:2055    # your own traffic, to your collector"
	echo "sudo make run DEV=$dev                                # your own traffic, with the kernel module"
}
