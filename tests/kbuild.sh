#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kbuild.sh: the flow core as kernel objects: W=1, sparse with endian checks, no
# warning at all.  The headers are those of this suite's kernel, from the cache, or
# of KDIR.

set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KDIR=${KDIR:-$("$TOP/tests/lib/packages.sh" kernel-headers --path)}
command -v sparse >/dev/null || { echo "sparse is not installed: sudo make test installs it"; exit 1; }

# kbuild writes beside the sources: let it do so in a copy
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
cp -r "$TOP/Kbuild" "$TOP/kmod" "$TOP/include" "$W"
mapfile -t objects < <(cd "$W" && find kmod -name '*.c' | sed 's/c$/o/' | sort)
make -C "$KDIR" M="$W" W=1 C=2 CF=-D__CHECK_ENDIAN__ KCFLAGS=-Werror "${objects[@]}" 2>&1 | tee "$W/log"
for o in "${objects[@]}"; do
    [ -f "$W/$o" ] || { echo "$o was not built"; exit 1; }
    grep -q "$(basename "$o")\$" "$W/Kbuild" || { echo "$o is not in Kbuild"; exit 1; }
done
! grep -iE 'warning|error:' "$W/log"
