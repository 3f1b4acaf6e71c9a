#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# unit.sh CC: every unit test, built by CC with ASan and UBSan.

set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CC=${1:?usage: unit.sh CC}
BUILD=build/$CC-san
cd "$TOP"
make -s -j"$(nproc)" CC="$CC" SAN=1 BUILD="$BUILD" unit
bad=0
ran=0
for source in tests/unit/test_*.c; do
    name=$(basename "$source" .c)
    echo "== $name"
    timeout 300 "$BUILD/unit/$name" || { echo "FAILED: $name, again with: $BUILD/unit/$name"; bad=1; }
    ran=$((ran + 1))
done
echo "$ran programs"
[ "$ran" -gt 0 ] && exit $bad
