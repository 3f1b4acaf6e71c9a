#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# stop.sh: a signal ends live: metering cleanly: every packet that was there before
# the signal is in a record, the exit code is 0, and it takes less than 5 seconds.
#
# Runs in a network namespace without a name, on its loopback.

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PROBE=${NPROBE_K:-$TOP/build/nprobe-k}
[ "${1:-}" = inside ] || exec unshare --net "$0" inside
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
ip link set lo up

for round in 1 2 3 4 5 6; do
    signal=$([ $((round % 2)) -eq 0 ] && echo INT || echo TERM)
    python3 - "$PROBE" "$W/flows.csv" "$signal" <<'PY'
import csv, os, signal, socket, subprocess, sys, time
probe, path, name = sys.argv[1:]
with open(path, "w") as out:
    run = subprocess.Popen([probe, "-i", "live:lo", "--print", "csv"], stdout=out, stderr=subprocess.PIPE, text=True)
    run.stderr.readline()                       # "metering live:lo"
    time.sleep(0.2)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 9999))
    for i in range(1000):
        s.sendto(b"x" * 100, ("127.0.0.1", 9999))
    start = time.time()
    run.send_signal(getattr(signal, "SIG" + name))
    code = run.wait(10)
    took = time.time() - start
got = sum(int(r["packets"]) for r in csv.DictReader(open(path)) if r["dport"] == "9999" and r["proto"] == "17")
octets = sum(int(r["bytes"]) for r in csv.DictReader(open(path)) if r["dport"] == "9999" and r["proto"] == "17")
print(f"SIG{name}: exit code {code} after {took:.2f} s, {got} packets of 1000, {octets} octets of 128000")
sys.exit(0 if (code, got, octets) == (0, 1000, 128000) and took < 5 else 1)
PY
done
