#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# expiry.sh: what it costs to close flows, in the kernel, in a guest whose nanoseconds are instructions.
#
# One processor whose nanoseconds are instructions (guest --icount), the stock kernel, one shard. A kernel built for others
# does more or less than this one, but the numbers are the same on any machine; memory that is far away costs nothing here.
# There is no spread: a run after another differs by some 2 %.
#
# expiry.hold.*        longest time one function runs that is called with a shard's lock held: function_graph tracer, less
#                      what the tracer itself takes (expiry.tracer, measured on a function that does nothing); interrupts
#                      that come in between are in it. packet: all of meter_skb(), more than is
#                      done under the lock; sweep: the reaper's npk_meter_sweep(), a table of 1,048,576 slots, all full and all due at once by a flush; discard: a new
#                      reader that drops a backlog of as many records.
# expiry.record        the sweep's time divided by these records: sweep and publish, all flows due. No reader.
# expiry.look          the sweep's time for a bucket in which nothing is due (9 flows of 15)
# expiry.new-and-read  450,000 packets, every one a new flow of which there is one packet, while as many flows (.leaving, of
#                      the packets) become idle, idle=1, are published, and are read. All that happens on the processor
#                      meanwhile divided by the packets, less the same without the module (expiry.path), less what the reader
#                      itself does with a record (.reader: tests/lab/reader.c looks at its packets). What is left is the
#                      kernel's side: meter, sweep, publish, wake, poll, switch.
#                      rx, ingress: 262,144 slots, of which about 60 % are in use; rx-large-table: 1,048,576.
# .wakes, wakes-at-N   how often the reader's process was woken, with N new flows a second
set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB=$TOP/tests/lab
OUT=$TOP/build/bench/expiry

mkdir -p "$OUT"
gcc -D_GNU_SOURCE -static -O2 -Wall -Wextra -Werror -I"$TOP/include/uapi" -o "$OUT/reader" "$TOP/tests/lab/reader.c"
"$LAB/guest" --icount --mem 1536 --time 900 --out "$OUT" --file "$OUT/reader:/bin/reader" \
	--file "$LAB/scripts/module.sh:/lab/module.sh" "$TOP/tests/bench/guest/expiry.sh" >&2 || exit $?
awk -v OFS='\t' '$1 == "result" { print $2, $3, $4 }' "$OUT/output"
