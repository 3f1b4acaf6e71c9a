# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# checks.sh: why the module cannot be loaded here, known before anything is built; one sentence each, with what to do.
#
# Sourced. DEV is the device, KO a module that is there already, or empty. ROOT is empty; a test puts a folder there
# in which /sys, /proc and /lib look as on another machine.

refuse() {
	echo "run: $*" >&2
	exit 1
}

# Without a module the same works for anyone who may capture.
without() { echo "without the module: sudo build/nprobe-k -i live:$DEV, or sudo make run-live"; }

check_root() {
	[ "$(id -u)" -eq 0 ] || refuse "loading a kernel module needs root; run: sudo make run DEV=$DEV"
}

# 1 is Ethernet, 772 the loopback: what the module attaches to.
check_device() {
	local type all
	all=$(cd "$ROOT/sys/class/net" 2>/dev/null && echo *)
	[[ $DEV =~ ^[^/,[:space:]]{1,15}$ ]] && [ "$DEV" != . ] && [ "$DEV" != .. ] ||
		refuse "DEV wants the name of one device, not \"$DEV\"; there are: $all"
	[ -e "$ROOT/sys/class/net/$DEV" ] || refuse "there is no device $DEV; there are: $all"
	type=$(cat "$ROOT/sys/class/net/$DEV/type")
	[ "$type" = 1 ] || [ "$type" = 772 ] ||
		refuse "$DEV is not an Ethernet device (its type is $type), and the module meters no other; there are: $all"
}

check_loaded() {
	[ ! -d "$ROOT/sys/module/nprobe_k" ] ||
		refuse "nprobe_k is loaded already ($(cat "$ROOT/sys/module/nprobe_k/parameters/devices" 2>/dev/null)): end the run that uses it, or unload it: sudo rmmod nprobe_k"
}

check_insmod() {
	command -v insmod >/dev/null || refuse "there is no insmod here: sudo apt install kmod"
}

# A container has the capabilities of its maker's choice; CAP_SYS_MODULE is number 16.
check_modules() {
	local caps
	[ -e "$ROOT/proc/modules" ] || refuse "this kernel cannot load modules (CONFIG_MODULES is off); $(without)"
	[ "$(cat "$ROOT/proc/sys/kernel/modules_disabled" 2>/dev/null)" != 1 ] ||
		refuse "loading modules is switched off until this machine is started again (kernel.modules_disabled=1); $(without)"
	caps=$(sed -n 's/^CapEff:[[:space:]]*//p' "$ROOT/proc/self/status")
	[ $(((16#${caps:-0} >> 16) & 1)) -eq 1 ] ||
		refuse "a container like this may not load kernel modules (no CAP_SYS_MODULE): run it on the machine itself; $(without)"
}

secure_boot() { command -v mokutil >/dev/null && [[ $(mokutil --sb-state 2>/dev/null) == *"SecureBoot enabled"* ]]; }

# Whether the signature is one this kernel trusts is for the kernel to say.
signed() { [ -n "$KO" ] && [[ $(tail -c 28 "$KO" | tr -d '\0') == "~Module signature appended~"* ]]; }

# locked: why only signed modules are loaded, empty when all are. Where the kernel does not say how far it is locked
# down, Secure Boot is what locks it on Debian and Ubuntu.
locked() {
	local state
	state=$(sed -n 's/.*\[\(.*\)\].*/\1/p' "$ROOT/sys/kernel/security/lockdown" 2>/dev/null || :)
	if [ -n "$state" ] && [ "$state" != none ]; then
		echo "this kernel is locked down ($state)"
	elif [ "$(cat "$ROOT/sys/module/module/parameters/sig_enforce" 2>/dev/null)" = Y ]; then
		echo "module.sig_enforce is set for this kernel"
	elif [ -z "$state" ] && secure_boot; then
		echo "this kernel was started by Secure Boot"
	fi
}

check_lockdown() {
	local why way="start it without what locks it (Secure Boot, or lockdown= and module.sig_enforce on its command line)"
	why=$(locked)
	[ -n "$why" ] && ! signed || return 0
	! secure_boot || way="switch Secure Boot off in the firmware"
	refuse "$why, so it loads signed modules only: $way, or sign nprobe_k.ko with a key that mokutil enrolled and say NPK_KO=FILE; $(without)"
}

check_headers() {
	local release
	release=$(uname -r)
	[ -z "$KO" ] || return 0
	[ -f "$ROOT/lib/modules/$release/build/Makefile" ] ||
		refuse "there are no headers for the running kernel: sudo apt install linux-headers-$release (if it is no longer to be had: start the newest installed kernel first); $(without)"
}

check_ko() {
	[ -z "$KO" ] || [ -r "$KO" ] || refuse "NPK_KO=$KO: no such file"
}

check_all() {
	check_ko
	check_device
	check_root
	check_loaded
	check_modules
	check_insmod
	check_lockdown
	check_headers
}
