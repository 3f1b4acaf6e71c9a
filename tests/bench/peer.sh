#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# peer.sh KDIR [VARIABLE=VALUE...]: builds ipt_NETFLOW, the peer beside which the module is measured, for the kernel
# whose headers or build tree is KDIR, and prints two paths: ipt_NETFLOW.ko, and libipt_NETFLOW.so, whose folder
# XTABLES_LIBDIR has to name so that iptables knows the target. The variables are kbuild's, for instance ARCH=um.
#
# Debian's iptables-netflow-dkms and iptables are unpacked into the cache, nothing is installed; afterwards
# "packages.sh tool iptables-legacy" and "guest --tool iptables-legacy" find that program. What a user can leave out
# at build time is left out: no MAC addresses, VLANs, directions, sampling, NAT events or SNMP. Half a minute, once for
# each kernel.

# shellcheck source=tests/lab/host.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/host.sh"

say() { printf 'peer: %s\n' "$*" >&2; }
die() { printf 'peer: %s\n' "$*" >&2; exit 1; }

# key KDIR VARIABLE...: another one when anything the module is made of is another.
key() {
	local kdir=$1
	{
		echo "$@"
		cat "$kdir/.config" "$kdir/Module.symvers" "$kdir/include/generated/utsrelease.h" \
			"$NPK_TOOLS/iptables-netflow-dkms/.packages" "${BASH_SOURCE[0]}"
	} | sha256sum | cut -c 1-16
}

# build DIR KDIR VARIABLE...: its own configure and make, as Debian's dkms.conf calls them. What they ask about iptables
# is for the shared object, which the package has ready.
build() {
	local dir=$1 kdir=$2 root=$NPK_TOOLS/iptables-netflow-dkms version
	version=$("$PACKAGES" tool iptables-legacy -V | sed 's/^iptables v\([0-9.]*\).*/\1/')
	shift 2
	cp -r "$root"/usr/src/ipt-netflow-* "$dir" && cd "$dir" &&
		env "$@" ./configure "--from-dkms-conf=$kdir" "--ipt-ver=$version" \
			"--ipt-inc=$root/usr/include" "--ipt-lib=$dir" --disable-snmp-agent &&
		env "$@" make ipt_NETFLOW.ko &&
		cp "$root"/usr/lib/*/xtables/libipt_NETFLOW.so "$dir"
}

main() {
	local kdir dir log
	[ $# -ge 1 ] || { sed -n 's/^# \{0,1\}//; 4,11p' "${BASH_SOURCE[0]}" >&2; exit 2; }
	kdir=$(cd "$1" && pwd) || die "there is no folder $1"
	shift
	[ -f "$kdir/Module.symvers" ] || die "$kdir is neither headers nor a build tree of a kernel"
	"$PACKAGES" tools iptables-netflow-dkms iptables
	set_tools
	set_cache
	[ -f "$NPK_TOOLS/iptables-netflow-dkms/.packages" ] ||
		not_run "iptables-netflow-dkms is installed on this host; it is built from the unpacked package only"
	dir=$CACHE/peer/$(key "$kdir" "$@")
	if [ ! -f "$dir/ipt_NETFLOW.ko" ]; then
		lock_cache "$CACHE/peer"
		rm -rf "$dir" "$dir.new"
		log=$CACHE/peer/log
		say "building ipt_NETFLOW"
		(build "$dir.new" "$kdir" "$@") >"$log" 2>&1 || die "ipt_NETFLOW does not build, see $log"
		put_in_place "$dir.new" "$dir"
	fi
	echo "$dir/ipt_NETFLOW.ko"
	echo "$dir/libipt_NETFLOW.so"
}

main "$@"; exit # nothing is read after this, so the file may change while it runs
