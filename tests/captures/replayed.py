#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Hold what a replay left (tests/lab/replay) against itself and the truth's sums.

usage: replayed.py DIR TRUTH.flows.csv FRAMES

The module saw FRAMES frames and accounted as many packets as the truth has; every record printed carries as much in
sum; nfdump shows the same packets and octets for the same addresses, protocol and ports. So compare.py's leniency
towards sources it does not know hides nothing. Exit code 1 and what differs otherwise.
"""
import collections
import csv
import ipaddress
import json
import os
import sys


def table(rows):
    sums = collections.defaultdict(lambda: [0, 0])
    for src, dst, proto, sport, dport, packets, octets in rows:
        key = (str(ipaddress.ip_address(src)), str(ipaddress.ip_address(dst)), int(proto), int(sport), int(dport))
        sums[key][0] += int(packets)
        sums[key][1] += int(octets)
    return sums


def from_csv(path):
    with open(path, newline="") as f:
        for r in csv.DictReader(f):
            yield r["src"], r["dst"], r["proto"], r["sport"], r["dport"], r["packets"], r["bytes"]


def from_nfdump(path):
    with open(path) as f:
        text = f.read()
    for r in json.loads(text) if "{" in text else []:  # no flow: nfdump prints half a list
        v = 6 if "src6_addr" in r else 4
        dport = r.get("dst_port", 0)
        if r["proto"] in (1, 58) and "icmp_type" in r:
            dport = r["icmp_type"] * 256 + r["icmp_code"]
        yield r["src%d_addr" % v], r["dst%d_addr" % v], r["proto"], r.get("src_port", 0), dport, r["in_packets"], r["in_bytes"]


def counters(path):
    with open(path) as f:
        return dict(line.split() for line in f)


def main():
    folder, truth, frames = sys.argv[1:]
    stats = counters(os.path.join(folder, "proc/stats"))
    with open(truth, newline="") as f:
        packets = sum(int(r["packets"]) for r in csv.DictReader(f))
    ours = table(from_csv(os.path.join(folder, "flows.csv")))
    theirs = table(from_nfdump(os.path.join(folder, "nfdump.json")))
    checks = {
        "frames seen": (int(stats["frames"]), int(frames)),
        "packets accounted": (int(stats["accounted.packets"]), packets),
        "packets printed": (sum(v[0] for v in ours.values()), packets),
        "packets lost": (int(stats["lost.default.packets"]), 0),
    }
    wrong = ["%s: %d, should be %d" % (k, a, b) for k, (a, b) in checks.items() if a != b]
    wrong += ["nfdump differs %s ours %s nfdump %s" % (k, ours.get(k), theirs.get(k))
              for k in sorted(set(ours) | set(theirs)) if ours.get(k) != theirs.get(k)]
    for line in wrong[:6]:
        print("  " + line)
    sys.exit(1 if wrong else 0)


main()
