#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# floor.sh KERNEL: builds floor.ko, which drops at once what a device receives, for a kernel of the lab; prints its path.

# shellcheck source=tests/lab/host.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/host.sh"

dir=$TOP/build/bench/floor/$1
rm -rf "$dir"
make_dir "$dir"
cp "$TOP"/tests/bench/floor/{Kbuild,floor.c} "$dir"
exec "$LAB/module" "$1" "$dir"
