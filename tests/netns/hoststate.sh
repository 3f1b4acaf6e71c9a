#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# hoststate.sh: what of this host a run could leave behind, one fact per line and in a stable order:
# services that are enabled, sockets that listen, network namespaces. Two calls compared with diff tell
# whether what ran between them left the host as it was.
#
# Sockets and namespaces are read from the kernel and not with ss and ip, so that the two calls print the same
# form even when iproute2 was installed in between.

set -euo pipefail
export LC_ALL=C

# --root reads the links themselves: it answers also where systemd is installed but does not run.
services() {
	if command -v systemctl >/dev/null; then
		systemctl --root=/ --no-legend --no-pager list-unit-files --state=enabled,enabled-runtime,linked,linked-runtime |
			awk '{ print "service enabled", $1 }' | sort -u
	fi
	find /etc -maxdepth 2 -path '/etc/rc?.d/S*' -printf 'service enabled %p\n' | sort
}

# The kernel prints an address as 32-bit words of its own byte order: little endian on what we run on, and if it is
# not, the line is as stable.
address() {
	local hex=$1 out='' i
	if [ ${#hex} -eq 8 ]; then
		printf '%d.%d.%d.%d' "0x${hex:6:2}" "0x${hex:4:2}" "0x${hex:2:2}" "0x${hex:0:2}"
		return
	fi
	for i in 6 4 2 0 14 12 10 8 22 20 18 16 30 28 26 24; do
		out+=${hex:i:2}
		[ $((${#out} % 5)) -ne 4 ] || out+=:
	done
	printf '[%s]' "${out%:}"
}

# sockets PROTOCOL STATE: 0A is a TCP socket that listens, 07 a UDP socket that is not connected.
sockets() {
	local proto=$1 state=$2 where
	[ -r "/proc/net/$proto" ] || return 0
	while read -r where; do
		printf 'listening %s %s:%d\n' "$proto" "$(address "${where%:*}")" "0x${where#*:}"
	done < <(awk -v state="$state" 'NR > 1 && $4 == state { print $2 }' "/proc/net/$proto") | sort -u
}

namespaces() {
	[ ! -d /run/netns ] || find /run/netns -mindepth 1 -printf 'namespace %f\n' | sort
}

services
sockets tcp 0A
sockets tcp6 0A
sockets udp 07
sockets udp6 07
namespaces
