# SPDX-License-Identifier: GPL-2.0-only
"""NetFlow v5 and v9 out of a capture of the datagrams, and Ethernet captures at all: for tests that judge times and
fields which collectors do not show."""
import collections
import ipaddress
import struct

Datagram = collections.namedtuple("Datagram", "at version uptime_ms unix_ns records options")
Frame = collections.namedtuple("Frame", "at length data")

# v9 field types that are numbers under these names; 8, 12, 27, 28 are addresses
FIELDS = {1: "octets", 2: "packets", 4: "proto", 5: "tos", 6: "tcp_flags", 7: "sport", 11: "dport", 21: "last", 22: "first",
          25: "min_len", 26: "max_len", 60: "ipver", 136: "end_reason"}
ADDRESSES = {8: "src", 27: "src", 12: "dst", 28: "dst"}


class Options(list):
    """The fields of an options template."""


def frames(path):
    """Frames of a pcap file: when (ns), how long on the wire, and what was captured."""
    with open(path, "rb") as f:
        data = f.read()
    magic, link = struct.unpack_from("<I", data)[0], struct.unpack_from("<I", data, 20)[0]
    scale = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[magic]
    if link != 1:
        raise ValueError("%s: link type %d" % (path, link))
    at = 24
    while at + 16 <= len(data):
        seconds, part, captured, length = struct.unpack_from("<IIII", data, at)
        yield Frame(seconds * 1000000000 + part * scale, length, data[at + 16:at + 16 + captured])
        at += 16 + captured


def _v5(data):
    count, uptime, seconds, nanoseconds = struct.unpack_from(">HIII", data, 2)
    records = []
    for at in range(24, 24 + 48 * count, 48):
        src, dst = (str(ipaddress.ip_address(data[at + n:at + n + 4])) for n in (0, 4))
        packets, octets, first, last, sport, dport = struct.unpack_from(">IIIIHH", data, at + 16)
        records.append(dict(src=src, dst=dst, packets=packets, octets=octets, first=first, last=last, sport=sport,
                            dport=dport, tcp_flags=data[at + 37], proto=data[at + 38]))
    return uptime, seconds * 1000000000 + nanoseconds, records, []


def _templates(body, templates):
    at = 0
    while at + 4 <= len(body):
        number, count = struct.unpack_from(">HH", body, at)
        templates[number] = [struct.unpack_from(">HH", body, at + 4 + 4 * i) for i in range(count)]
        at += 4 + 4 * count


def _data(body, fields):
    size = sum(length for _, length in fields)
    for at in range(0, len(body) - size + 1, size):
        record = {}
        for kind, length in fields:
            value = body[at:at + length]
            at += length
            if kind in ADDRESSES:
                record[ADDRESSES[kind]] = str(ipaddress.ip_address(value))
            elif kind in FIELDS:
                record[FIELDS[kind]] = int.from_bytes(value, "big")
        yield record


def _options_template(body, templates):
    number, scopes, fields = struct.unpack_from(">HHH", body)
    templates[number] = Options(struct.iter_unpack(">HH", body[6:6 + scopes + fields]))


def _options(body, fields):
    """One record of what the exporter says of itself: octets by field type, without the scope."""
    record, at = {}, 0
    for i, (kind, length) in enumerate(fields):
        if i:
            record[kind] = body[at:at + length]
        at += length
    return record


def _v9(data, templates):
    uptime, seconds = struct.unpack_from(">II", data, 4)
    records, options, at = [], [], 20
    while at + 4 <= len(data):
        kind, length = struct.unpack_from(">HH", data, at)
        if length < 4:
            raise ValueError("a set of %d octets" % length)
        body = data[at + 4:at + length]
        if kind == 0:
            _templates(body, templates)
        elif kind == 1:
            _options_template(body, templates)
        elif kind > 255 and isinstance(templates[kind], Options):
            options.append(_options(body, templates[kind]))
        elif kind > 255:
            records += _data(body, templates[kind])
        at += length
    return uptime, seconds * 1000000000, records, options


def datagrams(path):
    """The datagrams in a capture of IPv4 and UDP on Ethernet, oldest first; times in them stay as they are."""
    templates = {}
    for frame in frames(path):
        data = frame.data[14 + 4 * (frame.data[14] & 15) + 8:]
        version = struct.unpack_from(">H", data)[0]
        yield Datagram(frame.at, version, *(_v5(data) if version == 5 else _v9(data, templates)))
