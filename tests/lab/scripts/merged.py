#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Judge what merged.sh left: merged.py DIR.

Of every transfer, in each direction, the flow's packets, octets, shortest and longest packet are those of the wire,
by witnesses that know nothing of the module:

  sender    payload octets written, and how often the kernel says it sent some again
  kernel    segments sent (TCP_INFO of the socket; OutSegs + RetransSegs of its namespace)
  tcpdump   every frame the metered device received, taken apart by the segment size where it was merged

The records are taken from --print csv and, with min_len and max_len, from the NetFlow v9 datagrams; both say the same.
No packet was dropped between sender and meter, where the sender would have counted it and the others not.
With offloads off nothing was merged; in every other form every transfer was, else it proves nothing.
"""
import collections
import csv
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import netflow  # noqa: E402

ETH, UDP_HEADER, TCP_HEADER = 14, 8, 20 + 12  # timestamps in every segment
SYN_MORE = 8  # and two options more in a SYN
IP_HEADER = {4: 20, 6: 40}
TCP, UDP = 6, 17
MTU = 1500
RESET_LESS = 12  # a reset for a connection that is gone has no timestamps
LONGEST_FRAME = 65535 + ETH
FORMS = {"off": 4, "gso": 4, "gro": 2, "udp-gro": 2, "fraglist": 4, "big": 2, "big-gro": 2}  # and how many transfers
NOTHING_DROPPED = {"dropped_a_eth0": 0, "dropped_b_eth0": 0, "dropped_router_va": 0, "dropped_router_vb": 0}
bad = 0

Sum = collections.namedtuple("Sum", "packets octets min_len max_len")


def check(form, what, got, wanted):
    global bad
    if got != wanted:
        bad += 1
        print("FAILED: %s: %s: %s, should be %s" % (form, what, got, wanted))


def add(a, b):
    return Sum(a.packets + b.packets, a.octets + b.octets, min(a.min_len, b.min_len), max(a.max_len, b.max_len))


def collect(pairs):
    sums = {}
    for key, value in pairs:
        sums[key] = add(sums[key], value) if key in sums else value
    return sums


# ---- what was metered

def from_v9(path):
    return collect(((r["src"], r["dst"], r["proto"], r["sport"], r["dport"]),
                    Sum(r["packets"], r["octets"], r["min_len"], r["max_len"]))
                   for d in netflow.datagrams(path) for r in d.records)


def from_csv(path):
    """Without min_len and max_len where there are no such columns."""
    with open(path, newline="") as f:
        sums = collect(((r["src"], r["dst"], int(r["proto"]), int(r["sport"]), int(r["dport"])),
                        Sum(int(r["packets"]), int(r["bytes"]), int(r.get("min_len", -1)), int(r.get("max_len", -1))))
                       for r in csv.DictReader(f))
    return {k: v if v.min_len >= 0 else v[:2] for k, v in sums.items()}


# ---- what tcpdump saw

def dissect(data):
    """IP version, key and headers' octets on the wire; the hop-by-hop header of BIG TCP is never there. None: neither
    TCP nor UDP."""
    kind = struct.unpack_from(">H", data, 12)[0]
    if kind == 0x0800:
        ver, at, proto = 4, ETH + 4 * (data[ETH] & 15), data[ETH + 9]
        addresses = data[ETH + 12:ETH + 16], data[ETH + 16:ETH + 20]
        extra = 0
    elif kind == 0x86DD:
        ver, at, proto, extra = 6, ETH + 40, data[ETH + 6], 0
        addresses = data[ETH + 8:ETH + 24], data[ETH + 24:ETH + 40]
        if proto == 0:
            proto, extra = data[at], 8 * (data[at + 1] + 1)
            at += extra
    else:
        return None
    if proto not in (TCP, UDP):
        return None
    sport, dport = struct.unpack_from(">HH", data, at)
    l4 = 4 * (data[at + 12] >> 4) if proto == TCP else UDP_HEADER
    src, dst = (str(netflow.ipaddress.ip_address(a)) for a in addresses)
    return (src, dst, proto, sport, dport), at - ETH - extra + l4, extra


def wire(headers, payload, size):
    """The packets a merged frame was made of."""
    if payload <= size:
        return Sum(1, headers + payload, headers + payload, headers + payload)
    n = -(-payload // size)
    return Sum(n, n * headers + payload, headers + payload - (n - 1) * size, headers + size)


def from_tcpdump(path, size_of):
    longest = collections.Counter()
    pairs = []
    for frame in netflow.frames(path):
        found = dissect(frame.data)
        if not found or found[0] not in size_of:
            continue
        key, headers, extra = found
        longest[key] = max(longest[key], frame.length)
        # short frames may be padded, but a veth does not
        pairs.append((key, wire(headers, frame.length - ETH - extra - headers, size_of[key])))
    return collect(pairs), longest


# ---- what was sent

class Transfer:
    def __init__(self, line):
        words = line.split()
        self.line = line.strip()
        self.proto = {"tcp": TCP, "udp": UDP}[words[0]]
        self.name, self.ver = " ".join(words[:2]), int(words[1])
        self.key = (words[2], words[3], self.proto, int(words[4]), int(words[5]))
        self.back = (words[3], words[2], self.proto, int(words[5]), int(words[4]))
        a, b = words.index("a"), words.index("b")
        pairs = lambda w: dict(zip(w[::2], map(int, w[1::2])))
        self.said, self.a, self.b = pairs(words[6:a]), pairs(words[a + 1:b]), pairs(words[b + 1:])

    def dropped(self):
        return {name: n for name, n in self.said.items() if name.startswith("dropped_")}

    def size(self):
        """Payload of a full packet."""
        return self.a["size"] if self.proto == UDP else self.said["mtu"] - IP_HEADER[self.ver] - TCP_HEADER

    def expected(self):
        """The flows there and back."""
        ip = IP_HEADER[self.ver]
        if self.proto == UDP:
            n, head = self.a["datagrams"], ip + UDP_HEADER
            return Sum(n, n * head + self.a["octets"], head + self.a["last"], head + self.a["size"]), None
        head, there, back, resets = ip + TCP_HEADER, self.said["segments_a"], self.said["segments_b"], self.said["resets_a"]
        octets = there * head + SYN_MORE - resets * RESET_LESS + self.a["octets"] + self.a["retransmitted_octets"]
        return (Sum(there, octets, head - (RESET_LESS if resets else 0), self.said["mtu"]),
                Sum(back, back * head + SYN_MORE, head, head + SYN_MORE))


def judge_transfer(form, t, v9, text, seen, longest):
    there, back = t.expected()
    bad_before = bad
    check(form, t.name + ": packets the veths dropped", t.dropped(), NOTHING_DROPPED)
    check(form, t.name + ": octets received", t.b["octets"], t.a["octets"])
    for key, want, way in ((t.key, there, "there"), (t.back, back, "back")):
        if not want:
            continue
        what = "%s %s" % (t.name, way)
        got = v9.get(key)
        check(form, what + ": the flow against the sender", got, want)
        check(form, what + ": the flow against tcpdump", got, seen.get(key))
        printed = text.get(key, ())
        check(form, what + ": csv against NetFlow v9", printed, got and got[:len(printed) or None])
    if t.proto == TCP:
        check(form, t.name + ": mss", t.a["mss"], t.size())
        check(form, t.name + ": segments of the socket", t.a["segs_out"], there.packets - t.said["resets_a"])
    merged = t.said["merged"]
    if form == "off":
        check(form, t.name + ": packets merged", merged, 0)
    elif not merged or longest[t.key] <= MTU + ETH:
        check(form, t.name + ": packets merged, longest frame", (merged, longest[t.key]), "more: this proves nothing")
    if form.startswith("big") and longest[t.key] <= LONGEST_FRAME:
        check(form, t.name + ": longest frame", longest[t.key], "more than %d: no BIG TCP" % LONGEST_FRAME)
    if bad != bad_before:
        print("  both ends said: " + t.line)
        for key, way in ((t.key, "there"), (t.back, "back")):
            print("  %s: metered %s, tcpdump saw %s" % (way, v9.get(key), seen.get(key)))
    print("%s: %s: %d packets %d octets min %d max %d, %d of them merged, longest frame %d, back %s packets"
          % (form, t.name, *there, merged, longest[t.key], back.packets if back else "no"))


def lost_by_tcpdump(folder):
    for name in ("va", "vb", "sink"):
        with open(os.path.join(folder, name + ".log")) as f:
            if "\n0 packets dropped by kernel" not in f.read():
                yield name


def judge(form, folder, not_run):
    transfers = []
    if not any(line.startswith("not run: %s:" % form) for line in not_run):
        with open(os.path.join(folder, "transfers")) as f:
            transfers = [Transfer(line) for line in f]
        absent = sum(line.startswith("not run: %s " % form) for line in not_run)
        check(form, "transfers", len(transfers), FORMS[form] - absent)
    if not transfers:
        return 0
    sizes = {t.key: t.size() for t in transfers}
    sizes.update({t.back: MTU for t in transfers})
    seen, longest = from_tcpdump(os.path.join(folder, "va.pcap"), sizes)
    seen_back, longest_back = from_tcpdump(os.path.join(folder, "vb.pcap"), sizes)
    seen.update(seen_back)
    longest.update(longest_back)
    check(form, "captures in which tcpdump lost packets", list(lost_by_tcpdump(folder)), [])
    v9, text = from_v9(os.path.join(folder, "sink.pcap")), from_csv(os.path.join(folder, "flows.csv"))
    for t in transfers:
        judge_transfer(form, t, v9, text, seen, longest)
    return len(transfers)


def main():
    folder = sys.argv[1]
    not_run = []
    if os.path.exists(os.path.join(folder, "not-run")):
        with open(os.path.join(folder, "not-run")) as f:
            not_run = f.read().splitlines()
    judged = {form: judge(form, os.path.join(folder, form), not_run) for form in FORMS}
    for line in not_run:
        print(line)
    print("%d transfers, %d differences" % (sum(judged.values()), bad))
    # what needs no feature of a newer kernel: of GSO, TCP
    sys.exit(1 if bad or judged["off"] < FORMS["off"] or judged["gso"] < 2 else 0)


main()
