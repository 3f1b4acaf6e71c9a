#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Judge what export.sh left: export.py DIR.

In every datagram of v5, v9 and IPFIX tshark finds nothing malformed and no missing template, and no gap from one to the
next; the flow records in them, their packets and octets, are those of --print csv and of the counters.
"""
import csv
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from collectors import TOOL, run, tshark  # noqa: E402 pylint: disable=wrong-import-position

bad = 0


def check(good, what, detail=""):
    global bad
    bad += not good
    print("%s: %s%s" % ("ok" if good else "FAILED", what, "" if good else ": %s" % (detail,)))


def numbers(text):
    return [int(n) for n in text.split(",") if n]


def datagrams(path):
    """What tshark has of each: sequence, number of records (v5), packets and octets of all its flow records."""
    fields = ("cflow.sequence", "cflow.count", "cflow.packets", "cflow.octets")
    text = run(TOOL + ["tshark", "-r", path, "-n", "-d", "udp.port==2055,cflow", "-T", "fields", "-E", "occurrence=a"]
               + [x for f in fields for x in ("-e", f)])
    return [[numbers(column) for column in line.split("\t")] for line in text.splitlines()]


def printed(path, version):
    with open(path, newline="") as f:
        rows = [(int(r["packets"]), int(r["bytes"]), r["ipver"]) for r in csv.DictReader(f)]
    exported = [r for r in rows if version != 5 or r[2] == "4"]
    return len(rows), len({r[2] for r in rows}), (len(exported), sum(r[0] for r in exported), sum(r[1] for r in exported))


def judge(folder, version):
    path = os.path.join(folder, "sink.pcap")
    said, sent = tshark(path), datagrams(path)
    with open(os.path.join(folder, "stats.json")) as f:
        stats = json.load(f)["export"]
    with open(os.path.join(folder, "published")) as f:
        published = int(f.read())
    rows, families, want = printed(os.path.join(folder, "flows.csv"), version)
    got = (sum(len(d[2]) for d in sent), sum(sum(d[2]) for d in sent), sum(sum(d[3]) for d in sent))
    name = "v%d: %d datagrams, %d flow records" % (version, len(sent), got[0])
    check(not said, name + ": tshark finds nothing malformed, no missing template, no gap", said[:500])
    if version == 5:
        gaps = [(a, b) for a, b in zip(sent, sent[1:]) if a[0][0] + a[1][0] != b[0][0]]
        check(not gaps, name + ": each sequence number follows", [(a[:2], b[:2]) for a, b in gaps[:3]])
    check(got == want and want[0] > 1000 and families == 2, name + ": records, packets, octets are those of --print csv", (got, want))
    check(rows == published == stats["read"] and stats["sent"] == want[0] and not stats["failed"] and not stats["waiting"],
          name + ": as the module and the daemon count", (rows, published, stats))
    check(stats["collectors"][0]["datagrams"] == len(sent), name + ": every datagram was recorded", stats["collectors"])


for number in (5, 9, 10):
    judge(os.path.join(sys.argv[1], "v%d" % number), number)
sys.exit(1 if bad else 0)
