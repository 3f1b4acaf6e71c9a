# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# profile.sh PACKETS: the traffic of expiry.new-and-read.rx, and where in memory the kernel's functions are.
. /lab/lib.sh
. /lab/module.sh

make_link
load devices=out0 hook=rx flows=262144 idle=1 active=60
reader >/tmp/reader &
pktgen_setup out0 0 "$1" 'src_min 10.2.0.0
src_max 10.255.255.255'
pktgen_run
cat /proc/kallsyms >/out/kallsyms
sums
