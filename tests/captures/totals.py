#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Hold the counters of --stats-json against the truth's totals of a capture.

usage: totals.py NAME summary.json stats.json
"""
import json
import sys

name, summary, stats = sys.argv[1:]
with open(summary) as f:
    truth = next(s for s in json.load(f) if s["file"] == name)
with open(stats) as f:
    got = json.load(f)
src, exp = got["source"], got["export"]
ignored = sum(src["ignored"].values())
checks = {
    "frames": (src["frames"], truth["frames"]),
    "not IP": (ignored, truth["nonip"]),
    "accounted": (src["accounted"]["packets"], truth["ip4"] + truth["ip6"]),
    "seen = ignored + accounted": (src["seen"], ignored + src["accounted"]["packets"]),
    "accounted = published": (src["accounted"], src["published"]),
    "records = read": (src["records"], exp["read"]),
    "read = sent": (exp["read"], exp["sent"]),
}
bad = {k: v for k, v in checks.items() if v[0] != v[1]}
for k, (a, b) in bad.items():
    print(f"{name}: {k}: {a} is not {b}")
sys.exit(1 if bad else 0)
