#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
export.py PROBE: what the daemon sends, as a collector sees it.

Writes small captures, runs PROBE with UDP sockets of its own as collectors,
decodes NetFlow v5 and v9 itself, and compares with what it put into the
captures.  The live checks need root: they run in a network namespace of
their own.  One line per check; exit 1 when one failed.
"""
import collections
import contextlib
import csv
import io
import json
import os
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

START = 1700000000
UDP, TCP = 17, 6
FILTER = "udp port 7777"
bad = 0


def check(name, good, detail=""):
    global bad
    bad += not good
    print("ok: " + name if good else "FAILED: %s: %s" % (name, detail), flush=True)


def skip(name, why):
    print("skipped: %s: %s" % (name, why), flush=True)


# ---- captures

def pcap_head():
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def l4(proto, sport, dport, payload):
    if proto == UDP:
        return struct.pack(">HHHH", sport, dport, 8 + payload, 0) + bytes(payload)
    return struct.pack(">HHIIBBHHH", sport, dport, 1, 0, 0x50, 0x10, 1024, 0, 0) + bytes(payload)


def ip_packet(src, dst, proto, body):
    if ":" in src:
        addresses = socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst)
        return struct.pack(">IHBB", 6 << 28, len(body), proto, 64) + addresses + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, proto, 0)
    return head + socket.inet_aton(src) + socket.inet_aton(dst) + body


class Capture:
    """A capture file in the making, and the flows that must come out of it."""

    def __init__(self, name):
        self.path = os.path.join(WORK, name)
        self.flows = {}
        self.frames = [pcap_head()]

    def add(self, src, dst, sport, dport, proto=UDP, payload=10, at=0.0, head=bytes(12)):
        packet = ip_packet(src, dst, proto, l4(proto, sport, dport, payload))
        self.add_frame(head + (b"\x86\xdd" if ":" in src else b"\x08\x00") + packet, at)
        key = (src, dst, sport, dport, proto)
        packets, octets = self.flows.get(key, (0, 0))
        self.flows[key] = (packets + 1, octets + len(packet))

    def add_frame(self, frame, at=0.0):
        second, micro = divmod(round((START + at) * 1000000), 1000000)
        self.frames.append(struct.pack("<IIII", second, micro, len(frame), len(frame)) + frame)

    def write(self):
        with open(self.path, "wb") as f:
            f.write(b"".join(self.frames))
        return self


def many_flows(name, number):
    c = Capture(name)
    for i in range(number):
        c.add("10.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255), "192.0.2.1", 1024 + i % 60000, 53,
              payload=i % 97, at=i / 100000)
    return c.write()


def conversations(name, number):
    c = Capture(name)
    for i in range(number):
        here, there, port = "10.1.0.%d" % (i % 50 + 1), "10.2.0.%d" % (i % 7 + 1), 2000 + i
        proto = TCP if i % 2 else UDP
        c.add(here, there, port, 80, proto, i % 30, i / 1000)
        c.add(there, here, 80, port, proto, i % 40, i / 1000 + 0.0005)
    return c.write()


def both_families(name, number):
    c = Capture(name)
    for i in range(number):
        c.add("10.3.0.1", "10.3.0.2", 3000 + i, 53, at=i / 1000)
        c.add("2001:db8::1", "2001:db8::2", 3000 + i, 53, at=i / 1000)
    return c.write()


# ---- decoding

def number(octets):
    return int.from_bytes(octets, "big")


def address(octets):
    return socket.inet_ntop(socket.AF_INET6 if len(octets) == 16 else socket.AF_INET, octets)


class Datagram:
    """One decoded datagram; templates are those of its stream: id -> (scope fields, all fields)."""

    def __init__(self, data, templates):
        self.size = len(data)
        self.records, self.new_templates, self.set_ids, self.interfaces = [], [], [], set()
        self.options, self.options_templates = {}, 0
        self.version, self.count = struct.unpack_from(">HH", data)
        {5: self.decode_v5, 9: self.decode_v9, 10: self.decode_ipfix}[self.version](data, templates)
        self.data_records = len(self.records) + sum(map(len, self.options.values()))
        found = self.data_records + len(self.new_templates) + self.options_templates
        if self.version != 10 and self.count != found:
            raise ValueError("header says %d records, not %d" % (self.count, found))

    def next_sequence(self):
        return self.sequence + {5: len(self.records), 9: 1, 10: self.data_records}[self.version]

    def decode_v5(self, data, _):
        self.sequence, self.engine_type, self.engine_id, self.sampling = struct.unpack_from(">IBBH", data, 16)
        self.source_id = self.engine_type << 8 | self.engine_id
        if len(data) != 24 + 48 * self.count:
            raise ValueError("v5: %d octets, %d records" % (len(data), self.count))
        for at in range(24, len(data), 48):
            packets, octets = struct.unpack_from(">II", data, at + 16)
            sport, dport = struct.unpack_from(">HH", data, at + 32)
            self.interfaces.add(struct.unpack_from(">HH", data, at + 12))
            key = (address(data[at:at + 4]), address(data[at + 4:at + 8]), sport, dport, data[at + 38])
            self.records.append((key, packets, octets, None))

    def decode_v9(self, data, templates):
        uptime, seconds, self.sequence, self.source_id = struct.unpack_from(">IIII", data, 4)
        self.boot_ms = seconds * 1000 - uptime
        self.read_sets(data, 20, templates)

    def decode_ipfix(self, data, templates):
        length, _, self.sequence, self.source_id = struct.unpack_from(">HIII", data, 2)
        if length != len(data):
            raise ValueError("a message of %d octets says %d" % (len(data), length))
        self.read_sets(data, 16, templates)

    def read_sets(self, data, at, templates):
        ids = {9: (0, 1), 10: (2, 3)}[self.version]
        while at < len(data):
            set_id, length = struct.unpack_from(">HH", data, at)
            if length < 4 or at + length > len(data):
                raise ValueError("a set of %d octets" % length)
            body = data[at + 4:at + length]
            if set_id == ids[0]:
                self.read_templates(body, templates)
            elif set_id == ids[1]:
                self.read_options_template(body, templates)
            elif templates[set_id][0]:
                self.read_options(body, templates[set_id][1])
            else:
                self.set_ids.append(set_id)
                self.read_data(body, templates[set_id][1])
            at += length

    def read_fields(self, body, at, number_):
        """Field specifiers as (number, length), and where they end; numbers of enterprises with theirs."""
        fields = []
        for _ in range(number_):
            field, length = struct.unpack_from(">HH", body, at)
            at += 4
            if self.version == 10 and field & 0x8000:
                field = (struct.unpack_from(">I", body, at)[0], field & 0x7FFF)
                at += 4
            fields.append((field, length))
        return fields, at

    def read_templates(self, body, templates):
        at = 0
        while at + 4 <= len(body):
            template_id, number_ = struct.unpack_from(">HH", body, at)
            if template_id < 256:
                break   # padding
            fields, at = self.read_fields(body, at + 4, number_)
            templates[template_id] = (0, fields)
            self.new_templates.append(template_id)

    def read_options_template(self, body, templates):
        template_id, a, b = struct.unpack_from(">HHH", body)
        scopes, number_ = (a // 4, (a + b) // 4) if self.version == 9 else (b, a)
        templates[template_id] = (scopes, self.read_fields(body, 6, number_)[0])
        self.options_templates += 1

    def read_options(self, body, fields):
        """A record of options data, filed under each of its fields."""
        record, at = {}, 0
        for field, length in fields:
            record[field] = body[at:at + length]
            at += length
        self.options.setdefault(fields[1][0], []).append(record)

    def only_options(self):
        return bool(self.options) and not self.records and not self.new_templates

    def read_data(self, body, fields):
        size, at = sum(length for _, length in fields), 0
        while at + size <= len(body):
            record = {}
            for field, length in fields:
                record[field] = body[at:at + length]
                at += length
            key = (address(record.get(8) or record[27]), address(record.get(12) or record[28]),
                   number(record[7]), number(record[11]), number(record[4]))
            self.interfaces.add((number(record[10]), number(record[14])))
            self.records.append((key, number(record[2]), number(record[1]), number(record[136])))


class Collector:
    """A UDP socket with a thread that reads it until nothing comes after the end."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:    # SO_RCVBUFFORCE
            self.sock.setsockopt(socket.SOL_SOCKET, 33, 128 << 20)
        except OSError:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.name = "127.0.0.1:%d" % self.port
        self.raw, self.datagrams, self.ended = [], [], False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while True:
            if select.select([self.sock], [], [], 0.1)[0]:
                self.raw.append((self.sock.recv(65536), time.time()))
            elif self.ended:
                return

    def wait(self):
        self.ended = True
        self.thread.join()

    def end(self):
        self.wait()
        self.dropped = self.drops()
        self.sock.close()
        self.templates = {}
        for data, arrived in self.raw:
            d = Datagram(data, self.templates)
            d.arrived = arrived
            self.datagrams.append(d)
        return self

    def drops(self):
        with open("/proc/net/udp") as f:
            rows = [line.split() for line in f][1:]
        return sum(int(r[-1]) for r in rows if int(r[1].split(":")[1], 16) == self.port)

    def records(self):
        return [r for d in self.datagrams for r in d.records]

    def sums(self):
        total = collections.defaultdict(lambda: (0, 0))
        for key, packets, octets, _ in self.records():
            total[key] = (total[key][0] + packets, total[key][1] + octets)
        return dict(total)

    def told(self, field, which=-1):
        """A value in options data, the latest one or another."""
        values = [r[field] for d in self.datagrams for rs in d.options.values() for r in rs if field in r]
        return values[which] if values else None

    def gaps(self):
        """Datagrams whose sequence does not follow from the one before of the same source id or domain."""
        found, want = 0, collections.defaultdict(int)
        for d in self.datagrams:
            found += d.sequence != want[d.source_id]
            want[d.source_id] = d.next_sequence()
        return found

    def has_exactly(self, flows):
        return len(self.records()) == len(flows) and self.sums() == flows

    def what(self):
        return "%d records in %d datagrams, %d gaps, %d dropped by the socket" % (
            len(self.records()), len(self.datagrams), self.gaps(), self.dropped)


# ---- running the daemon

class Result:
    def __init__(self, code, out, err, collectors, stats):
        self.code, self.out, self.err, self.collectors, self.stats = code, out, err, collectors, stats
        self.first = collectors[0] if collectors else None


def run(capture, *args, collectors=1, names=()):
    """One run over a capture file, to so many collectors and those in names."""
    sinks = [Collector() for _ in range(collectors)]
    to = list(names) + [s.name for s in sinks]
    stats = os.path.join(WORK, "stats.json")
    command = [PROBE, "-i", "pcap:" + capture.path, "--dont-drop-privileges", "--stats-json", stats, *args]
    done = subprocess.run(command + (["-n", ",".join(to)] if to else []), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    for s in sinks:
        s.end()
    if done.returncode:
        raise RuntimeError("%s: exit code %d: %s" % (" ".join(args), done.returncode, done.stderr))
    with open(stats) as f:
        return Result(done.returncode, done.stdout, done.stderr, sinks, json.load(f))


def csv_rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def csv_key(row):
    return (row["src"], row["dst"], int(row["sport"]), int(row["dport"]), int(row["proto"]))


def dead_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % s.getsockname()[1]


# ---- checks on files

def check_all_collectors():
    c = conversations("all.pcap", 400)
    for version in ("5", "9", "10"):
        r = run(c, "-a", "-V", version, collectors=2)
        for i, s in enumerate(r.collectors):
            check("-a, v%s: collector %d has every flow, its sequence is gapless" % (version, i),
                  s.has_exactly(c.flows) and not s.gaps(), s.what())


def check_split():
    c = conversations("split.pcap", 400)
    r = run(c, collectors=2)
    has = [set(s.sums()) for s in r.collectors]
    together = r.collectors[0].sums() | r.collectors[1].sums()
    torn = [k for h in has for k in h if (k[1], k[0], k[3], k[2], k[4]) not in h]
    total = sum(len(s.records()) for s in r.collectors)
    what = "; ".join(s.what() for s in r.collectors)
    check("split: every flow exactly once", total == len(c.flows) and together == c.flows, what)
    check("split: both directions at the same collector", not torn, "%d are not, %s" % (len(torn), torn[:1]))
    check("split: both collectors have at least a fifth", min(map(len, has)) * 5 >= len(c.flows), what)
    check("split: both sequences are gapless", not any(s.gaps() for s in r.collectors), what)


def check_mtu():
    c = many_flows("mtu.pcap", 500)
    for version in ("5", "9", "10"):
        # v5 has 30 records at most; the loopback's route takes more than we ever send
        largest = 1464 if version == "5" else 9000 - 28
        for args, most in ((("--mtu", "576"), 548), (("--mtu", "600"), 572), ((), largest)):
            r = run(c, "-V", version, *args)
            sizes = [d.size for d in r.first.datagrams]
            full = [len(d.records) for d in r.first.datagrams if d.records and not d.new_templates][:-1]
            check("v%s, %s: datagrams of at most %d octets" % (version, " ".join(args) or "no --mtu", most),
                  sizes and max(sizes) <= most, "largest %d" % max(sizes, default=0))
            check("v%s, %s: well filled" % (version, " ".join(args) or "no --mtu"),
                  full and min(full) > 1 and max(sizes) > most - 100 and r.first.has_exactly(c.flows),
                  "%s records each, %s octets, %s" % (full[:5], sizes[:5], r.first.what()))


def check_template_ids():
    c = both_families("ids.pcap", 30)
    for args, want in ((("-U", "300"), {300, 301}), ((), {256, 257}), (("-V", "10", "-U", "300"), {300, 301})):
        s = run(c, *args).first
        new = {t for d in s.datagrams for t in d.new_templates}
        used = {i for d in s.datagrams for i in d.set_ids if i}
        check("%s: template ids %s" % (" ".join(args) or "no -U", sorted(want)),
              new == want and used == want and s.has_exactly(c.flows), "%s, used %s" % (new, used))


def check_engine():
    c = many_flows("engine.pcap", 100)
    for text, kind, ident in (("7:9", 7, 9), ("5", 0, 5)):
        v5 = {(d.engine_type, d.engine_id) for d in run(c, "-V", "5", "-E", text).first.datagrams}
        v9 = {d.source_id for d in run(c, "-E", text).first.datagrams}
        ipfix = {d.source_id for d in run(c, "-V", "10", "-E", text).first.datagrams if d.records}
        check("-E %s: v5 engine type %d, id %d" % (text, kind, ident), v5 == {(kind, ident)}, v5)
        check("-E %s: v9 source id, IPFIX domain %d" % (text, kind * 256 + ident),
              v9 == ipfix == {kind * 256 + ident}, (v9, ipfix))


def check_fields():
    """-T: one list for both families; what is unknown is left out."""
    c = both_families("fields.pcap", 40)
    text = ("%sourceIPv4Address %IPV6_FLOW_LABEL %IPV4_DST_ADDR %L4_SRC_PORT %L4_DST_PORT %OUT_BYTES %PROTOCOL %INPUT_SNMP"
            " %OUTPUT_SNMP %IN_PKTS %IN_BYTES %FLOW_END_REASON %APPL_LATENCY_MS")
    rest = [(7, 2), (11, 2), (4, 1), (10, 4), (14, 4), (2, 8), (1, 8), (136, 1)]
    for version, label, appl in (("9", 3, 57597), ("10", 4, (35632, 125))):
        r = run(c, "-V", version, "-T", text, "--skip-unknown")
        templates = r.first.templates
        check("-T, -V %s: what was asked for, in this order" % version,
              templates[256][1] == [(8, 4), (12, 4)] + rest + [(appl, 4)] and
              templates[257][1] == [(27, 16), (31, label), (28, 16)] + rest + [(appl, 4)], templates)
        check("-T, -V %s: every flow arrives" % version, r.first.has_exactly(c.flows) and not r.first.gaps(), r.first.what())


def one_flow(name, times):
    c = Capture(name)
    for i, at in enumerate(times):
        c.add("10.4.0.1", "10.4.0.2", 4000, 53, payload=i, at=at)
    return c.write()


def check_timeouts():
    c = one_flow("long.pcap", range(61))
    for seconds, least, most in (("10", 5, 7), ("3600", 1, 1)):
        s = run(c, "-t", seconds).first
        check("-t %s: %d to %d records of 60 s, sums exact" % (seconds, least, most),
              least <= len(s.records()) <= most and s.sums() == c.flows, (s.what(), s.sums(), c.flows))
    c = one_flow("gap.pcap", [0, 1, 2, 12, 13])
    for args, want in ((("-d", "5"), 2), ((), 1)):
        s = run(c, *args).first
        check("%s: %d record(s) where 10 s are silent" % (" ".join(args) or "no -d", want),
              len(s.records()) == want and s.sums() == c.flows, (s.what(), s.sums()))


def check_flow_sampling():
    c = conversations("flow-sampling.pcap", 1000)
    r = run(c, "-S", "1:1:4")
    got, x = r.first.sums(), r.stats["export"]["collectors"][0]
    torn = [k for k in got if (k[1], k[0], k[3], k[2], k[4]) not in got]
    # 250 conversations are expected, with a deviation of 14
    check("-S 1:1:4: a quarter of the conversations, both directions, what is sent is whole",
          350 <= len(got) <= 650 and not torn and got.items() <= c.flows.items(), "%d flows" % len(got))
    check("-S 1:1:4: the rest is counted as flow_not_sampled",
          x["not_exportable"] == {"flow_not_sampled": 2000 - len(got)} and sums_hold(x), x)


def check_interfaces():
    """MAC addresses and two VLAN tags, as interface indices."""
    c, tags = Capture("interfaces.pcap"), struct.pack(">HHHH", 0x88A8, 100, 0x8100, 31)
    c.add("10.8.0.1", "10.8.0.2", 4000, 53, head=bytes.fromhex("02000000abcd020000001234") + tags)
    c.write()
    for args, want in (((), (0, 0)), (("-u", "5", "-Q", "7"), (5, 7)), (("-Q", "7"), (0, 7)),
                       (("-u", "-1", "-Q", "-1"), (0x1234, 0xabcd)),
                       (("--vlanid-as-iface-idx", "inner", "-u", "5"), (31, 31)),
                       (("--vlanid-as-iface-idx", "outer"), (100, 100)),
                       (("--vlanid-as-iface-idx", "single"), (0, 100)),
                       (("--vlanid-as-iface-idx", "double"), (101, 100))):
        r5, r9 = run(c, *args, "-V", "5"), run(c, *args, "--print", "csv")
        got = [{x for d in r.first.datagrams for x in d.interfaces} for r in (r5, r9)]
        got.append({(int(row["in_if"]), int(row["out_if"])) for row in csv_rows(r9.out)})
        check("%s: interfaces %s in v5, v9 and csv" % (" ".join(args) or "no -u, no -Q", want),
              got == [{want}] * 3, got)


def check_options():
    c = both_families("options.pcap", 500)
    s = run(c, "-t", "120", "-d", "7").first
    last = s.datagrams[-1]
    before = s.datagrams[:-1]
    check("options data: sampling goes with every template set, also when it is 1",
          s.told(34) == bytes((0, 0, 0, 1)) and all(bool(d.new_templates) == (34 in d.options) for d in s.datagrams),
          [(d.new_templates, list(d.options)) for d in s.datagrams])
    counted = [number(s.told(field)) for field in (42, 41, 40)]
    check("options data: the last datagram tells flows, datagrams and octets before it",
          last.only_options() and s.has_exactly(c.flows) and
          counted == [1000, len(before), sum(d.size for d in before)], (counted, s.what()))
    check("options data: nothing is lost", [number(s.told(x)) for x in (164, 165, 166, 167, 168)] == [0] * 5, last.options)
    check("options data: timeouts", (number(s.told(36)), number(s.told(37)), number(s.told(35))) == (120, 7, 1),
          last.options)
    check("options data: the boot time is that of every header",
          {d.boot_ms for d in s.datagrams} == {number(s.told(160))} and number(s.told(160)) == START * 1000 - 60000,
          (number(s.told(160)), {d.boot_ms for d in s.datagrams}))
    s = run(c, "-V", "10", "-o", "2").first
    check("options data of IPFIX: apart from flow records, and in domain 0; sampling alone is in theirs, at the start",
          s.has_exactly(c.flows) and not s.gaps() and not any(d.options and d.records for d in s.datagrams) and
          [34 in d.options for d in s.datagrams if d.source_id] == [True] + [False] * (len(s.datagrams) - 3) and
          [(d.source_id, d.only_options()) for d in s.datagrams if not d.source_id] == [(0, True)] * 2,
          [(d.source_id, list(d.options), len(d.records)) for d in s.datagrams])
    s = run(c, "--options-seconds", "0").first
    check("--options-seconds 0: none", s.has_exactly(c.flows) and not any(d.options for d in s.datagrams), s.what())
    broken = Capture("broken.pcap")
    broken.add("10.1.0.1", "10.1.0.2", 1, 2)
    broken.add_frame(bytes(12) + b"\x08\x00" + b"\x45" + bytes(10))     # 11 octets of an IPv4 header
    broken.add_frame(bytes(12) + b"\x08\x00" + b"\x55" + bytes(59))     # version 5
    broken.add_frame(bytes(12) + b"\x08\x06" + bytes(28))              # ARP
    s = run(broken.write()).first
    check("options data: packets that could not be read, and their octets; ARP is none",
          [number(s.told(x)) for x in (164, 165)] == [2, 11 + 60], [number(s.told(x)) for x in (164, 165)])
    s = run(c, "-S", "1:1:4").first
    missing = [c.flows[k] for k in c.flows if k not in s.sums()]
    told = [number(s.told(x)) for x in (166, 167, 168)]
    check("options data: flows, packets and octets that were not sent",
          told == [len(missing), sum(x[0] for x in missing), sum(x[1] for x in missing)] and told[0] > 0, told)


def check_small_table():
    c = many_flows("table.pcap", 1000)
    r = run(c, "-M", "15")
    early, forced = r.stats["source"]["early"], sum(x[3] == 5 for x in r.first.records())
    check("-M 15: all of 1000 flows are exported", r.first.has_exactly(c.flows), r.first.what())
    check("-M 15: closed early, with reason 5, and counted", early > 0 and early == forced,
          "early %d, reason 5 in %d" % (early, forced))
    r = run(c)
    early, forced = r.stats["source"]["early"], sum(x[3] == 5 for x in r.first.records())
    check("no -M: none is closed early", early == forced == 0 and r.first.has_exactly(c.flows),
          "early %d, reason 5 in %d, %s" % (early, forced, r.first.what()))


def check_many():
    c = many_flows("many.pcap", 60000)
    for version in ("9", "5", "10"):
        s = run(c, "-V", version).first
        name = "60000 flows, v%s: every one arrives, the sequence is gapless" % version
        if s.dropped:
            skip(name, "the receiving socket dropped %d datagrams" % s.dropped)
        else:
            check(name, s.has_exactly(c.flows) and not s.gaps(), s.what())
    rows = csv_rows(run(c, "--print", "csv", collectors=0).out)
    got = {csv_key(r): (int(r["packets"]), int(r["bytes"])) for r in rows}
    check("60000 flows: as many csv rows, all different, none overwritten",
          len(rows) == 60000 and got == c.flows, "%d rows, %d different" % (len(rows), len(got)))


def check_waiting():
    """A few records wait for a collector while many pass on their way to the other one."""
    c = Capture("waiting.pcap")
    for i in range(16):
        c.add("10.5.0.%d" % i, "10.6.0.1", 5000 + i, 53, at=i / 1000)
    for i in range(60000):
        c.add("10.7.0.1", "10.7.0.2", 5000, 53, payload=i % 50, at=1 + i * 1.1)
    r = run(c.write(), "-t", "1", "-l", "60", collectors=2)
    few, many = sorted(r.collectors, key=lambda s: len(s.records()))
    check("records that wait long are sent as they were", len(many.records()) > 20000 and
          0 < len(few.records()) < 16 and few.sums() | many.sums() == c.flows, few.what() + "; " + many.what())


def check_refused():
    c = many_flows("refused.pcap", 2000)
    r = run(c, collectors=0, names=[dead_port()])
    x = r.stats["export"]["collectors"][0]
    check("nobody listens: refusals are counted", x["refused"] > 0, x)
    check("nobody listens: a refusal costs the next datagram nothing", x["failed"] == 0, x)
    r = run(c, "-a", names=[dead_port()])
    x = r.stats["export"]["collectors"][0]
    check("nobody listens, -a: refusals are counted", x["refused"] > 0, x)
    check("nobody listens, -a: the other collector has every flow, gapless",
          r.first.has_exactly(c.flows) and not r.first.gaps(), r.first.what())


def sums_hold(e):
    return e["read"] == e["sent"] + sum_of(e["not_exportable"]) + e["failed"] + e["waiting"]


def sum_of(reasons):
    return sum(reasons.values()) if isinstance(reasons, dict) else reasons


def check_sums():
    c = both_families("sums.pcap", 300)
    for version, not_sent in (("5", 300), ("9", 0), ("10", 0)):
        r = run(c, "-a", "-V", version, collectors=2)
        x = r.stats["export"]
        parts = [x] + x["collectors"]
        check("stats-json, v%s: read = sent + failed + not_exportable + waiting" % version,
              all(map(sums_hold, parts)) and x["read"] == 2 * len(c.flows) and x["waiting"] == 0, x)
        check("stats-json, v%s: sent is what arrived, not_exportable what did not" % version,
              all(p["sent"] == len(s.records()) and sum_of(p["not_exportable"]) == not_sent
                  for p, s in zip(x["collectors"], r.collectors)), x)


def check_closed_pipe():
    c = many_flows("pipe.pcap", 20000)
    s = Collector()
    stats = os.path.join(WORK, "pipe.json")
    p = subprocess.Popen([PROBE, "-i", "pcap:" + c.path, "--dont-drop-privileges", "--print", "csv", "--stats-json", stats,
                          "-n", s.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = p.stdout.readline()
    p.stdout.close()
    said = p.stderr.read()
    code = p.wait(60)
    s.end()
    check("--print into a pipe that closes: the collector has every flow",
          line.startswith("vlan,") and s.has_exactly(c.flows), "exit code %d, %s" % (code, s.what()))
    x = exported(stats)
    check("--print into a pipe that closes: what was not printed is said, exit code 1",
          code == 1 and "Broken pipe" in said and not_printed(said) == 20000 - x["printed"] > 0, (code, said, x))


def check_full_disk():
    """Found by review: rows that did not reach a full disk were counted as printed. Here a file may not grow."""
    c, s = many_flows("full.pcap", 2000), Collector()
    stats, out = os.path.join(WORK, "full.json"), os.path.join(WORK, "full.csv")

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

    for args in ((), ("-n", s.name)):
        with open(out, "w") as f:
            p = subprocess.run([PROBE, "-i", "pcap:" + c.path, "--dont-drop-privileges", "--print", "csv", "--stats-json", stats,
                                *args], stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.PIPE, text=True, timeout=60,
                               check=False, restore_signals=False, preexec_fn=small_files)
        with open(out) as f:
            rows = f.read().count("\n") - 1
        x = exported(stats)
        check("--print %s on a full disk: the rows there are counted, the others are said" % " ".join(args[:1]),
              p.returncode == 1 and "File too large" in p.stderr and x["printed"] == rows > 0 and
              not_printed(p.stderr) == x["records"] - rows > 0, (p.returncode, p.stderr, rows, x))
    s.end()
    check("--print on a full disk: the collector has every flow", s.has_exactly(c.flows), s.what())


def exported(stats):
    with open(stats) as f:
        return json.load(f)["export"]


def not_printed(said):
    """The number said, or None."""
    found = re.findall(r"standard output: (?:.*; )?(\d+) flows were not printed", said)
    return int(found[0]) if len(found) == 1 else None


Stopped = collections.namedtuple("Stopped", "code took said text")


class Unread:
    """A program whose standard output is a pipe that is not read, or not until read() is called; full: nor has room."""

    def __init__(self, *command, full=False):
        self.end, end = os.pipe()
        self.before = 0
        if full:
            os.set_blocking(end, False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    self.before += os.write(end, bytes(4096))
            os.set_blocking(end, True)
        self.p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=end, stderr=subprocess.PIPE, text=True)
        os.close(end)

    def stop(self):
        """What happened after SIGTERM, what is in the pipe then."""
        start = time.monotonic()
        self.p.send_signal(signal.SIGTERM)
        try:
            said = self.p.communicate(timeout=10)[1]
        except subprocess.TimeoutExpired:
            self.p.kill()
            said = self.p.communicate()[1]
        took = time.monotonic() - start
        return Stopped(self.p.returncode, took, said, self.read(0)[self.before:])

    def read(self, pause):
        """All of it, with a pause before each half of what the pipe holds."""
        data = []
        with os.fdopen(self.end, "rb", buffering=0) as f:
            while data[-1:] != [b""]:
                time.sleep(pause)
                data.append(f.read(32768))
        return b"".join(data).decode()


def stuck(result, records):
    """The pipe has whole rows, and the other records are said."""
    rows = max(0, result.text.count("\n") - 1)
    return (result.code == 1 and result.took < 5 and result.text[-1:] in ("", "\n") and
            not_printed(result.said) == records - rows and
            result.said.count("flows were not printed, its reader did not take them\n") == 1)


def check_unread_pipe():
    """Found by review: a reader that reads no more stopped the exports, and SIGTERM was not heard."""
    c, s = many_flows("unread.pcap", 60000), Collector()
    stats = os.path.join(WORK, "unread.json")
    command = [PROBE, "-i", "pcap:" + c.path, "--dont-drop-privileges", "--print", "csv", "--stats-json", stats]
    u = Unread(*command)
    time.sleep(0.5)
    waits = u.p.poll() is None
    result = u.stop()
    x = exported(stats)
    check("--print into a pipe nobody reads: it is waited for until SIGTERM", waits and stuck(result, x["records"]),
          (result, x))
    check("--print into a pipe nobody reads: the rows in it are counted", sums_hold(x) and
          0 < x["printed"] == x["sent"] == result.text.count("\n") - 1, (result, x))
    u = Unread(*command, "-n", s.name)
    for _ in range(500):
        time.sleep(0.02)
        if s.raw and time.time() - s.raw[-1][1] > 1:
            break
    result = u.stop()
    s.end()
    name = "--print into a pipe nobody reads: the collector has every flow before SIGTERM"
    if s.dropped:
        skip(name, "the receiving socket dropped %d datagrams" % s.dropped)
    else:
        check(name, s.has_exactly(c.flows) and stuck(result, 60000), (s.what(), result))
    check_slow_reader(c, command)
    # with a collector, one that the machine gives no time to for a third of a second loses rows
    for _ in range(3):
        if check_slow_reader(c, command + ["-n", "127.0.0.1:9"]):
            break
    else:
        check("--print -n: a slow reader gets every flow", False, "not in three runs")


def check_slow_reader(c, command):
    """True when it got every flow; without a collector it has to, and with one what it did not get is said."""
    u = Unread(*command)
    rows = csv_rows(u.read(0.005))
    said = u.p.communicate(timeout=20)[1]
    got = {csv_key(r): (int(r["packets"]), int(r["bytes"])) for r in rows}
    every = not u.p.returncode and got == c.flows and len(rows) == len(c.flows)
    told = "-n" in command and u.p.returncode == 1 and not_printed(said) == len(c.flows) - len(rows)
    check("--print csv%s: a slow reader gets every flow%s" % (" -n" * ("-n" in command), "" if every else ", but for those said"),
          every or told, "exit code %d, %d rows, %s" % (u.p.returncode, len(rows), said))
    return every


def check_unread_signal():
    """Found by review: a file that could not go on without the reader kept SIGHUP and the counters waiting as well."""
    jump, running = Capture("jump.pcap"), []
    for i in range(6000):
        jump.add("10.0.%d.%d" % (i >> 8, i & 255), "192.0.2.1", 1024 + i, 53)
    jump.add("10.0.0.1", "192.0.2.1", 53, 53, at=10000)
    for c in jump.write(), many_flows("end.pcap", 6000):
        config, stats = c.path + ".conf", c.path + ".json"
        with open(config, "w") as f:
            f.write("interface=%s\nprint=csv\n" % c.path)
        running.append((c, stats, Unread(PROBE, "--config", config, "--dont-drop-privileges", "--stats-json", stats)))
    time.sleep(0.5)
    for _, _, u in running:
        u.p.send_signal(signal.SIGHUP)
    time.sleep(11)      # the counters are written every ten seconds
    for c, stats, u in running:
        x, result = exported(stats), u.stop()
        name = "--print into a pipe nobody reads, %s: " % os.path.basename(c.path)
        check(name + "SIGHUP is heard", result.said.count("was read again") == 1 and stuck(result, exported(stats)["records"]),
              result)
        check(name + "counters are written", x["records"] > x["printed"] > 0 and sums_hold(x), x)


def check_full_pipe():
    """Found by review: the line of column names was counted as a flow."""
    c, stats = many_flows("ten.pcap", 10), os.path.join(WORK, "ten.json")
    for format_ in "csv", "json":
        u = Unread(PROBE, "-i", "pcap:" + c.path, "--dont-drop-privileges", "--print", format_, "--stats-json", stats, full=True)
        time.sleep(0.3)
        result, x = u.stop(), exported(stats)
        check("--print %s into a full pipe: ten flows of ten were not printed" % format_,
              stuck(result, 10) and sums_hold(x) and x["printed"] == x["sent"] == 0 and x["failed"] == 10, (result, x))


def check_unread_verify():
    """The same of npkctl verify, which listens."""
    c = many_flows("verify.pcap", 10000)
    u = Unread(os.path.join(os.path.dirname(PROBE), "npkctl"), "verify", "--print", "csv", "udp://127.0.0.1:0")
    port = u.p.stderr.readline().split("]:")[1].split(",")[0]
    subprocess.run([PROBE, "-i", "pcap:" + c.path, "--dont-drop-privileges", "-b", "0", "-n", "127.0.0.1:" + port], check=True)
    time.sleep(0.5)
    result = u.stop()
    flows = int(re.search(r"(\d+) flows, \d+ packets", result.said)[1])
    check("npkctl verify --print into a pipe nobody reads: SIGTERM ends it", stuck(result, flows), result)


# ---- live checks, in a network namespace of their own

class Live:
    """The daemon on lo; it meters once this object exists."""

    def __init__(self, *args, filter=FILTER, keep=True):
        keep = ["--dont-drop-privileges"] if keep else []
        self.out = tempfile.TemporaryFile("w+", dir=WORK)
        self.p = subprocess.Popen([PROBE, "-i", "live:lo", "-b", "1", "-f", filter, *keep, *args],
                                  stdout=self.out, stderr=subprocess.PIPE, text=True)
        self.said, line = "", None
        while "metering" not in self.said and line != "":
            line = self.p.stderr.readline()
            self.said += line
        if "metering" not in self.said:
            self.p.kill()
            raise RuntimeError("live: " + self.said)

    def stop(self):
        self.p.send_signal(signal.SIGINT)
        self.said += self.p.stderr.read()
        code = self.p.wait(30)
        self.out.seek(0)
        if code:
            raise RuntimeError("live: exit code %d: %s" % (code, self.said))
        return self.out.read()


def say(sport, dport, octets=20):
    """One packet on lo; returns the time at which it was sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", sport))
        now = time.time()
        s.sendto(bytes(octets), ("127.0.0.1", dport))
    return now


def check_linger():
    s = Collector()
    live = Live("-d", "1", "-l", "3", "-n", s.name)
    ended = say(5001, 7777)
    time.sleep(2.5)
    say(5002, 7777)         # a second flow must not make the first wait longer
    time.sleep(4.5)
    live.stop()
    s.end()
    after = [d.arrived - ended for d in s.datagrams if any(r[0][2] == 5001 for r in d.records)]
    check("-d 1 -l 3: a flow arrives once, 3.5 to 6 s after its packet",
          len(after) == 1 and 3.5 <= after[0] <= 6, "arrived after %s" % after)


def check_lone_templates():
    often, flood = Collector(), Collector()
    first = Live("--template-seconds", "1", "--options-seconds", "2", "-n", often.name, filter="udp port 7779")
    second = Live("-o", "1", "-n", flood.name, filter="udp port 7779")
    time.sleep(3)
    number_flood = len(flood.raw)
    time.sleep(1)
    number_often = len(often.raw)
    first.stop()
    second.stop()
    often.end()
    flood.end()
    lone = [d for d in often.datagrams[:number_often] if d.new_templates and not d.records]
    options = [d for d in often.datagrams[:number_often] if d.only_options()]
    check("--template-seconds 1, --options-seconds 2, no flows: 2 to 8 and 2 or 3 datagrams in 4 s",
          2 <= len(lone) <= 8 and 2 <= len(options) <= 3 and number_often == len(lone) + len(options),
          "%d and %d of %d datagrams" % (len(lone), len(options), number_often))
    check("-o 1, no flows: at most 4 datagrams in 3 s", number_flood <= 4, "%d datagrams" % number_flood)


def uids(pid):
    with open("/proc/%d/status" % pid) as f:
        return {w[0].rstrip(":"): w[1:] for w in map(str.split, f) if w and w[0] in ("Uid:", "Gid:", "CapEff:")}


def check_live():
    stats = os.path.join(WORK, "live.json")
    live = Live("--print", "csv", "--stats-json", stats, keep=False)
    who = uids(live.p.pid)
    sent = []
    for _ in range(3):
        sent.append(say(6001, 7777))
        say(6001, 7778)
        time.sleep(0.7)
    rows = csv_rows(live.stop())
    with open(stats) as f:
        source = json.load(f)["source"]
    check("live: root is given up", "0" not in who["Uid"] + who["Gid"] and int(who["CapEff"][0], 16) == 0, who)
    got = [(csv_key(r), int(r["packets"])) for r in rows]
    check("live -f: only matching packets are counted", source["seen"] == 3 and
          got == [(("127.0.0.1", "127.0.0.1", 6001, 7777, UDP), 3)], "%s, seen %d" % (got, source["seen"]))
    off = [(float(r["first"]) - sent[0], float(r["last"]) - sent[-1]) for r in rows]
    check("live: first and last are the time of day within 0.2 s",
          len(off) == 1 and all(abs(x) < 0.2 for x in off[0]), off)


def check_live_unread():
    """While nobody reads, metering goes on without being busy; who reads later gets every flow."""
    name, number_ = "live --print into a pipe nobody reads for a while: ", 3000
    command = (PROBE, "-i", "live:lo", "-f", FILTER, "-d", "1", "--dont-drop-privileges", "--print", "csv")
    for later in (True, False):
        u = Unread(*command)
        u.p.stderr.readline()       # "metering"
        for i in range(number_):
            say(20000 + i, 7777)
        time.sleep(2.5)
        before = cpu_seconds(u.p.pid)
        say(19999, 7777)
        time.sleep(2)
        busy = cpu_seconds(u.p.pid) - before
        check(name + "it sleeps", busy < 0.5, "%.2f s of CPU in 2 s" % busy)
        if not later:
            result = u.stop()
            check(name + "SIGTERM ends it", stuck(result, number_ + 1), result)
            continue
        reader = threading.Timer(0.5, u.p.send_signal, (signal.SIGTERM,))
        reader.start()
        rows = csv_rows(u.read(0))
        code = u.p.wait(20)
        u.p.stderr.close()
        check(name + "every flow is there then", not code and len(rows) == number_ + 1 and
              all(r["packets"] == "1" for r in rows), "exit code %d, %d rows" % (code, len(rows)))


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def check_live_sampling():
    stats = os.path.join(WORK, "sampled.json")
    for mode in ("systematic", "random"):
        live = Live("--print", "csv", "--stats-json", stats, "-S", "10", "--sample-mode", mode)
        for i in range(200):
            say(7000 + i, 7777)
        rows = csv_rows(live.stop())
        with open(stats) as f:
            source = json.load(f)["source"]
        ports = sorted(int(r["sport"]) for r in rows)
        check("live -S 10, %s: one packet of each ten" % mode,
              [p // 10 for p in ports] == list(range(700, 720)) and
              (mode == "random" or all(p % 10 == 5 for p in ports)), ports)
        check("live -S 10, %s: the others are counted" % mode,
              source["seen"] == 200 and source["ignored"]["not_sampled"] == 180, source)


def check_if_map():
    """lo has another index, also after it was renamed to a name the map has."""
    s = Collector()
    live = Live("--if-map", "lo=101,npk-lo=102", "-d", "1", "--print", "csv", "-n", s.name)
    say(6003, 7777)
    time.sleep(3)
    # older kernels rename a device only while it is down, which ends the capture
    renamed = not subprocess.run(["ip", "link", "set", "lo", "name", "npk-lo"], check=False).returncode
    time.sleep(1.2)     # names are looked up once a second
    say(6003, 7777)
    rows = csv_rows(live.stop())
    s.end()
    if renamed:
        ip("link", "set", "npk-lo", "name", "lo")
    else:
        skip("--if-map: a renamed device", "this kernel renames no device that is up")
    want = [101, 102 if renamed else 101]
    check("--if-map: a device that is not there is said", "there is no device npk-lo" in live.said and
          "no device lo " not in live.said, live.said)
    check("--if-map: a device%s" % (" and, renamed, its other name" if renamed else ""),
          [int(r["in_if"]) for r in rows] == want and
          [x for d in s.datagrams for x in sorted(d.interfaces)] == [(n, 0) for n in want],
          ([d.interfaces for d in s.datagrams], rows))


def names_told(s):
    return {number(r[10]): tuple(r[x].rstrip(b"\0").decode() for x in (82, 83))
            for d in s.datagrams for r in d.options.get(10, [])}


def live_on_lo(alias, *args):
    """A collector that got a flow of lo, which has an alias; root was given up."""
    ip("link", "set", "lo", "alias", alias)
    s = Collector()
    live = Live("-d", "1", "-n", s.name, *args, keep=False)
    time.sleep(0.5)
    s.early = len(s.raw)
    say(6004, 7777)
    time.sleep(2.5)
    live.stop()
    return s


def check_interface_names():
    alias = "B\u00fcro \u2014 " + "x" * 51     # 61 octets, and in 64 the last one is 0
    s = live_on_lo(alias + "\u00fc\u00fc").end()
    check("interface names: name and alias, cut behind a whole character",
          names_told(s) == {1: ("lo", alias + "\u00fc")}, names_told(s))
    check("interface names: not before there is a record about it",
          s.early and not any(10 in d.options for d in s.datagrams[:s.early]), s.early)
    fields = "%INPUT_SNMP %INTERFACE_NAME %OUTPUT_SNMP"
    for args, want in (((), (1, b"lo")), (("-V", "10"), (1, b"lo")), (("--if-map", "lo=101"), (101, b"lo")), (("-u", "7"), (7, b""))):
        s = live_on_lo("", *args, "-T", fields)
        s.wait()
        want = struct.pack(">I16sI", *want, 0)
        check("interface names in records: " + (" ".join(args) or "-T"), any(want in data for data, _ in s.raw), s.raw)
    for args, want in ((("--if-map", "lo=101"), {101: ("lo", "lo")}), (("-u", "7"), {})):
        s = live_on_lo("", *args).end()
        check("interface names: " + " ".join(args), names_told(s) == want, names_told(s))
    s = live_on_lo("", "-V", "10")
    s.wait()
    want = struct.pack(">I16s64s", 1, b"lo", b"lo")
    check("interface names: -V 10", any(want in data for data, _ in s.raw), "%d datagrams" % len(s.raw))


def check_early_stats():
    stats = os.path.join(WORK, "early.json")
    live = Live("--stats-json", stats, "-n", dead_port())
    until, history = time.monotonic() + 1, []
    while time.monotonic() < until:
        try:
            with open(stats) as f:
                history.append(sums_hold(json.load(f)["export"]))
        except (OSError, ValueError):
            history.append(False)
        time.sleep(0.02)
    live.stop()
    check("stats-json: complete within 1 s of the start, and stays so",
          history[-1] and sorted(history) == history, "%d of %d reads failed" % (history.count(False), len(history)))


def ip(*args):
    subprocess.run(["ip", *args], check=True)


def wait_for(path):
    for _ in range(500):
        if os.path.exists(path):
            return
        time.sleep(0.01)
    raise RuntimeError(path + " does not come")


def check_failed():
    """The way to the collector vanishes before the first flow is sent."""
    c, stats = many_flows("failed.pcap", 500), os.path.join(WORK, "failed.json")
    pipe = os.path.join(WORK, "fifo")
    os.mkfifo(pipe)
    ip("route", "add", "192.0.2.1", "dev", "lo", "src", "127.0.0.1")
    p = subprocess.Popen([PROBE, "-i", "pcap:" + pipe, "--dont-drop-privileges", "--stats-json", stats, "-n",
                          "192.0.2.1:9"], stderr=subprocess.PIPE)
    with open(pipe, "wb") as f:
        f.write(c.frames[0])
        f.flush()
        wait_for(stats)     # opened after the collectors
        ip("route", "replace", "unreachable", "192.0.2.1")
        f.write(b"".join(c.frames[1:]))
    p.stderr.read()
    p.wait(60)
    with open(stats) as f:
        x = json.load(f)["export"]
    check("stats-json, no route: read = failed, nothing sent",
          sums_hold(x) and x["read"] == x["failed"] == 500 and x["sent"] == 0, x)


FILE_CHECKS = (check_all_collectors, check_split, check_mtu, check_template_ids, check_fields, check_engine, check_timeouts,
               check_flow_sampling, check_options, check_interfaces, check_small_table, check_many,
               check_waiting, check_refused, check_sums, check_closed_pipe, check_full_disk, check_unread_pipe,
               check_unread_signal, check_full_pipe, check_unread_verify)
LIVE_CHECKS = (check_linger, check_lone_templates, check_live, check_live_unread, check_live_sampling, check_if_map, check_interface_names,
               check_early_stats, check_failed)


def run_checks(checks):
    for function in checks:
        try:
            function()
        except Exception as e:  # a check that cannot be made has failed, the others still run
            check(function.__name__, False, "%s: %s" % (type(e).__name__, e))


def run_live(script, checks):
    """The live checks, by a script again, inside a new namespace."""
    can = os.geteuid() == 0 and not subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL,
                                                   check=False).returncode
    if can:
        return subprocess.run(["unshare", "-n", sys.executable, script, PROBE, "--live"], check=False).returncode
    for function in checks:
        skip(function.__name__.replace("_", " "), "needs root and a network namespace")
    return 0


def main():
    if "--live" in sys.argv:
        ip("link", "set", "lo", "up")
        run_checks(LIVE_CHECKS)
        return bool(bad)
    run_checks(FILE_CHECKS)
    return bool(bad) | bool(run_live(os.path.abspath(__file__), LIVE_CHECKS))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: export.py PROBE")
    PROBE = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as WORK:
        os.chmod(WORK, 0o755)
        code = main()
    sys.exit(code)
