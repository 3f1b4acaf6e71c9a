#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Judge of cpus.sh: delays across two processors against tcpdump's times, fragments against what was sent.

usage: cpus.py FOLDER
"""
import csv
import os
import struct
import sys

FOLDER = sys.argv[1]
SERVER_MS, CLIENT_MS, ANSWER_MS = 40, 25, 300
NEAR_US = 15000     # tcpdump stamps a packet a little earlier, and the processors are emulated
problems = []


def check(what, good, seen):
    print(f"{'ok' if good else 'FAILED'}: {what}: {seen}")
    if not good:
        problems.append(what)


def tcp_packets(name):
    """(microseconds, flags, payload octets) of the connection's packets."""
    with open(os.path.join(FOLDER, name), "rb") as f:
        f.read(24)
        while len(h := f.read(16)) == 16:
            s, us, length, _ = struct.unpack("<4I", h)
            p = f.read(length)[14:]
            if p[9] != 6:
                continue
            ihl = (p[0] & 15) * 4
            yield s * 10**6 + us, p[ihl + 13], struct.unpack(">H", p[2:4])[0] - ihl - (p[ihl + 12] >> 4) * 4


def near(got, truth):
    return abs(got - truth) <= NEAR_US


def connection(rows):
    client, server = list(tcp_packets("va.pcap")), list(tcp_packets("vb.pcap"))
    syn = [t for t, flags, _ in client if flags & 0x12 == 2][-1]
    syn_ack = [t for t, flags, _ in server if flags & 0x12 == 0x12][0]
    ack = [t for t, flags, _ in client if t > syn_ack and flags & 0x12 == 0x10][0]
    asked = [t for t, flags, n in client if n][0]
    answered = [t for t, flags, n in server if n][0]
    there = [r for r in rows if r["proto"] == "6" and r["dport"] == "5001"]
    back = [r for r in rows if r["proto"] == "6" and r["sport"] == "5001"]
    delay = lambda which, column: sum(int(r[column] or 0) for r in which)
    for name, got, truth, least in (
            ("server delay", delay(back, "server_delay_us"), syn_ack - syn, SERVER_MS),
            ("client delay", delay(there, "client_delay_us"), ack - syn_ack, CLIENT_MS),
            ("application delay", delay(back, "appl_delay_us"), answered - asked, ANSWER_MS)):
        check(f"{name} (tcpdump: {truth} us)", near(got, truth) and got >= least * 500, f"{got} us")
    check("nothing in the other direction's record", not delay(there, "server_delay_us")
          and not delay(back, "client_delay_us") and not delay(there, "appl_delay_us"), "nothing")
    check("SYN and SYN+ACK kept", [r["syn"] for r in there + back] == ["syn", "syn+ack"],
          [r["p0f"] for r in there + back])


def fragments(rows):
    udp = [(r["sport"], r["dport"], int(r["packets"]), int(r["bytes"]), int(r["fragments"])) for r in rows
           if r["proto"] == "17" and r["src"] == "192.0.2.1"]
    check("fragments: both have the first one's ports, the stranger has none",
          sorted(udp) == [("0", "0", 1, 44, 1), ("4369", "8738", 1, 44, 1), ("4369", "8738", 1, 44, 1)], sorted(udp))


def main():
    with open(os.path.join(FOLDER, "flows.csv"), newline="") as f:
        rows = list(csv.DictReader(f))
    with open(os.path.join(FOLDER, "cpu")) as f:
        packets = [int(line.split()[2]) for line in f.readlines()[1:]]
    check("both processors metered packets", len(packets) == 2 and min(packets) > 3, packets)
    connection(rows)
    fragments(rows)
    sys.exit(bool(problems))


main()
