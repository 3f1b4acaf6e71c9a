#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kbuild.sh: core and module as kernel objects: W=1, sparse with endian checks, no
# warning at all.  The headers are those of this suite's kernel, from the cache, or
# of KDIR.

set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KDIR=${KDIR:-$("$TOP/tests/lib/packages.sh" kernel-headers --path)}
command -v sparse >/dev/null || { echo "sparse is not installed: sudo make test installs it"; exit 1; }

# kbuild writes beside the sources: let it do so in a copy
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
cp -r "$TOP/Kbuild" "$TOP/kmod" "$TOP/include" "$TOP/tests/sparse.h" "$W"
mapfile -t objects < <(cd "$W" && find kmod -name '*.c' | sed 's/c$/o/' | sort)
# not C=2: Debian's 7.x headers lack the script that looks for sparse, and without it C=2 means nothing
make -C "$KDIR" M="$W" W=1 KBUILD_CHECKSRC=2 CF="-D__CHECK_ENDIAN__ -include $W/sparse.h" KCFLAGS=-Werror \
    "${objects[@]}" 2>&1 | tee "$W/log"
for o in "${objects[@]}"; do
    [ -f "$W/$o" ] || { echo "$o was not built"; exit 1; }
    grep -q "^  CHECK .*${o%o}c\$" "$W/log" || { echo "sparse has not seen ${o%o}c"; exit 1; }
    grep -q "$(basename "$o")\$" "$W/Kbuild" || { echo "$o is not in Kbuild"; exit 1; }
done
! grep -iE 'warning|error:' "$W/log"
