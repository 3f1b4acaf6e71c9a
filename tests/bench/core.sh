#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# core.sh: the flow core in user space beside its floor; .low and .high are quartiles of interleaved rounds.
#
# core.FAMILY.ORDER.FLOWS            nanoseconds of CPU a packet costs: parse, find the flow, account
#                        .floor      parse, hash, one line of an array as large as the signatures and, dependent on it, one of
#                                    an array as large as the entries
#                        .ratio      the one through the other, of the same round
#                        .batch...   the same with prefetching, 32 packets at a time
#                        .feed       what of each of them is the making of the frame
# core.scaling                       packets a second by two threads with a shard each, beside one thread that takes turns with
#                                    both; .floor: the floor's own; .ratio: of the two
# core.octets_per_slot               memory of a table for a million flows
#
# Tables are half full, three quarters where the name ends in -75; in huge pages where the system gives them. About three minutes.

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CORE=$TOP/build/bench/core

say() { printf 'core: %s\n' "$*" >&2; }

# core ARG...: what cannot run here says so, and the others go on
core() {
	say "$*"
	"$CORE" "$@" || { [ $? -eq 77 ] && say "skipped: $2"; }
}

make -s -C "$TOP" build/bench/core >&2
"$CORE" slot 1048576
for family in v4 v6; do
	for order in uniform zipf; do
		core run "core.$family.$order.1k" $family $order 1024
		core run "core.$family.$order.64k" $family $order 65536
		core run "core.$family.$order.1m" $family $order 1048576
		core run "core.$family.$order.8m" $family $order 8388608
	done
	core run "core.$family.uniform.1m-75" $family uniform 1048576 75
done
say "for two threads: $(lscpu | sed -n 's/^\(Thread\|Core\)(s) per \(core\|socket\): */\L\1s a \2 /p' | paste -sd,)"
core scale core.scaling v4 uniform 1048576
