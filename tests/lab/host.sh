# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host.sh: what the programs of the lab share on the host. Sourced; takes tests/lib/packages.sh with it.

set -euo pipefail
umask 022
export LC_ALL=C

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$LAB/../.." && pwd)
PACKAGES=$TOP/tests/lib/packages.sh
# shellcheck source=tests/lib/packages.sh
. "$PACKAGES"

# What belongs to a checkout is built here, what only takes long or comes from the network lies in the cache.
BUILD=$TOP/build/lab

say() { printf 'lab: %s\n' "$*" >&2; }
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }

# tests/run.sh reads the reason from the last line that starts so, and 77 is its exit code for a step not run.
not_run() { printf 'skipped: %s\n' "$*" >&2; exit 77; }

# What apt, mmdebstrap and QEMU are asked for below is all amd64.
need_amd64() {
	local arch
	need_distribution
	arch=$(dpkg --print-architecture)
	[ "$arch" = amd64 ] || not_run "the lab boots amd64 kernels only, this host is $arch"
}

set_cache() {
	local root
	root=$(cache_root) || exit 1
	CACHE=$root/lab/$(platform)
	KERNELS=$CACHE/kernels
}

# The codename of this host's suite: "stock" is another name for its kernel.
host_suite() {
	(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
}

# canonical KERNEL: the name its folders have. Also keeps names out that would lead elsewhere.
canonical() {
	[[ $1 =~ ^[a-z][a-z0-9-]*$ ]] || die "no kernel \"$1\": stock, debug, uml, or a suite of Debian (bookworm, trixie)"
	if [ "$1" = "$(host_suite)" ]; then echo stock; else echo "$1"; fi
}

# wait_for_lock DIR: as lock_cache, but as long as it takes; building the debug kernel takes many minutes.
wait_for_lock() {
	make_dir "$1"
	exec 9>"$1/.lock"
	give_to_user "$1/.lock"
	flock -n 9 && return
	say "another run is at work in $1, waiting"
	flock 9
}
