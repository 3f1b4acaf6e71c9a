#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Random records, over random templates, encoded and read back by tshark: v5, v9, IPFIX, nflow9;
and in nFlow v1, which tshark does not know, by tests/lib/nflowv1.py.

usage: roundtrip.py STREAMS PROBE [RECORDS=10000] [SEED]

STREAMS is build/roundtrip (streams.c): it writes datagrams and, beside them, the structs they
were made of.  What each element must be is worked out here again, from the struct alone; tshark
says what it finds at which octets.  Every field of every record must agree, in the templates' order,
and tshark must find nothing malformed, no gap and no missing template.
"""
import calendar
import collections
import ipaddress
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True  # the tree stays as it is
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import nflowv1  # noqa: E402 pylint: disable=wrong-import-position

TSHARK = [os.path.join(HERE, "..", "lib", "packages.sh"), "tool", "tshark"]
STREAM_RECORDS = 100

NTOP = 35632
NONE = 0xFFFF

Stream = collections.namedtuple("Stream", "template_id offset boot names records")


# ---- what an element must be

def number(member, bits=(64, 64)):
    """A number that saturates, with so many bits in v9 and in IPFIX."""
    return lambda r, s, v: min(getattr(r, member), 2**bits[v == 10] - 1)


def port(member):
    return lambda r, s, v: int.from_bytes(getattr(r, member), "big")


def address(member):
    return lambda r, s, v: ipaddress.ip_address(getattr(r, member)[:4 if r.ip_version == 4 else 16])


def mac(member):
    return lambda r, s, v: getattr(r, member).hex(":")


def vlan(member):
    return lambda r, s, v: 0 if getattr(r, member) == NONE else getattr(r, member)


def icmp(proto, part):
    def value(r, s, v):
        code = port("dport")(r, s, v) if r.proto == proto else 0
        return {"both": code, "type": code >> 8, "code": code & 255}[part]
    return value


def real(member, unit):
    """Nanoseconds since 1970, cut to the unit."""
    return lambda r, s, v: (getattr(r, member) + s.offset) // unit * unit


def uptime(member):
    """Nanoseconds of sysUptime: both ends are cut to milliseconds since 1970 first."""
    return lambda r, s, v: (getattr(r, member) + s.offset) // 10**6 * 10**6 - (s.boot + s.offset) // 10**6 * 10**6


def duration(unit):
    return lambda r, s, v: min(((r.last_ns + s.offset) // unit - (r.first_ns + s.offset) // unit), 2**32 - 1) * unit


def milliseconds(member, part):
    return lambda r, s, v: (getattr(r, member) * 2 // part + 1000) // 2000


def mpls(n, shift, bits):
    return lambda r, s, v: getattr(r, "mpls_%d_" % n) >> shift & (1 << bits) - 1


def fingerprint(r, s, v):
    """Of the SYN, see docs/formats.md; as octets, for tshark does not know it."""
    if not r.syn_flags & 1:
        return bytes(20).hex(":")
    options = [r.syn_options >> 4 * i & 15 for i in range(8)]
    ttl = next(p for p in (1, 2, 4, 8, 16, 32, 64, 128, 255) if p >= r.syn_ttl)
    text = "%04X%s%02X%s%d%d%d%d%s%02X" % (
        r.syn_window, "%04X" % r.syn_mss if r.syn_flags & 4 else "_MSS", ttl, "%02d" % (r.syn_wscale % 100) if r.syn_flags & 8 else "WS",
        4 in options, 1 in options, r.syn_quirks & 1, 8 in options, "A" if r.syn_flags & 2 else "S", r.syn_tcp_len)
    return (text.encode() + b"\0").hex(":")


# (enterprise, id) -> what tshark shows for it, in order: (its name, the value)
ELEMENTS = {
    (0, 8): [("srcaddr", address("saddr"))], (0, 12): [("dstaddr", address("daddr"))],
    (0, 27): [("srcaddrv6", address("saddr"))], (0, 28): [("dstaddrv6", address("daddr"))],
    (0, 7): [("srcport", port("sport"))], (0, 11): [("dstport", port("dport"))],
    (0, 4): [("protocol", number("proto"))], (0, 5): [("tos", number("tos"))],
    (0, 60): [("ip_version", number("ip_version"))], (0, 61): [("direction", number("dir"))],
    (0, 10): [("inputint", number("in_if"))], (0, 14): [("outputint", number("out_if"))],
    (0, 82): [("if_name", lambda r, s, v: ("interface-%u" % r.in_if)[:15] if r.in_if % 3 else "")],
    (0, 58): [("vlanid", vlan("vlan"))], (0, 243): [("dot1q_vlan_id", vlan("vlan"))],
    (0, 245): [("dot1q_customer_vlan_id", vlan("vlan2"))],
    (0, 1): [("octets", number("octets"))], (0, 2): [("packets", number("packets"))],
    (0, 22): [("timestart", uptime("first_ns"))], (0, 21): [("timeend", uptime("last_ns"))],
    (0, 150): [("abstimestart", real("first_ns", 10**9))], (0, 151): [("abstimeend", real("last_ns", 10**9))],
    (0, 152): [("abstimestart", real("first_ns", 10**6))], (0, 153): [("abstimeend", real("last_ns", 10**6))],
    (0, 154): [("abstimestart", real("first_ns", 10**3))], (0, 155): [("abstimeend", real("last_ns", 10**3))],
    (0, 156): [("abstimestart", real("first_ns", 1))], (0, 157): [("abstimeend", real("last_ns", 1))],
    (0, 161): [("timedelta", duration(10**6))], (0, 162): [("timedelta", duration(10**3))],
    (0, 6): [("tcpflags", lambda r, s, v: r.tcp_flags & (0xFFF if v == 10 else 0xFF))],
    (0, 186): [("tcp_windows_size", number("syn_window"))],
    (0, 25): [("length_min", number("min_len", (16, 32)))], (0, 26): [("length_max", number("max_len", (16, 32)))],
    (0, 52): [("ttl_min", number("min_ttl"))], (0, 53): [("ttl_max", number("max_ttl"))],
    (0, 31): [("ipv6flowlabel", number("flow_label"))],
    (0, 32): [("icmp_type_code_ipv4", icmp(1, "both"))],
    (0, 139): [("icmp_ipv6_type", icmp(58, "type")), ("icmp_ipv6_code", icmp(58, "code"))],
    (0, 176): [("icmp_ipv4_type", icmp(1, "type"))], (0, 177): [("icmp_ipv4_code", icmp(1, "code"))],
    (0, 178): [("icmp_ipv6_type", icmp(58, "type"))], (0, 179): [("icmp_ipv6_code", icmp(58, "code"))],
    (0, 56): [("srcmac", mac("smac"))], (0, 80): [("dstmac", mac("dmac"))],
    (0, 136): [("flow_end_reason", number("end_reason"))],
    (NTOP, 7932): [("unknown", fingerprint)],
    (NTOP, 80): [("pie.ntop.src_fragments", number("fragments", (16, 32)))],
    (NTOP, 107): [("pie.ntop.longest_flow_pkt", number("max_len", (16, 32)))],
    (NTOP, 108): [("pie.ntop.shortest_flow_pkt", number("min_len", (16, 32)))],
    (NTOP, 109): [("pie.ntop.retransmitted_in_pkts", number("retransmitted"))],
    (NTOP, 111): [("pie.ntop.ooorder_in_pkts", number("out_of_order"))],
    (NTOP, 123): [("pie.ntop.client_nw_latency_ms", milliseconds("client_delay_us", 2))],
    (NTOP, 124): [("pie.server_nw_latency_ms", milliseconds("server_delay_us", 2))],
    (NTOP, 125): [("pie.ntop.appl_latency_ms", milliseconds("appl_delay_us", 1))],
    (NTOP, 391): [("pie.ntop.duration_in", lambda r, s, v: duration(10**6)(r, s, v) // 10**6)],
    (NTOP, 417): [("pie.ntop.tcp_win_mss_in", number("syn_mss"))],
    (NTOP, 418): [("pie.ntop.tcp_win_scale_in", number("syn_wscale"))],
}
for _n in range(4):
    ELEMENTS[0, 70 + _n] = [("mpls_label", mpls(_n, 12, 20)), ("mpls_exp", mpls(_n, 9, 3)), ("mpls_bos", mpls(_n, 8, 1))]

# Nanoseconds that tshark may show more.  Microseconds of NTP are counted in fractions of 2^-21 s, and it does not cut them
# to whole ones; where a fraction is exact, its division makes it one less.
SLACK = {(0, 154): range(-1, 10**9 // 2**21 + 1), (0, 155): range(-1, 10**9 // 2**21 + 1),
         (0, 156): range(-1, 1), (0, 157): range(-1, 1)}
EXACT = range(1)

def ifindex16(member):
    return lambda r, s, v: 0 if getattr(r, member) > 65535 else getattr(r, member)


def share(member):
    """v5: a counter is split into equal parts, of at least 1; v is which part of how many."""
    return lambda r, s, v: max(1, getattr(r, member) // v[1] + (v[0] < getattr(r, member) % v[1]))


V5 = [("srcaddr", address("saddr")), ("dstaddr", address("daddr")), ("nexthop", lambda r, s, v: ipaddress.ip_address("0.0.0.0")),
      ("inputint", ifindex16("in_if")), ("outputint", ifindex16("out_if")), ("packets", share("packets")), ("octets", share("octets")),
      ("timestart", uptime("first_ns")), ("timeend", uptime("last_ns")), ("srcport", port("sport")), ("dstport", port("dport")),
      ("tcpflags", lambda r, s, v: r.tcp_flags & 0xFF), ("protocol", number("proto")), ("tos", number("tos")),
      ("srcas", lambda r, s, v: 0), ("dstas", lambda r, s, v: 0), ("srcmask", lambda r, s, v: 0), ("dstmask", lambda r, s, v: 0)]

OTHER_FAMILY = {(0, 8): (0, 27), (0, 12): (0, 28), (0, 27): (0, 8), (0, 28): (0, 12)}
ONLY = {4: {(0, n) for n in (8, 12, 32, 176, 177)}, 6: {(0, n) for n in (27, 28, 31, 139, 178, 179)}}
DIGEST_SET = 65282      # nflow9's, which npkctl verify checks
SHOWN = {name for entries in [*ELEMENTS.values(), V5] for name, _ in entries}


def field_list(probe):
    """Name -> (enterprise, id), as the user is told."""
    ids = {}
    for line in run([probe, "--list-fields"]).splitlines()[1:]:
        name, ipfix_name, number_, pen = line.split()[:4]
        ids[name] = ids[ipfix_name] = (int(pen), int(number_))
    return ids


def family_fields(names, ids, version):
    fields = list(dict.fromkeys(ids[n] for n in names))
    kept = []
    for f in fields:
        if f in ONLY[10 - version]:
            f = OTHER_FAMILY.get(f)
            if not f or f in fields:
                continue
        kept.append(f)
    return kept


# ---- what tshark says

def moment(text):
    """"Sep 23, 2021 16:28:32.232246906 UTC" in nanoseconds since 1970."""
    when, fraction, _ = re.fullmatch(r"(.*)\.(\d{9}) (UTC)", text).groups()
    return calendar.timegm(time.strptime(when, "%b %d, %Y %H:%M:%S")) * 10**9 + int(fraction)


def nanoseconds(text):
    seconds, fraction = text.split(".")
    return int(seconds) * 10**9 + int(fraction)


READERS = {"srcmac": str, "dstmac": str, "if_name": str, "unknown": str, "abstimestart": moment, "abstimeend": moment, "timestart": nanoseconds,
           "timeend": nanoseconds, "timedelta": nanoseconds}
for _name in ("srcaddr", "dstaddr", "nexthop", "srcaddrv6", "dstaddrv6"):
    READERS[_name] = ipaddress.ip_address


# v9, IPFIX
UNKNOWN = ("unknown_field_type", "enterprise_private_entry")


def shown(pairs, out):
    """Fields that were read from the record itself (they have octets): (where, name, value)."""
    raw = {}
    for key, value in pairs:
        name, is_raw = key.replace("cflow.", "", 1), key.endswith("_raw")
        name = name[:-4] if is_raw else name
        name = "unknown" if name in UNKNOWN else name
        if is_raw:
            raw[name] = value[1:3]
        elif isinstance(value, list):
            shown(value, out)
        elif name in SHOWN and name in raw:
            at, octets = raw.pop(name)
            if (name, octets) != ("timedelta", 8):  # of the two times of v5, not a field
                out.append((at, name, READERS.get(name, lambda t: int(t, 0))(value)))


def flows(pairs):
    for key, value in pairs:
        if re.fullmatch(r"Flow \d+|pdu \d+/\d+", key):
            out = []
            shown(value, out)
            yield [(name, value) for _, name, value in sorted(out, key=lambda x: x[0])]


def decoded(path):
    """(stream's address, template id, 0 for v5) -> records, each a list of (name, value)."""
    found = collections.defaultdict(list)
    text = run(TSHARK + ["-r", path, "-n", "-d", "udp.port==2055,cflow", "-T", "json", "-x"])
    for packet in json.loads(text, object_pairs_hook=list):
        layers = dict(dict(dict(packet)["_source"])["layers"])
        source = int(ipaddress.ip_address(dict(layers["ip"])["ip.src"]))
        found[source, 0] += flows(layers["cflow"])
        for key, value in layers["cflow"]:
            match = re.match(r"(?:Flow)?Set \d+ \[id=(\d+)\] \(\d+ flows\)", key)
            if match and isinstance(value, list) and int(match.group(1)) != DIGEST_SET:
                found[source, int(match.group(1))] += flows(value)
    return {key: records for key, records in found.items() if records}


def complaints(path):
    return run(TSHARK + ["-r", path, "-n", "-d", "udp.port==2055,cflow", "-Y",
                         "_ws.malformed || _ws.expert.severity >= 4194304 || cflow.no_template_found || !cflow",
                         "-T", "fields", "-e", "frame.number", "-e", "_ws.expert.message"])


# ---- comparing

def run(command):
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True).stdout


def value(text):
    return bytes.fromhex(text[1:]) if text[0] == "x" else int(text)


def read_streams(text):
    """Address -> Stream; the members of a record have "_" for every other character."""
    streams, record = {}, None
    for line in text.splitlines():
        kind, *rest = line.split()
        if kind == "members":
            record = collections.namedtuple("Record", [re.sub(r"\W", "_", name) for name in rest])
        elif kind == "stream":
            at, template_id, offset, boot = map(int, rest[:4])
            streams[at] = Stream(template_id, offset, boot, rest[4:], [])
        else:
            streams[at].records.append(record(*map(value, rest)))
    return streams


def close(want, got):
    name, expected, slack = want
    return got[0] == name and (got[1] == expected or slack is not EXACT and got[1] - expected in slack)


def compare(records, got, bad):
    """Records as lists of (name, value, slack), and what tshark has."""
    if len(got) != len(records):
        bad.append("%d records, tshark has %d" % (len(records), len(got)))
    for want, values in zip(records, got):
        wrong = [(w[:2], g) for w, g in zip(want, values) if not close(w, g)]
        if wrong or len(want) != len(values):
            bad.append("%d fields, tshark has %d; first difference (ours, tshark's): %s\n    of %s" % (
                len(want), len(values), wrong[:1], want))
    return sum(map(len, records))


def templates_of(stream, version, ids):
    """Template id -> its records, as they must be; every element that occurs."""
    out, used = {}, set()
    for ip_version, template_id in ((4, stream.template_id), (6, stream.template_id + 1)):
        fields = family_fields(stream.names, ids, ip_version)
        used |= set(fields)
        out[template_id] = [[(name, of(r, stream, version), SLACK.get(f, EXACT)) for f in fields for name, of in ELEMENTS[f]]
                            for r in stream.records if r.ip_version == ip_version]
    return out, used


def parts_of(r):
    """Which part of how many, for every part a record has where counters are of 32 bits."""
    parts = max(1, -(-r.packets // (2**32 - 1)), -(-r.octets // (2**32 - 1)))
    return [(part, parts) for part in range(parts)]


def v5_records(stream, *_):
    out = []
    for r in stream.records:
        out += [[(name, of(r, stream, part), EXACT) for name, of in V5] for part in parts_of(r)]
    return {0: out}, set()


# ---- nFlow v1

def latency(first_type, ns):
    return [(first_type, 4, ns // 10**9), (first_type + 1, 4, ns % 10**9)] if ns else []


def known(*item):
    return [item] if item[2] else []


def nflow_items(r, s, part):
    """The items of one part of a record: (type, octets, value)."""
    def ms(member):
        return uptime(member)(r, s, 24) // 10**6 % 2**32
    six, n = r.ip_version == 6, 16 if r.ip_version == 6 else 4
    icmp_type = r.dport[0] if r.proto == 1 else 32
    items = [(27 if six else 8, n, r.saddr[:n]), (28 if six else 12, n, r.daddr[:n]), (7, 2, r.sport), (11, 2, r.dport),
             (4, 1, r.proto), (5, 1, r.tos), (6, 1, r.tcp_flags & 0xFF), (1, 4, share("octets")(r, s, part)),
             (2, 4, share("packets")(r, s, part)), (22, 4, ms("first_ns")), (21, 4, ms("last_ns"))]
    items += known(10, 4, r.in_if) + known(14, 4, r.out_if) + known(61, 1, r.dir)
    items += ([(60, 1, 6)] + known(31, 3, r.flow_label)) if six else []
    items += [(82, 2, r.vlan)] if r.vlan != NONE else []
    items += [(70 + i, 3, getattr(r, "mpls_%d_" % i) >> 8) for i in range(r.nr_mpls)]
    items += known(80, 1, min(r.fragments, 1)) + latency(83, (r.server_delay_us + r.client_delay_us) * 500)
    items += latency(85, r.appl_delay_us * 1000) + ([(88, 4, 1 << icmp_type)] if icmp_type < 32 else [])
    return [((kind, length), v if isinstance(v, bytes) else v.to_bytes(length, "big"), EXACT) for kind, length, v in items]


def nflow_records(stream, *_):
    return {0: [nflow_items(r, stream, part) for r in stream.records for part in parts_of(r)]}, set()


def decoded_nflow(path):
    """Of raw IPv4 and UDP: address -> records, each a list of ((type, octets), value)."""
    found = collections.defaultdict(list)
    with open(path, "rb") as f:
        data = f.read()
    at = 24
    while at < len(data):
        length = int.from_bytes(data[at + 8:at + 12], "little")
        packet, at = data[at + 16:at + 16 + length], at + 16 + length
        source, message = int.from_bytes(packet[12:16], "big"), nflowv1.read(packet[28:], b"secret")
        if message.sequence != len(found[source, 0]):
            raise ValueError("sequence %d after %d flows" % (message.sequence, len(found[source, 0])))
        found[source, 0] += [[((kind, len(value)), value) for kind, value in flow] for flow in message.flows]
    return found


# name, enum npk_enc_version, version on the wire, what its records must be
FORMATS = (("v5", 5, 5, v5_records), ("v9", 9, 9, templates_of), ("IPFIX", 10, 10, templates_of),
           ("nflow9, signed", 25, 9, templates_of), ("nFlow v1, signed", 24, 24, nflow_records))


def check(program, ids, form, records, seed, folder):
    name, encoder, version, expected = form
    path = os.path.join(folder, "%d.pcap" % encoder)
    number_ = records // STREAM_RECORDS
    streams = read_streams(run([program, str(encoder), str(number_), str(STREAM_RECORDS), str(seed), path]))
    found, bad, fields, used = (decoded_nflow if version == 24 else decoded)(path), [], 0, set()
    for at, s in streams.items():
        sets, elements = expected(s, version, ids)
        used |= elements
        for template_id, want in sets.items():
            fields += compare(want, found.pop((at, template_id), []), bad)
    if found:
        bad.append("records that nobody sent: %s" % list(found)[:3])
    if number_ >= 50 and version in (9, 10) and used != set(ids.values()):
        bad.append("elements in no template: %s" % (set(ids.values()) - used))
    said = complaints(path) if version != 24 else ""
    if said:
        bad.append("tshark: " + said[:500])
    print("%s %s: %d records, %d fields" % ("FAILED" if bad else "equal", name, sum(len(s.records) for s in streams.values()), fields),
          flush=True)
    for b in bad[:5]:
        print("  " + b)
    return not bad


def main():
    program, probe = sys.argv[1:3]
    records = int(sys.argv[3]) if len(sys.argv) > 3 else 10000
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.getrandbits(32)
    ids = field_list(probe)
    missing = set(ids.values()) ^ set(ELEMENTS)
    if missing:
        sys.exit("FAILED: elements that only one side knows: %s" % missing)
    print("seed %d" % seed, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        good = [check(program, ids, form, records, seed, folder) for form in FORMATS]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: roundtrip.py STREAMS PROBE [RECORDS=10000] [SEED]")
    main()
