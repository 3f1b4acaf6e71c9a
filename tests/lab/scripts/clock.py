#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Judge what clock.sh left: clock.py DIR.

stepped  Every flow lasts as long as the sender's monotonic clock says, however the wall clock was stepped; absolute
         times are right with the offset between the clocks when the datagram was sent (or the line printed).
split    The records of a flow that the active timeout split add up to what was sent and do not overlap.
reopened Each connection of the same ports is a record of its own, with end reason 3 and the packets the sockets sent.
options  The boot time that v9 tells is that of the headers, and told anew within a second of a step; timeouts and the
         names of interfaces are the module's.
all      A record leaves no later than a quarter of the idle timeout after it is due.
"""
import collections
import csv
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import netflow  # noqa: E402

NS, MS = 1000000000, 1000000
TOLERANCE = 20 * MS
OCTETS = 128  # 100 of payload, UDP, IPv4
IDLE, ACTIVE, END, FIN_WAIT = 1, 2, 3, 2 * NS
DATAGRAMS = {42001: 5, 42002: 80, 42003: 10, 42004: 10, 43001: 120}
Row = collections.namedtuple("Row", "printed src dst proto sport packets octets first last reason")
bad = 0


def check(good, what, detail=""):
    global bad
    bad += not good
    if not good:
        print("FAILED: %s: %s" % (what, detail))
    return good


class Clocks:
    """Offsets of the wall clock, and from when to when (monotonic) each was in force."""

    def __init__(self, path):
        with open(path) as f:
            readings = [tuple(map(int, line.split())) for line in f]
        self.spans = [(readings[i][0], readings[i + 1][0], readings[i][1] - readings[i][0])
                      for i in range(0, len(readings), 2)]

    def at_wall(self, unix_ns):
        """The monotonic time and the offset when the wall clock showed this: steps of an hour leave no doubt. Each was
        in force for longer than the readings say: a slow guest sends between a step and the reading after it."""
        ends = [0] + [end for _, end, _ in self.spans]
        starts = [start for start, _, _ in self.spans[1:]] + [ends[-1]]
        found = [(unix_ns - o, o) for low, (_, _, o), high in zip(ends, self.spans, starts) if low <= unix_ns - o <= high]
        return found[0] if len(found) == 1 else None

    def at(self, mono_ns):
        found = [o for start, end, o in self.spans if start <= mono_ns <= end]
        return found[0] if found else None


def nanoseconds(text):
    seconds, part = text.split(".")
    return int(seconds) * NS + int(part)


def printed(path):
    """The lines of --print csv, with the moment each was read."""
    with open(path, newline="") as f:
        lines = list(csv.reader(f))
    head = lines[0][1:]
    for line in lines[1:]:
        r = dict(zip(head, line[1:]))
        yield Row(int(line[0]), r["src"], r["dst"], int(r["proto"]), int(r["sport"]), int(r["packets"]), int(r["bytes"]),
                  nanoseconds(r["first"]), nanoseconds(r["last"]), int(r["end_reason"]))


def sent(folder, port):
    """Before and after each datagram."""
    with open(os.path.join(folder, "sent.%d" % port)) as f:
        times = [tuple(map(int, line.split())) for line in f]
    check(len(times) == DATAGRAMS[port], "datagrams sent from port %d" % port, len(times))
    return times


def near(value, low, high):
    return low - TOLERANCE <= value <= high + TOLERANCE


def judge_times(what, first, last, offset, truth):
    """Times of a record against the datagrams' own."""
    (b0, a0), (b1, a1) = truth[0], truth[-1]
    check(near(last - first, b1 - a0, a1 - b0), what + ": duration", "%.6f s, should be %.6f s" % ((last - first) / NS, (b1 - b0) / NS))
    if check(offset is not None, what + ": the offset in force"):
        check(near(first, b0 + offset, a0 + offset), what + ": first",
              "%.6f s off" % ((first - b0 - offset) / NS))
    return (last - first - (b1 - b0)) / NS


def judge_stepped(folder):
    name, clocks, worst, offsets = os.path.basename(folder), Clocks(os.path.join(folder, "clocks")), 0.0, set()
    check(len(clocks.spans) == 3, name + ": steps", clocks.spans)
    flows = {p: sent(folder, p) for p in (42001, 42002, 42003, 42004)}
    rows = {r.sport: r for r in printed(os.path.join(folder, "flows.csv")) if r.proto == 17 and r.sport in flows}
    exported = {}
    for d in netflow.datagrams(os.path.join(folder, "sink.pcap")):
        mono, offset = clocks.at_wall(d.at) or (None, None)
        late = d.at - d.unix_ns
        check(-TOLERANCE <= late <= (NS if d.version == 9 else 0) + TOLERANCE, name + ": time in the header", "%d ns late" % late)
        for r in d.records:
            if r["sport"] in flows and r["proto"] == 17:
                check(r["sport"] not in exported, name + ": one record a flow", r)
                exported[r["sport"]] = (d, r, offset)
    for port, truth in flows.items():
        what = "%s: flow %d" % (name, port)
        if not check(port in rows and port in exported, what, "is missing"):
            continue
        row, (d, r, offset) = rows[port], exported[port]
        check(row.packets == r["packets"] == len(truth), what + ": packets", (row.packets, r["packets"], len(truth)))
        offsets.add(clocks.at(row.printed))
        worst = max(worst, abs(judge_times(what + " printed", row.first, row.last, clocks.at(row.printed), truth)))
        boot = d.unix_ns - d.uptime_ms * MS
        worst = max(worst, abs(judge_times(what + " exported", boot + r["first"] * MS, boot + r["last"] * MS, offset, truth)))
    check(len(offsets) >= 2, name + ": offsets when flows were printed", "%d: the steps were not in between" % len(offsets))
    print("%s: %d flows, clock stepped twice, durations at most %.1f ms off" % (name, len(exported), worst * 1000))


def judge_options(folder):
    clocks = Clocks(os.path.join(folder, "clocks"))
    told, names, timeouts = {}, set(), set()
    for d in netflow.datagrams(os.path.join(folder, "sink.pcap")):
        for record in d.options:
            if 10 in record:
                names.add((int.from_bytes(record[10], "big"), record[82].rstrip(b"\0").decode()))
            if 36 in record:
                timeouts.add(tuple(int.from_bytes(record[field], "big") for field in (36, 37)))
            if 160 in record:
                boot_ms = int.from_bytes(record[160], "big")
                check(boot_ms == d.unix_ns // MS - d.uptime_ms, "options: boot time", (boot_ms, d))
                mono, offset = clocks.at_wall(d.at) or (0, None)
                told.setdefault(offset, mono)
    late = [max(told.get(offset, 1 << 62) - start, 0) for start, _, offset in clocks.spans]
    check(all(x < NS for x in late[1:]), "options: boot time after each step", late)
    check(timeouts == {(60, 4)}, "options: timeouts", timeouts)
    check({name for _, name in names} == {"va", "vb"}, "options: names", names)
    print("options: the boot time was told anew %s s after the steps" % " and ".join("%.3f" % (x / NS) for x in late[1:]))


def due(row, offset, idle, active):
    """When it was, on the monotonic clock."""
    if row.reason == ACTIVE:
        return row.first - offset + active
    return row.last - offset + (FIN_WAIT if row.reason == END else idle)


def judge_lateness(folder, idle, active):
    name, clocks, worst = os.path.basename(folder), Clocks(os.path.join(folder, "clocks")), 0
    for row in printed(os.path.join(folder, "flows.csv")):
        offset = clocks.at(row.printed)
        late = row.printed - due(row, offset, idle, active) if offset is not None else 0
        check(row.reason in (IDLE, ACTIVE, END), name + ": end reason", row)
        check(late <= min(idle, active) // 4 + TOLERANCE, name + ": exported %.3f s after it was due" % (late / NS), row)
        worst = max(worst, late)
    print("%s: records left at most %.3f s after they were due, %.3f s are allowed" % (name, worst / NS, min(idle, active) / 4 / NS))


def judge_split(folder):
    truth = sent(folder, 43001)
    rows = sorted((r for r in printed(os.path.join(folder, "flows.csv")) if r.sport == 43001), key=lambda r: r.first)
    exported = [r for d in netflow.datagrams(os.path.join(folder, "sink.pcap")) for r in d.records if r["sport"] == 43001]
    check(len(rows) >= 3 and len(exported) == len(rows), "split: records", (len(rows), len(exported)))
    # the last record ends by what is due first, 4 s after its last datagram or 5 s after its first
    end = ACTIVE if rows[-1].first + 5 * NS < rows[-1].last + 4 * NS else IDLE
    check([r.reason for r in rows] == [ACTIVE] * (len(rows) - 1) + [end], "split: end reasons", [r.reason for r in rows])
    check([r["end_reason"] for r in sorted(exported, key=lambda r: r["first"])] == [r.reason for r in rows], "split: exported reasons", exported)
    n = len(truth)
    check(sum(r.packets for r in rows) == n, "split: packets", [r.packets for r in rows])
    check(sum(r.octets for r in rows) == n * OCTETS, "split: octets", [r.octets for r in rows])
    check(sum(r["packets"] for r in exported) == n and sum(r["octets"] for r in exported) == n * OCTETS, "split: exported sums", exported)
    check(all(a.last < b.first for a, b in zip(rows, rows[1:])), "split: overlap", rows)
    at = 0
    for r in rows:  # each record lasts from its first datagram to its last
        part = truth[at:at + r.packets]
        check(near(r.last - r.first, part[-1][0] - part[0][1], part[-1][1] - part[0][0]), "split: duration", r)
        at += r.packets
    print("split: %d datagrams in %d records: %s" % (n, len(rows), " + ".join(str(r.packets) for r in rows)))


def said(path, name):
    with open(path) as f:
        return [dict(zip(w[::2], map(int, w[1::2])))[name] for w in (line.split() for line in f)]


def judge_reopened(folder):
    rows = list(printed(os.path.join(folder, "flows.csv")))
    for port, who, more in ((43100, "client", 0), (5001, "server", 1)):  # the socket does not count the SYN+ACK
        mine = sorted((r for r in rows if r.proto == 6 and r.sport == port), key=lambda r: r.first)
        want = [n + more for n in said(os.path.join(folder, who), "segs_out")]
        check([r.packets for r in mine] == want and len(want) == 3, "reopened: packets of the %s's connections" % who,
              "%s, should be %s" % ([r.packets for r in mine], want))
        check([r.reason for r in mine] == [END] * 3, "reopened: end reasons of the %s" % who, [r.reason for r in mine])
        print("reopened: %s: 3 connections, packets %s" % (who, " + ".join(map(str, want))))


def main():
    at = lambda name: os.path.join(sys.argv[1], name)
    for name in ("stepped-v9", "stepped-v5"):
        judge_stepped(at(name))
        judge_lateness(at(name), 4 * NS, 60 * NS)
    judge_options(at("stepped-v9"))
    judge_split(at("split"))
    judge_lateness(at("split"), 4 * NS, 5 * NS)
    judge_reopened(at("reopened"))
    judge_lateness(at("reopened"), 4 * NS, 60 * NS)
    print("%d faults" % bad)
    sys.exit(1 if bad else 0)


main()
