#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Hold the TCP fields of nprobe-k's records against tshark's own analysis of the same capture.

usage: analysis.py PROBE CAPTURE...

For every direction of every TCP connection, summed over its records:
  - zero_windows            = frames with tcp.analysis.zero_window
  - retransmitted + out_of_order = frames with tcp.analysis.retransmission or .out_of_order
  - server_delay + client_delay  = tcp.analysis.initial_rtt, to 3 microseconds
  - appl_delay              = first answer - first request, from tshark's times, to 2 microseconds
Frames are given to tshark one link-layer key (VLAN, MPLS) at a time, because it takes the same
addresses and ports in two VLANs for one connection; ToS is left out of nprobe-k's key likewise.
Some differences are known, are recognised by their cause alone, and are counted in the output:
  - "refused or half seen": tshark gives an initial_rtt without having seen a SYN+ACK (the answer was a
    RST, or only one direction was captured); nprobe-k has no delay then;
  - "cut lengths": a packet says it is longer than the layer below it (a wrong IP length inside PPPoE);
    tshark takes the shorter length for the TCP payload, nprobe-k what was on the wire.
  - "acknowledged before": tshark calls a segment spurious because the other direction had acknowledged it
    before it was captured, although it is new in its own direction;
  - "after the end": repeated more than 2 s after the flow's own FIN or RST, which was its end: a new flow,
    unless the sweep had not come by yet;
  - "answered before": the capture has the SYN+ACK in front of its SYN: no delay.
Which of "retransmitted" and "out of order" a segment is called is compared as well, and only counted
("told apart differently"): tshark also looks at duplicate acknowledgements of the other direction.
"""
import collections
import csv
import itertools
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TSHARK = [os.path.join(HERE, "..", "lib", "packages.sh"), "tool", "tshark"]
FIELDS = ("frame.number frame.time_epoch frame.protocols vlan.id mpls.label ip.src ip.dst ipv6.src ipv6.dst tcp.srcport "
          "tcp.dstport tcp.stream tcp.len tcp.flags tcp.seq_raw tcp.ack_raw tcp.analysis.retransmission "
          "tcp.analysis.fast_retransmission tcp.analysis.spurious_retransmission tcp.analysis.out_of_order "
          "tcp.analysis.zero_window tcp.analysis.initial_rtt _ws.expert.message").split()
FIN, SYN, RST, ACK = 1, 2, 4, 16


def tshark(path):
    cmd = TSHARK + ["-n", "-r", path, "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE",
                    "-o", "tcp.desegment_tcp_streams:FALSE", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    for f in FIELDS:
        cmd += ["-e", f]
    out = subprocess.run(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True, check=True).stdout
    for line in out.splitlines():
        if not line.split("\t")[0].isdigit():     # the rest of a message with a line break
            continue
        v = dict(itertools.zip_longest(FIELDS, line.split("\t")[:len(FIELDS)], fillvalue=""))
        yield {k: x.split(",") if x else [] for k, x in v.items()}


def is_tcp(d):
    """TCP, behind extension headers at most, directly in the outermost IP packet."""
    names = [n for n in d["frame.protocols"][0].split(":") if not n.startswith("ipv6.")]
    at = next((i for i, n in enumerate(names) if n in ("ip", "ipv6")), len(names))
    return names[at + 1:at + 2] == ["tcp"] and bool(d["tcp.srcport"]) and bool(d["tcp.flags"])


def split_by_link(path, folder):
    """One capture for each link-layer key: [(path, key)]."""
    kinds, keys = {}, {}
    for d in tshark(path):
        key = (tuple(d["vlan.id"][:2]), tuple(d["mpls.label"][:1]))
        kinds[int(d["frame.number"][0])] = key
    with open(path, "rb") as f:
        head = f.read(24)
        end = "<" if head[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        for number in range(1, len(kinds) + 1):
            h = f.read(16)
            keys.setdefault(kinds[number], [head]).append(h + f.read(struct.unpack(end + "4I", h)[2]))
    paths = []
    for i, (key, parts) in enumerate(keys.items()):
        name = os.path.join(folder, f"{i}.pcap")
        with open(name, "wb") as f:
            f.write(b"".join(parts))
        paths.append((name, key))
    return paths


def ns(text):
    s, _, frac = text.partition(".")
    return int(s) * 10**9 + int((frac + "000000000")[:9])


def before(seq, other):
    return (seq - other) % 2**32 >= 2**31


class Connection:
    """What tshark says about one stream, by direction."""

    def __init__(self):
        self.again = collections.Counter()
        self.overtaken = collections.Counter()
        self.zero = collections.Counter()
        self.rtt = None
        self.cut = self.early = False
        self.next, self.last, self.ended = {}, {}, set()
        self.explained = collections.Counter()
        self.after = collections.Counter()
        self.syn = self.syn_ack = self.opened = self.asked = None
        self.spoke = set()
        self.appl = {}

    def follow(self, way, t, d):
        flags, length = int(d["tcp.flags"][0], 16), int((d["tcp.len"] or ["0"])[0])
        if d["tcp.analysis.retransmission"] or d["tcp.analysis.fast_retransmission"]:
            why = self.explain(way, t, int(d["tcp.seq_raw"][0]), bool(d["tcp.analysis.spurious_retransmission"]))
            self.explained[why] += bool(why)
            self.after[way] += why == "after the end"
            self.again[way] += not why
        self.remember(way, t, flags, int(d["tcp.seq_raw"][0]) + length + bool(flags & SYN) + bool(flags & FIN))
        self.overtaken[way] += bool(d["tcp.analysis.out_of_order"]) and not d["tcp.analysis.retransmission"]
        self.zero[way] += bool(d["tcp.analysis.zero_window"])
        self.cut |= any("exceeds packet length" in m for m in d["_ws.expert.message"])
        if d["tcp.analysis.initial_rtt"]:
            self.rtt = ns(d["tcp.analysis.initial_rtt"][0])
        self.answer(way, t, flags, length, d)

    def explain(self, way, t, seq, spurious):
        if spurious and not before(seq, self.next.get(way, seq)):
            return "acknowledged before"
        return "after the end" if way in self.ended and t - self.last[way] >= 2 * 10**9 else None

    def remember(self, way, t, flags, end):
        if before(self.next.get(way, end), end) or way not in self.next:
            self.next[way] = end
        self.last[way] = t
        if flags & (FIN | RST):
            self.ended.add(way)

    def answer(self, way, t, flags, length, d):
        """First data of the opener after the handshake to the first data of the other side."""
        if flags & SYN:
            if flags & ACK:
                self.syn_ack = int(d["tcp.seq_raw"][0]) + 1
                self.early |= self.syn is None
            else:
                self.syn = way
            return
        if self.syn == way and self.opened is None and flags & ACK and self.syn_ack is not None and not flags & RST:
            self.opened = int(d["tcp.ack_raw"][0]) == self.syn_ack % 2**32
        if not length or way in self.spoke:
            return
        self.spoke.add(way)
        if not self.opened:
            return
        if way == self.syn:
            self.asked = t if len(self.spoke) == 1 else None
        elif self.asked is not None:
            self.appl[way] = t - self.asked


def truth(path, link):
    streams = {}
    for d in tshark(path):
        if not is_tcp(d):
            continue
        ends = (d["ip.src"] or d["ipv6.src"])[0], (d["ip.dst"] or d["ipv6.dst"])[0]
        way = link + (ends[0], ends[1], d["tcp.srcport"][0], d["tcp.dstport"][0])
        streams.setdefault(d["tcp.stream"][0], Connection()).follow(way, ns(d["frame.time_epoch"][0]), d)
    return streams.values()


def records(probe, path):
    out = subprocess.run([probe, "-i", "pcap:" + path, "--print", "csv", "--key", "tos", "-t", "86400", "-d", "86400",
                          "-b", "0", "--dont-drop-privileges"], stdout=subprocess.PIPE, text=True, check=True).stdout
    flows = {}
    for r in csv.DictReader(out.splitlines()):
        if r["proto"] == "6":
            flows.setdefault((r["src"], r["dst"], r["sport"], r["dport"]), []).append(r)
    return flows


def total(rows, column):
    return sum(int(r[column] or 0) for r in rows)


def check(conns, flows, say):
    by_way = collections.defaultdict(list)
    for c in conns:
        for way in set(c.zero) | set(c.again):
            by_way[way].append(c)
    n = collections.Counter()
    for c in conns:
        n += c.explained
    for way, cs in by_way.items():
        rows = flows.get(way[2:], [])
        back = flows.get((way[3], way[2], way[5], way[4]), [])
        got = total(rows, "retransmitted"), total(rows, "out_of_order"), total(rows, "zero_windows")
        want = sum(c.again[way] for c in cs), sum(c.overtaken[way] for c in cs), sum(c.zero[way] for c in cs)
        n["directions"] += 1
        n["passed segments"] += want[0] + want[1]
        n["zero windows"] += want[2]
        n["told apart differently"] += abs(got[1] - want[1])
        more = got[0] + got[1] - want[0] - want[1]
        same = 0 <= more <= sum(c.after[way] for c in cs) and got[2] == want[2]
        if not same and any(c.cut for c in cs):
            n["cut lengths"] += 1
        elif not same:
            say(f"{way}: retransmitted, out of order, zero windows {got}, tshark {want}")
        if len(cs) == 1:
            delays(way, cs[0], rows, back, n, say)
    return n


def delays(way, c, rows, back, n, say):
    client, server = total(rows, "client_delay_us"), total(back, "server_delay_us")
    if c.syn == way and c.rtt is not None and (c.syn_ack is None or c.early):
        n["answered before" if c.early else "refused or half seen"] += 1
        if client or server:
            say(f"{way}: handshake {server} + {client} us, there was no SYN+ACK after a SYN")
    elif c.syn == way and c.rtt is not None:
        n["round trips"] += 1
        if abs(client + server - c.rtt / 1000) > 3:
            say(f"{way}: handshake {server} + {client} us, tshark {c.rtt / 1000}")
    elif c.syn == way and client:
        say(f"{way}: client delay {client} us, tshark has no initial_rtt")
    appl, want = total(rows, "appl_delay_us"), c.appl.get(way, 0) / 1000
    n["answers"] += way in c.appl
    if abs(appl - want) > 2:
        say(f"{way}: application delay {appl} us, should be {want}")


def main():
    probe, failed = sys.argv[1], 0
    for path in sys.argv[2:]:
        n, said = collections.Counter(), []
        with tempfile.TemporaryDirectory() as folder:
            for name, link in split_by_link(path, folder):
                n += check(truth(name, link), records(probe, name), said.append)
        print(f"{os.path.basename(path)}: {'DIFFERENT' if said else 'equal'}: " +
              ", ".join(f"{v} {k}" for k, v in n.items()))
        for line in said[:20]:
            print("   ", line)
        failed |= bool(said)
    sys.exit(failed)


main()
