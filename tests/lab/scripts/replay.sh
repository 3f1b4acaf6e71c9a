# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# In the guest: replay a capture into a veth whose other end the module meters, and
# leave in a folder what was metered, exported and said.
#
# replay.sh HOOK PASSIVE MTU INSMOD-PARAMETERS -- NPROBE-K-ARGUMENTS
#
# CAPTURE (/capture.pcap) and OUT (/out) may be set in the environment.

set -e
CAPTURE=${CAPTURE:-/capture.pcap}
OUT=${OUT:-/out}
hook=$1
passive=$2
mtu=$3
params=$4
shift 5

# The kernel's own packets on a new link would be metered too.
sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.core.netdev_max_backlog=200000
ip link add in0 type veth peer name out0
for dev in in0 out0; do
    ip link set "$dev" mtu "$mtu"
    ip link set "$dev" up
done
# shellcheck disable=SC2086 # a list of parameters
insmod /lib/nprobe_k.ko devices=out0 hook="$hook" passive="$passive" idle=3600 active=3600 $params

mkdir /tmp/flows
nfcapd -w /tmp/flows -b 127.0.0.1 -p 2055 -t 3600 >"$OUT"/nfcapd.log 2>&1 &
nfcapd=$!
tcpdump -Z root -q -i lo -B 65536 -U -w "$OUT"/export.pcap udp dst port 2055 >"$OUT"/tcpdump.log 2>&1 &
tcpdump=$!
sleep 1
nprobe-k -n 127.0.0.1:2055 --print csv --flush-on-exit --stats-json "$OUT"/stats.json "$@" \
    >"$OUT"/flows.csv 2>"$OUT"/nprobe-k.log &
probe=$!
tcpreplay -q -i in0 --pps 10000 "$CAPTURE" >"$OUT"/tcpreplay.log 2>&1 || { cat "$OUT"/tcpreplay.log; exit 1; }

# Everything sent has arrived when the counter stands still.
last=-1
while now=$(sed -n 's/^frames //p' /proc/net/nprobe_k/stats) && [ "$now" != "$last" ]; do
    last=$now
    sleep 0.5
done
kill -TERM "$probe"
wait "$probe"
sleep 1
kill -TERM "$nfcapd" "$tcpdump"
wait "$nfcapd" "$tcpdump" || :
nfdump -R /tmp/flows -o csv >"$OUT"/nfdump.csv
mkdir "$OUT/proc"
for f in stats cpu devices groups config flows; do
    cat "/proc/net/nprobe_k/$f" >"$OUT/proc/$f"
done
rmmod nprobe_k
# Each sum of the module comes out, or this was no measurement.
if grep '^difference' "$OUT"/proc/stats | grep -v ' 0$'; then
    echo "the sums differ"
    exit 1
fi
cat "$OUT"/nprobe-k.log
# as it was, for another run in the same guest
ip link del in0
rm -rf /tmp/flows
