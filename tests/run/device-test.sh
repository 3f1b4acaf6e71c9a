#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# device-test.sh: make run DEV=..., in a guest whose kernel it meters: see device-guest.sh.

set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB=$(cd "$HERE/../lab" && pwd)

files=()
for name in device common show checks; do
	files+=(--file "$HERE/$name.sh:/src/tests/run/$name.sh")
done
exec "$LAB/guest" --time 200 "${files[@]}" --tool bash --tool ping --tool nfcapd --tool nfdump "$@" "$HERE/device-guest.sh"
