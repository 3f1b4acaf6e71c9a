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

# The kernel's own packets on a new link would be metered too. All flows of a capture are exported at once.
sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.core.netdev_max_backlog=200000 net.core.rmem_default=16777216
ip link add in0 type veth peer name out0
for dev in in0 out0; do
    ip link set "$dev" mtu "$mtu"
    ip link set "$dev" up
done
# shellcheck disable=SC2086 # a list of parameters
insmod /lib/nprobe_k.ko devices=out0 hook="$hook" passive="$passive" idle=3600 active=3600 $params

# until_true COMMAND...: it succeeds, 10 s at most.
until_true() {
    tries=100
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { echo "not within 10 s: $*"; exit 1; }
        sleep 0.1
    done
}

# Port 2055 is bound; nothing waits in its socket.
listening() { grep -q ':0807 ' /proc/net/udp; }
drained() { grep -q ':0807 .* 00000000:00000000 ' /proc/net/udp; }

mkdir /tmp/flows
nfcapd -w /tmp/flows -b 127.0.0.1 -p 2055 -t 3600 >"$OUT"/nfcapd.log 2>&1 &
nfcapd=$!
tcpdump --immediate-mode -Z root -q -i lo -B 65536 -U -w "$OUT"/export.pcap udp dst port 2055 >"$OUT"/tcpdump.log 2>&1 &
tcpdump=$!
until_true listening
until_true grep -q 'listening on' "$OUT"/tcpdump.log
nprobe-k -n 127.0.0.1:2055 --print csv --flush-on-exit --stats-json "$OUT"/stats.json "$@" \
    >"$OUT"/flows.csv 2>"$OUT"/nprobe-k.log &
probe=$!
until_true grep -q joined /proc/net/nprobe_k/groups
# an empty capture: what remains when a veth can carry none of its frames
if [ "$(stat -c %s "$CAPTURE")" -gt 24 ]; then
    tcpreplay -q -i in0 --pps 10000 "$CAPTURE" >"$OUT"/tcpreplay.log 2>&1 || { cat "$OUT"/tcpreplay.log; exit 1; }
fi

# Everything sent has arrived when the counter stands still.
last=-1
while now=$(sed -n 's/^frames //p' /proc/net/nprobe_k/stats) && [ "$now" != "$last" ]; do
    last=$now
    sleep 0.3
done
kill -TERM "$probe"
wait "$probe"
until_true drained
# the last column: datagrams that found its socket full
awk '$2 ~ /:0807$/ { exit $NF != 0 }' /proc/net/udp || { echo "nfcapd lost datagrams"; exit 1; }
sleep 0.2
kill -TERM "$nfcapd" "$tcpdump"
wait "$nfcapd" "$tcpdump" || :
nfdump -R /tmp/flows -o csv >"$OUT"/nfdump.csv
nfdump -R /tmp/flows -o json >"$OUT"/nfdump.json
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
