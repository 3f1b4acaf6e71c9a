#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compare the records differential.sh left: differential.py DIR yes|no NAME=FRAMES...

Per key (VLANs, label, addresses, protocol, ports, ToS) packets and octets are added up, TCP flags united, shortest and
longest taken, and all else is that of the earliest record; times, interfaces, direction and why a record ended depend on
the form. Of the delays of a handshake only that they were measured is compared, of the application's nothing: at another
speed other answers are in time. Speed also decides which segments were sent again and which overtaken: their sum is
compared, but not with GRO, which lets frames that it cannot merge (the captures have some that are merged already) pass
those it holds. Every form must equal the file's. One line per form; exit code 1 when one differs or is missing, or when,
with "yes", a form with GRO merged nothing in all the captures, or one with two CPUs never used both.
"""
import csv
import os
import sys

KEY = ("vlan", "vlan2", "mpls", "ipver", "src", "dst", "proto", "sport", "dport", "tos")
OWN = {"first", "last", "end_reason", "in_if", "out_if", "dir", "appl_delay_us", "retransmitted", "out_of_order"}
DELAYS = ("server_delay_us", "client_delay_us")
PASSED = "retransmitted or out of order"
REFERENCE = "pcap"
FORMS = ([REFERENCE, "live"] + ["module-%s-%d-cpu-gro-%s" % (hook, cpus, gro)
                                for cpus in (1, 2) for hook in ("ingress", "tap", "rx") for gro in ("off", "on")])
bad = 0
proved = set()


def united(a, b):
    """Two records of one key; a is the earlier one."""
    out = dict(a)
    for name in a:
        if name in ("packets", "bytes", "fragments", "zero_windows", PASSED) and a[name] != "":
            out[name] = str(int(a[name]) + int(b[name]))
        elif name.startswith("tcp_flags") and not name.endswith("first") and a[name]:
            out[name] = "0x%02x" % (int(a[name], 16) | int(b[name], 16))
        elif name.startswith("min_"):
            out[name] = str(min(int(a[name]), int(b[name])))
        elif name.startswith("max_"):
            out[name] = str(max(int(a[name]), int(b[name])))
    return out


def records(path, ordered):
    with open(path, newline="") as f:
        rows = sorted(csv.DictReader(f), key=lambda r: tuple(map(int, r["first"].split("."))))
    out = {}
    for r in rows:
        key = tuple(r[k] for k in KEY)
        rest = {k: v for k, v in r.items() if k not in OWN and k not in KEY}
        for name in DELAYS:
            rest[name] = "measured" if r[name] else ""
        if ordered and r["retransmitted"]:
            rest[PASSED] = str(int(r["retransmitted"]) + int(r["out_of_order"]))
        out[key] = united(out[key], rest) if key in out else rest
    return out


def stats(path):
    with open(path) as f:
        return dict(line.split() for line in f)


def cpus_used(path):
    """Tables that saw packets."""
    with open(path) as f:
        return sum(int(line.split()[2]) > 0 for line in list(f)[1:])


def proofs(form, folder, frames):
    """What makes the form one of its kind; the words for it."""
    global bad
    if not form.startswith("module"):
        return ""
    s, used = stats(os.path.join(folder, "stats")), cpus_used(os.path.join(folder, "cpu"))
    merged = int(s["note_merged.packets"])
    if int(s["seen.packets"]) != frames or (form.endswith("off") and merged):
        bad += 1
        print("FAILED: %s: %s packets seen of %d, %d merged" % (form, s["seen.packets"], frames, merged))
    if merged:
        proved.add((form, "merged packets"))
    if used == 2:
        proved.add((form, "used both CPUs"))
    return ", %d packets merged, %d tables used" % (merged, used)


def compare(name, frames, folder):
    global bad
    for form in FORMS:
        ordered = not form.endswith("on")
        want = records(os.path.join(folder, REFERENCE, "flows.csv"), ordered)
        at = os.path.join(folder, form)
        if not os.path.exists(os.path.join(at, "flows.csv")):
            bad += 1
            print("%s %s FAILED: missing" % (name, form))
            continue
        got = records(os.path.join(at, "flows.csv"), ordered)
        words = proofs(form, at, frames)
        wrong = [k for k in sorted(set(want) | set(got)) if want.get(k) != got.get(k)]
        bad += bool(wrong)
        print("%s %s %s rows %d%s" % (name, form, "DIFFERENT: %d of" % len(wrong) if wrong else "equal", len(got), words))
        for k in wrong[:3]:
            print("  %s: %s, %s: %s" % (" ".join(k), REFERENCE, want.get(k), got.get(k)))


def main():
    global bad
    for word in sys.argv[3:]:
        name, frames = word.split("=")
        compare(name, int(frames), os.path.join(sys.argv[1], name))
    wanted = [(f, "merged packets") for f in FORMS if f.endswith("on")] + [(f, "used both CPUs") for f in FORMS if "-2-cpu" in f]
    for form, what in wanted:
        if (form, what) not in proved:
            bad += sys.argv[2] == "yes"
            print("%s: %s never %s" % ("FAILED" if sys.argv[2] == "yes" else "note", form, what))
    sys.exit(1 if bad else 0)


main()
