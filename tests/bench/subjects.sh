# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# subjects.sh: to be sourced after host.sh: what a guest needs for tests/bench/guest/subjects.sh.

# subjects_options KERNEL KDIR [VARIABLE=VALUE...]: builds the peer (peer.sh) and the floor; sets SUBJECTS, options of guest.
subjects_options() {
	local kernel=$1 bench=$TOP/tests/bench floor paths
	local -a peer
	shift
	paths=$("$bench/peer.sh" "$@") || exit $?
	mapfile -t peer <<<"$paths"
	floor=$("$bench/floor.sh" "$kernel") || exit $?
	SUBJECTS=(--tool iptables-legacy --file "$LAB/scripts/module.sh:/lab/module.sh"
		--file "$bench/guest/peer.sh:/lab/peer.sh" --file "$bench/guest/subjects.sh:/lab/subjects.sh"
		--file "${peer[0]}:/lib/ipt_NETFLOW.ko" --file "${peer[1]}:/lib/xtables/libipt_NETFLOW.so"
		--file "$floor:/lib/floor.ko")
}
