#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Real collectors as judges of what nprobe-k exports.

usage: judge.py PROBE CAPTURES NAME...

For each capture and NetFlow version the daemon exports to a private nfcapd and to nfacctd,
through a recorder on loopback, and prints the same records as CSV.  Then
  - nfdump's flows, packets, octets, flags and times per 5-tuple equal the CSV's, times to
    the millisecond; nfcapd saw no sequence error and no bad packet;
  - nfacctd's flows, packets and octets equal the CSV's;
  - tshark finds nothing malformed, no sequence gap and no missing template in the recording.
IPv6 records are absent from v5, and counted by the daemon as not exportable.
"""
import collections
import csv
import ipaddress
import json
import os
import subprocess
import sys
import tempfile
import time
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from collectors import TOOL, Nfcapd, Recorder, free_port, run, tshark  # noqa: E402 pylint: disable=wrong-import-position
from nfacctd import Nfacctd  # noqa: E402 pylint: disable=wrong-import-position

Flow = collections.namedtuple("Flow", "src dst proto sport dport packets octets flags first last")


def addr(text):
    return str(ipaddress.ip_address(text))


def from_csv(path, v5):
    flows, v6 = [], 0
    with open(path, newline="") as f:
        for r in csv.DictReader(f):
            if v5 and r["ipver"] == "6":
                v6 += 1
                continue
            flows.append(Flow(addr(r["src"]), addr(r["dst"]), int(r["proto"]), int(r["sport"]),
                              int(r["dport"]), int(r["packets"]), int(r["bytes"]), int(r["tcp_flags"] or "0", 16),
                              int(Decimal(r["first"]) * 1000), int(Decimal(r["last"]) * 1000)))
    return flows, v6


def ms(text):
    when, frac = text.split(".")
    return int(time.mktime(time.strptime(when, "%Y-%m-%dT%H:%M:%S"))) * 1000 + int(frac)


def flag_bits(text):
    return sum(1 << (7 - i) for i, c in enumerate(text) if c != ".") if text else 0


def from_nfdump(folder):
    text = run(TOOL + ["nfdump", "-R", folder, "-o", "json"])
    flows = []
    for r in json.loads(text) if "{" in text else []:  # no flow: nfdump prints half a list
        six = "src6_addr" in r
        proto = r["proto"]
        dport = r.get("dst_port", 0)
        if proto in (1, 58) and "icmp_type" in r:
            dport = r["icmp_type"] * 256 + r["icmp_code"]
        flows.append(Flow(addr(r["src6_addr" if six else "src4_addr"]),
                          addr(r["dst6_addr" if six else "dst4_addr"]), proto, r.get("src_port", 0), dport,
                          r["in_packets"], r["in_bytes"], flag_bits(r.get("tcp_flags", "")) if proto == 6 else 0,
                          ms(r["first"]), ms(r["last"])))
    return flows


def differences(ours, theirs):
    """Records are compared one by one: sorted, equal in all but 1 ms of time."""
    bad = []
    for a, b in zip(sorted(ours), sorted(theirs)):
        if a[:8] != b[:8] or abs(a.first - b.first) > 1 or abs(a.last - b.last) > 1:
            bad.append(f"ours {a}\n  theirs {b}")
    return bad


# name, -V (the version on the wire), its other options
FORMATS = (("v5", 5, ()), ("v9", 9, ()), ("IPFIX", 10, ()),
           ("signed nflow9", 9, ("-V", "nflow9", "--nflow-key", "secret")))


def judge(probe, capture, form, source_id, nfacctd_port, w):
    _, version, args = form
    nf = Nfcapd(os.path.join(w, "nf"))
    rec = Recorder(os.path.join(w, "export.pcap"), nf.port, nfacctd_port)
    with open(os.path.join(w, "flows.csv"), "w") as out:
        subprocess.run([probe, "-i", "pcap:" + capture, "-V", str(version), "-E", str(source_id), "-n",
                        f"127.0.0.1:{rec.port}", "--print", "csv", "-b", "0",
                        "--stats-json", os.path.join(w, "stats"), "--dont-drop-privileges", *args], check=True, stdout=out)
    with open(os.path.join(w, "stats")) as f:
        stats = json.load(f)["export"]
    rec.finish(sum(c["datagrams"] for c in stats["collectors"]))
    flows, packets, octets, gaps, broken = nf.finish()
    ours, v6 = from_csv(os.path.join(w, "flows.csv"), version == 5)
    theirs = from_nfdump(nf.folder)
    totals = (len(ours), sum(f.packets for f in ours), sum(f.octets for f in ours))
    problems = differences(ours, theirs)[:4]
    if len(theirs) != len(ours):
        problems.append(f"{len(ours)} records exported, nfdump shows {len(theirs)}")
    if (flows, packets, octets) != totals:
        problems.append(f"nfcapd counted {flows} flows {packets} packets {octets} octets, ours {totals}")
    if gaps or broken:
        problems.append(f"nfcapd: {gaps} sequence errors, {broken} bad packets")
    if stats["not_exportable"] != v6 or stats["sent"] != len(ours) or stats["failed"]:
        problems.append(f"accounting: {stats}")
    said = tshark(os.path.join(w, "export.pcap"))
    if said:
        problems.append("tshark: " + said[:500])
    return problems, totals


def compare_nfacctd(nfacctd, want, names):
    """Totals by version and source id."""
    got = nfacctd.wait_for(want)
    bad = [k for k in want.keys() | got.keys() if want.get(k) != got.get(k)]
    for key in sorted(bad):
        print(f"{names.get(key)}: DIFFERENT nfacctd has {got.get(key)}, ours {want.get(key)}")
    print(f"nfacctd: {len(want) - len(bad)} of {len(want)} exports have the same flows, packets and octets")
    return len(bad)


def judge_all(probe, captures, names, nfacctd, port):
    failed, sums, keys = 0, {}, {}
    for source_id, (name, form) in enumerate(((n, f) for n in names for f in FORMATS), 1):
        with tempfile.TemporaryDirectory() as w:
            problems, totals = judge(probe, os.path.join(captures, name + ".pcap"), form, source_id, port, w)
        print(f"{name} {form[0]}: {'DIFFERENT' if problems else 'equal'} flows {totals[0]} packets {totals[1]} octets {totals[2]}",
              flush=True)
        for p in problems:
            print(" ", p)
        failed += bool(problems)
        keys[form[1], source_id] = f"{name} {form[0]}"
        if totals[0]:
            sums[form[1], source_id] = totals
    return failed + compare_nfacctd(nfacctd, sums, keys)


def main():
    os.environ["TZ"] = "UTC"
    time.tzset()
    port = free_port()
    with tempfile.TemporaryDirectory() as w:
        nfacctd = Nfacctd(w, port)
        try:
            failed = judge_all(sys.argv[1], sys.argv[2], sys.argv[3:], nfacctd, port)
        finally:
            nfacctd.close()
    sys.exit(1 if failed else 0)


main()
