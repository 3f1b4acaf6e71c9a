#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ring.sh: records through a ring; .low and .high are quartiles.
#
# ring.records_per_second   through one ring of 8192 slots between two threads, by the clock on the wall; each record's number
#                           and octets are checked
# ring.producer.ns          CPU time a record costs whoever writes it, without waiting
# ring.consumer.ns          likewise whoever reads and checks it
# ring.roundtrip.ns         a cache line from one of the two processors to the other and back: what the above depends on
# ring.expire.ns            a sweep of a million idle flows into a ring, for each record; .expire.ns_bare: records are only counted
#
# About 10 seconds on a machine that does nothing else.

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

make -s -C "$TOP" build/bench/ring >&2
exec "$TOP/build/bench/ring"
