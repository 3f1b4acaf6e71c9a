# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# In the guest: /lab/replay.sh on every capture in /captures, one after the other.
#
# replay-all.sh HOOK PASSIVE MTU

for capture in /captures/*.pcap; do
	name=$(basename "$capture" .pcap)
	mkdir "/out/$name"
	echo "== $name"
	CAPTURE=$capture OUT=/out/$name sh /lab/replay.sh "$1" "$2" "$3" "" -- || exit 1
done
