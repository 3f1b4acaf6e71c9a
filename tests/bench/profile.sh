#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# profile.sh: what a new flow costs in each function of the guest's kernel, from its packet to the reader of its record: the
# traffic of expiry.new-and-read.rx. A run of 500,000 packets is subtracted from one of 1,500,000, so that starting the guest,
# and filling the table, are not in it. "programs" is all of user space: the reader.
set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BENCH=$TOP/tests/bench
LAB=$TOP/tests/lab
OUT=$TOP/build/bench/profile

# run PACKETS
run() {
	"$LAB/guest" --icount --mem 1536 --time 900 --out "$OUT/$1" --plugin "$OUT/profile.so,out=$OUT/$1.blocks" \
		--file "$OUT/reader:/bin/reader" --file "$LAB/scripts/module.sh:/lab/module.sh" "$BENCH/guest/profile.sh" "$1" >&2
}

mkdir -p "$OUT"
gcc -shared -fPIC -O2 -Wall -Wextra -Werror -o "$OUT/profile.so" "$BENCH/profile.c"
gcc -D_GNU_SOURCE -static -O2 -Wall -Wextra -Werror -I"$TOP/include/uapi" -o "$OUT/reader" "$LAB/reader.c"
run 500000
run 1500000
"$BENCH/profile.py" "$OUT" 500000 1500000
