#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# refusals.sh: make run DEV=... says in one sentence why it cannot load the module here, before it builds anything.
# Each machine is a folder with the files of /sys, /proc and /lib that are looked at.

set -euo pipefail
export LC_ALL=C
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
export ROOT=$W/root
BIN=$W/bin
bad=0

# program NAME WORDS: a program that prints them.
program() {
	printf '#!/bin/sh\nprintf "%%s\\n" "%s"\n' "$2" >"$BIN/$1"
	chmod 755 "$BIN/$1"
}

# A machine on which nothing stands in the way.
machine() {
	rm -rf "$ROOT" "$BIN"
	mkdir -p "$BIN" "$ROOT"/sys/{class/net/{eth0,lo,tun0},kernel/security,module/module/parameters} \
		"$ROOT"/proc/{self,sys/kernel} "$ROOT/lib/modules/$(uname -r)/build"
	echo 1 >"$ROOT/sys/class/net/eth0/type"
	echo 772 >"$ROOT/sys/class/net/lo/type"
	echo 65534 >"$ROOT/sys/class/net/tun0/type"
	echo '[none] integrity confidentiality' >"$ROOT/sys/kernel/security/lockdown"
	echo N >"$ROOT/sys/module/module/parameters/sig_enforce"
	: >"$ROOT/proc/modules"
	printf 'Name:\tbash\nCapEff:\t000001ffffffffff\n' >"$ROOT/proc/self/status"
	echo 0 >"$ROOT/proc/sys/kernel/modules_disabled"
	: >"$ROOT/lib/modules/$(uname -r)/build/Makefile"
	program id 0
	program insmod ""
	program mokutil "SecureBoot disabled"
	device=eth0
	ko=
}

# says WORDS: exactly one line, with these words; "" is none, and success.
says() {
	local code=0 want=0 said
	said=$(PATH=$BIN:$PATH DEV=$device KO=$ko bash -euo pipefail -c '. "$1"; check_all' - "$HERE/checks.sh" 2>&1) || code=$?
	[ -z "$1" ] || want=1
	if [ "$code" -eq "$want" ] && [ "$(wc -l <<<"$said")" -eq 1 ] && [[ $said == *"$1"* ]] &&
		{ [ -n "$1" ] || [ -z "$said" ]; }; then
		echo "ok: ${said:-nothing to say}"
	else
		printf 'FAILED: exit code %s, wanted "%s", said:\n%s\n' "$code" "$1" "$said"
		bad=1
	fi
	machine
}

machine
says ""
device=lo && says ""
device=eth7 && says "there is no device eth7; there are: eth0 lo tun0"
device=tun0 && says "tun0 is not an Ethernet device"
device=eth0,eth1 && says "name of one device"
device=.. && says "name of one device"
program id 1000 && says "sudo make run DEV=eth0"
mkdir -p "$ROOT/sys/module/nprobe_k/parameters" && echo eth1 >"$ROOT/sys/module/nprobe_k/parameters/devices" &&
	says "loaded already (eth1)"
command -v insmod >/dev/null || { rm "$BIN/insmod" && says "sudo apt install kmod"; }
rm "$ROOT/proc/modules" && says "CONFIG_MODULES is off"
echo 1 >"$ROOT/proc/sys/kernel/modules_disabled" && says "modules_disabled=1"
printf 'CapEff:\t00000000a80425fb\n' >"$ROOT/proc/self/status" && says "no CAP_SYS_MODULE"
echo 'none [integrity] confidentiality' >"$ROOT/sys/kernel/security/lockdown" && says "locked down (integrity), so"
echo 'none [integrity] confidentiality' >"$ROOT/sys/kernel/security/lockdown" && program mokutil "SecureBoot enabled" &&
	says "so it loads signed modules only: switch Secure Boot off"
rm "$ROOT/sys/kernel/security/lockdown" && program mokutil "SecureBoot enabled" && says "was started by Secure Boot, so"
rm "$ROOT/sys/kernel/security/lockdown" && says ""
echo Y >"$ROOT/sys/module/module/parameters/sig_enforce" && says "module.sig_enforce"
program mokutil "SecureBoot enabled" && says ""
rm "$ROOT/lib/modules/$(uname -r)/build/Makefile" && says "sudo apt install linux-headers-$(uname -r)"
ko=$W/none.ko && says "no such file"
ko=$W/unsigned.ko && echo module >"$ko" && rm "$ROOT/lib/modules/$(uname -r)/build/Makefile" && says ""
echo '[integrity]' >"$ROOT/sys/kernel/security/lockdown" && ko=$W/unsigned.ko && says "NPK_KO=FILE"
echo '[integrity]' >"$ROOT/sys/kernel/security/lockdown" && ko=$W/signed.ko &&
	printf 'module~Module signature appended~\n' >"$ko" && says ""
exit $bad
