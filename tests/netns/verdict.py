#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares what programs say they sent with what the flows say; exit 1 when they disagree.

live.sh, or with --module tests/run/guest.sh, leaves in one folder what the programs printed, nfdump's JSON of the
flows, nprobe-k's statistics and the kernel's counters. Wherever a program says enough the comparison is exact:

  ping    packets of a known length, both ways.
  dig     queries and replies and their sizes, both ways (IP and UDP header added).
  iperf3  UDP: its datagrams, and one of 4 bytes each way with which it opens the stream.
  TCP     octets - packets * (IP + TCP header with timestamps) - 8 for the SYN's further options = bytes of payload.
          Only if the kernel says that it sent segments again may the flows show more: those segments.
  live    packets metered and ignored = packets the veth counted, those it could not deliver among them.
  module  packets of all TCP and UDP flows = segments and datagrams that the kernel says it sent, however they were
          merged on their way; every sum of the module's own counters comes out.
"""

import argparse
import json
import pathlib
import re
import sys
from collections import namedtuple

ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
IP_HEADER = {4: 20, 6: 40}
UDP_HEADER = 8
TCP_HEADER = 20 + 12  # timestamps in every segment
SYN_MORE = 8  # options of a SYN beyond the timestamps
MSS = 1448
IPERF_PORT = 5201
IPERF_COOKIE = 37  # sent first on every iperf3 connection
IPERF_UDP_HELLO = 4

# Those of tests/run/programs.sh.
NETS = {
    "v4": (4, "198.51.100.1", "198.51.100.129", "IPv4"),
    "v6": (6, "2001:db8:1:a::1", "2001:db8:1:b::1", "IPv6"),
    "vlan4": (4, "203.0.113.1", "203.0.113.129", "IPv4 on VLAN 7"),
    "vlan6": (6, "2001:db8:7:a::1", "2001:db8:7:b::1", "IPv6 on VLAN 7"),
}

Flow = namedtuple("Flow", "src dst proto sport dport icmp vlan packets octets")
Row = namedtuple("Row", "program says flows agree")
Sum = namedtuple("Sum", "packets octets")


class Unreadable(Exception):
    """A program printed something else than expected."""


def number(text, pattern, what):
    """The number, or tuple of numbers, that a program printed."""
    found = re.search(pattern, text, re.M)
    if not found:
        raise Unreadable(f"{what} did not print what was expected of it ({pattern})")
    values = tuple(int(group) for group in found.groups())
    return values if len(values) > 1 else values[0]


def read_flow(entry):
    """One flow out of nfdump's JSON, of which not every version writes every field."""
    return Flow(
        entry.get("src4_addr") or entry.get("src6_addr"),
        entry.get("dst4_addr") or entry.get("dst6_addr"),
        entry["proto"],
        entry.get("src_port", 0),
        entry.get("dst_port", 0),
        (entry.get("icmp_type"), entry.get("icmp_code")),
        entry.get("src_vlan", 0),
        entry["in_packets"],
        entry["in_bytes"],
    )


class Judge:
    """The flows, which of them a program has claimed, and the rows of the table."""

    def __init__(self, folder):
        self.folder = folder
        self.flows = [read_flow(entry) for entry in json.loads(self.text("flows.json"))]
        self.claimed = set()
        self.rows = []
        self.again = self.kernel("Tcp", "RetransSegs")

    def text(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def kernel(self, protocol, counter):
        """A counter of the two namespaces' kernels, which were new when the run began."""
        total = 0
        for name in ("snmp.a", "snmp.b"):
            names, values = [line.split() for line in self.text(name).splitlines()
                             if line.startswith(protocol + ":")]
            total += int(values[names.index(counter)])
        return total

    def kernel6(self, counter):
        """The same of the counters that IPv6 has of its own."""
        return sum(number(self.text(name), rf"^{counter}\s+(\d+)$", "the kernel")
                   for name in ("snmp6.a", "snmp6.b"))

    def places(self, want):
        return [place for place, flow in enumerate(self.flows)
                if all(getattr(flow, name) == value for name, value in want.items())]

    def total(self, **want):
        """Packets and octets of the flows whose fields are as wanted."""
        found = [self.flows[place] for place in self.places(want)]
        return Sum(sum(flow.packets for flow in found), sum(flow.octets for flow in found))

    def take(self, **want):
        """The same; these flows count as claimed."""
        self.claimed.update(self.places(want))
        return self.total(**want)

    def row(self, program, says, flows, agree):
        self.rows.append(Row(program, says, flows, agree))

    def packets(self, program, says, flows):
        """A row whose packets and octets are known exactly."""
        self.row(
            program,
            f"{says.packets} packets, {says.octets} octets",
            f"{flows.packets} packets, {flows.octets} octets",
            says == flows,
        )

    def payload(self, program, version, says, flows):
        """A row of one direction of one TCP connection, of which the program knows the payload."""
        header = IP_HEADER[version] + TCP_HEADER
        found = flows.octets - flows.packets * header - SYN_MORE
        most = says + self.again * MSS
        note = f" (the kernel sent {self.again} segments again)" if self.again else ""
        self.row(
            program,
            f"{says} bytes",
            f"{found} bytes in {flows.packets} packets{note}",
            says <= found <= most,
        )


def judge_ping(judge, net):
    version, near, far, label = NETS[net]
    text = judge.text(f"{net}.ping")
    data = number(text, r"^PING .* (\d+)(?:\(\d+\))? (?:data )?bytes", "ping")
    sent, received = number(text, r"^(\d+) packets transmitted, (\d+) received", "ping")
    size = data + 8 + IP_HEADER[version]
    proto, ask, answer = (ICMP, 8, 0) if version == 4 else (ICMP6, 128, 129)
    asked = judge.take(src=near, dst=far, proto=proto, icmp=(ask, 0))
    answered = judge.take(src=far, dst=near, proto=proto, icmp=(answer, 0))
    judge.packets(f"ping {label}: requests", Sum(sent, sent * size), asked)
    judge.packets(f"ping {label}: replies", Sum(received, received * size), answered)


def judge_web(judge, net):
    version, near, far, label = NETS[net]
    port, request, header, body = number(judge.text(f"{net}.web"), r"^(\d+) (\d+) (\d+) (\d+)$", "curl")
    up = judge.take(src=near, dst=far, proto=TCP, sport=port, dport=80)
    down = judge.take(src=far, dst=near, proto=TCP, sport=80, dport=port)
    judge.payload(f"curl {label}: request", version, request, up)
    judge.payload(f"curl {label}: header and file", version, header + body, down)


def judge_dns(judge, net):
    version, near, far, label = NETS[net]
    text = judge.text(f"{net}.dns")
    asked = [int(size) for size in re.findall(r"^;; QUERY SIZE: (\d+)", text, re.M)]
    answered = [int(size) for size in re.findall(r"^;; MSG SIZE +rcvd: (\d+)", text, re.M)]
    header = IP_HEADER[version] + UDP_HEADER
    up = judge.take(src=near, dst=far, proto=UDP, dport=53)
    down = judge.take(src=far, dst=near, proto=UDP, sport=53)
    judge.packets(f"dig {label}: queries", Sum(len(asked), sum(asked) + len(asked) * header), up)
    judge.packets(f"dig {label}: replies", Sum(len(answered), sum(answered) + len(answered) * header), down)


def read_iperf(judge, name):
    report = json.loads(judge.text(name))
    if "error" in report or "end" not in report:
        raise Unreadable(f"iperf3 reports an error: {report.get('error', 'no result')}")
    return report, report["start"]["connected"][0]["local_port"]


def judge_iperf_tcp(judge, net):
    version, near, far, label = NETS[net]
    report, port = read_iperf(judge, f"{net}.tcp")
    flows = judge.take(src=near, dst=far, proto=TCP, sport=port, dport=IPERF_PORT)
    judge.take(src=far, dst=near, proto=TCP, sport=IPERF_PORT, dport=port)  # acknowledgements only
    sent = report["end"]["sum_sent"]["bytes"] + IPERF_COOKIE
    judge.payload(f"iperf3 TCP {label}: data", version, sent, flows)


def judge_iperf_udp(judge, net):
    version, near, far, label = NETS[net]
    report, port = read_iperf(judge, f"{net}.udp")
    size = report["start"]["test_start"]["blksize"]
    count = report["end"]["streams"][0]["udp"]["packets"]
    header = IP_HEADER[version] + UDP_HEADER
    hello = Sum(1, IPERF_UDP_HELLO + header)
    up = judge.take(src=near, dst=far, proto=UDP, sport=port, dport=IPERF_PORT)
    down = judge.take(src=far, dst=near, proto=UDP, sport=IPERF_PORT, dport=port)
    says = Sum(count + hello.packets, count * (size + header) + hello.octets)
    judge.packets(f"iperf3 UDP {label}: data", says, up)
    judge.packets(f"iperf3 UDP {label}: answer", hello, down)


def judge_vlan(judge):
    """The tag in the flows: on the VLAN's addresses and on no other."""
    near = {NETS[net][1]: net.startswith("vlan") for net in NETS}
    tagged = {flow.vlan for flow in judge.flows if near.get(flow.src) is True}
    plain = {flow.vlan for flow in judge.flows if near.get(flow.src) is False}
    judge.row("VLAN id of the flows", "7 there, none else", f"{sorted(tagged)} there, {sorted(plain)} else",
              tagged == {7} and plain == {0})


def judge_device(judge, stats):
    """Every frame the veth carried is metered, or ignored for a reason."""
    before = [int(value) for value in judge.text("frames.before").split()]
    after = [int(value) for value in judge.text("frames.after").split()]
    received, sent, refused = [late - early for early, late in zip(before, after)]
    carried = received + sent + refused
    note = f" ({refused} found the other end busy)" if refused else ""
    source = stats["source"]
    metered = source["accounted"]["packets"]
    ignored = sum(source["ignored"].values())
    reasons = ", ".join(f"{name} {count}" for name, count in source["ignored"].items() if count)
    judge.row("veth: packets both ways", f"{carried} packets{note}",
              f"{metered} metered + {ignored} ignored ({reasons or 'none'}), {source['dropped']} dropped",
              carried == metered + ignored and source["dropped"] == 0)


def judge_kernel(judge):
    """What the two kernels sent, in packets of the wire: a merged packet is many segments to them as well."""
    tcp = judge.total(proto=TCP).packets
    udp = judge.total(proto=UDP).packets
    segments = judge.kernel("Tcp", "OutSegs") + judge.again
    datagrams = judge.kernel("Udp", "OutDatagrams") + judge.kernel6("Udp6OutDatagrams")
    judge.row("kernel: TCP sent, all programs", f"{segments} segments", f"{tcp} packets", segments == tcp)
    judge.row("kernel: UDP sent, all programs", f"{datagrams} datagrams", f"{udp} packets", datagrams == udp)


def judge_module(judge):
    """The module's own counters: its sums come out, and all that it metered arrived at the collector."""
    count = {name: int(value) for name, value in
             (line.split() for line in judge.text("proc/stats").splitlines())}
    group = {name: count[f"{name}.default.packets"] for name in ("published", "lost")}
    accounted, live = count["accounted.packets"], count["live.packets"]
    ignored = sum(value for name, value in count.items() if name.startswith("ignored."))
    off = [value for name, value in count.items() if name.startswith("difference.")]
    judge.row("nprobe_k: sums",
              f"{count['seen.packets']} seen = {ignored} ignored + {accounted}",
              f"{live} open + {group['published']} published + {group['lost']} lost",
              count["seen.packets"] == ignored + accounted and group["lost"] == 0 and live == 0
              and group["published"] == accounted == judge.total().packets and off != [] and not any(off))


def judge_merged(judge, label, programs):
    """Packets did arrive merged while these programs ran: guest.sh notes the module's counters after each."""
    before, during = (0, 0, 0), (0, 0, 0)
    for name, *values in (line.split() for line in judge.text("arrivals").splitlines()):
        after = tuple(int(value) for value in values)
        if name in programs:
            during = tuple(sum_ + late - early for sum_, late, early in zip(during, after, before))
        before = after
    frames, packets, merged = during
    judge.row(f"nprobe_k: {label}", f"{frames} arrivals", f"{packets} packets, {merged} of them merged",
              0 < frames < packets and merged > packets // 2)


def judge_export(judge, stats):
    """All that was metered arrives at the collector, which misses no datagram."""
    source, export = stats["source"]["accounted"], stats["export"]
    judge.packets("nprobe-k: all it metered", Sum(source["packets"], source["octets"]), judge.total())
    lost = re.findall(r"Sequence Errors: (\d+), Bad Packets: (\d+)", judge.text("nfcapd.log"))
    errors = [int(count) for pair in lost for count in pair]
    refused = export["not_exportable"]
    if isinstance(refused, dict):  # by reason
        refused = sum(refused.values())
    judge.row("nprobe-k: flows",
              f"{export['sent']} sent of {export['read']}, {export['failed']} failed",
              f"{len(judge.flows)} flows, {sum(errors)} sequence errors or bad datagrams",
              export["sent"] == len(judge.flows) and sum(errors) == 0 and errors != []
              and export["read"] == export["sent"] + export["failed"] + refused and export["failed"] == 0)


def unclaimed(judge):
    """What no program speaks of, in one sentence: it is in the totals above."""
    kinds = {}
    for place, flow in enumerate(judge.flows):
        if place in judge.claimed:
            continue
        if flow.proto == ICMP6 and flow.icmp[0] not in (128, 129):
            kind = "IPv6 neighbour discovery and multicast listeners"
        elif flow.proto == TCP and IPERF_PORT in (flow.sport, flow.dport):
            kind = "iperf3's control connections"
        else:
            kind = "other"
        kinds[kind] = kinds.get(kind, 0) + flow.packets
    listed = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    return f"Packets no program speaks of, in the totals only: {listed or 'none'}."


def print_table(rows):
    table = [("program", "what it says it sent", "what the flows say", "verdict")]
    table += [(row.program, row.says, row.flows, "agree" if row.agree else "DISAGREE") for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(3)]
    for line in table:
        print(" | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " | " + line[3])


def judge_all(folder, module):
    judge = Judge(folder)
    stats = json.loads(judge.text("stats.json"))
    for net in NETS:
        judge_ping(judge, net)
    for net in ("v4", "v6", "vlan4"):
        judge_web(judge, net)
    for net in ("v4", "v6"):
        judge_dns(judge, net)
    for net in ("v4", "v6"):
        judge_iperf_tcp(judge, net)
    for net in ("v4", "v6"):
        judge_iperf_udp(judge, net)
    judge_vlan(judge)
    if module:
        judge_kernel(judge)
        judge_module(judge)
        judge_merged(judge, "curl, merged by vb (GRO)", ("v4.web", "v6.web", "vlan4.web"))
        judge_merged(judge, "iperf3 TCP, by a (TSO)", ("v4.tcp", "v6.tcp"))
    else:
        judge_device(judge, stats)
    judge_export(judge, stats)
    return judge


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("folder", type=pathlib.Path, help="where the run left what the programs printed")
    args.add_argument("--module", action="store_true", help="the kernel module metered, in a guest")
    args = args.parse_args()
    try:
        judge = judge_all(args.folder, args.module)
    except (OSError, KeyError, ValueError, Unreadable) as error:
        print(f"verdict: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print_table(judge.rows)
    print(unclaimed(judge))
    bad = sum(not row.agree for row in judge.rows)
    print(f"verdict: {'agree' if not bad else 'DISAGREE'} ({len(judge.rows) - bad} of {len(judge.rows)} rows agree)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
