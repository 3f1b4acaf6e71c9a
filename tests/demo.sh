#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh: sudo make run.  Installs what building needs, builds, and runs the main job.

set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$TOP"
[ "$(id -u)" -eq 0 ] || { echo "make run makes network namespaces: run sudo make run" >&2; exit 1; }

give_back() {
    [ -z "${SUDO_UID:-}" ] || [ ! -d build ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" build
}
trap give_back EXIT
trap 'exit 130' INT
tests/lib/packages.sh host
echo "building"
make -s -j"$(nproc)"
tests/netns/live.sh
