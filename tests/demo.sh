#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh          sudo make run: the kernel module on real traffic, in a guest
#                  with DEV (and COLLECTOR) in the environment: on a device of this host
# demo.sh live     sudo make run-live: without the module, between two network namespaces
#
# Installs what building needs, says first what that is, builds, and runs that form: see tests/run and tests/netns.

set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PACKAGES=$TOP/tests/lib/packages.sh
TOOLS=(nfdump iperf3 dnsmasq-base bind9-dnsutils)
LAB_TOOLS=(busybox-static qemu-system-x86)
# What the guest has, and some for QEMU.
GUEST_MEM_MB=1300

# shellcheck source=tests/run/show.sh
. "$TOP/tests/run/show.sh"

die() { echo "run: $*" >&2; exit 1; }

# What was made before a run ended belongs to the user, too.
leave() { [ ! -d "$TOP/build" ] || give_back "$TOP/build"; }

need_guest() {
	local mem arch=amd64
	! command -v dpkg >/dev/null || arch=$(dpkg --print-architecture)
	[ "$arch" = amd64 ] ||
		die "the guest has an amd64 kernel and this host is $arch; without the module: sudo make run-live"
	mem=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
	[ "$mem" -ge "$GUEST_MEM_MB" ] ||
		die "too little memory for a guest: $mem MB are available, $GUEST_MEM_MB MB are needed; without the module: sudo make run-live"
}

build() {
	"$PACKAGES" host
	"$PACKAGES" tools "$@"
	echo "building"
	make -s -C "$TOP" -j"$(nproc)"
}

main() {
	cd "$TOP"
	trap leave EXIT
	trap 'exit 130' INT
	if [ "${1:-}" = live ]; then
		[ "$(id -u)" -eq 0 ] || die "make run-live makes network namespaces: run sudo make run-live"
		build "${TOOLS[@]}"
		leave
		exec tests/netns/live.sh
	fi
	[ -z "${DEV:-}" ] || exec tests/run/device.sh "$DEV" "${COLLECTOR:-}"
	[ -z "${COLLECTOR:-}" ] || die "COLLECTOR goes with a device: sudo make run DEV=eth0 COLLECTOR=$COLLECTOR"
	need_guest
	build "${TOOLS[@]}" "${LAB_TOOLS[@]}"
	echo "building the module for this suite's kernel"
	tests/lab/module stock >/dev/null
	leave
	export NPK_SECONDS=$SECONDS
	exec tests/run/module.sh
}

main "$@"
