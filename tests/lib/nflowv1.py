# SPDX-License-Identifier: GPL-2.0-only
"""nFlow v1 messages, read without the library: for tests that judge what it sends."""
import collections
import hashlib
import struct
import zlib

MESSAGE_MAX, FLOWS_MAX = 1400, 30
HEADER, DIGEST = 44, slice(28, 44)

# flows: each a list of (type, octets)
Message = collections.namedtuple("Message", "uptime_ms unix_ms sequence source interval flows")


def _items(data, at):
    """One flow's items, and where the next flow begins."""
    end, items = at + struct.unpack_from(">H", data, at)[0], []
    at += 2
    while at < end:
        kind, length = struct.unpack_from(">HH", data, at)
        items.append((kind, data[at + 4:at + 4 + length]))
        at += 4 + length
    if at != end or end > len(data):
        raise ValueError("a flow's last item goes beyond it")
    return items, end


def read(data, key=b"", plain=False):
    """The message of a datagram; ValueError or zlib.error when it is not as it has to be."""
    data = data if plain else zlib.decompress(data)
    version, count, uptime, seconds, nanoseconds, sequence, source, interval = struct.unpack_from(">HHIIIIIH", data)
    if version != 24 or hashlib.md5(data[:28] + key[:16].ljust(16) + data[HEADER:]).digest() != data[DIGEST]:
        raise ValueError("version %d, or a bad digest" % version)
    if len(data) > MESSAGE_MAX or count > FLOWS_MAX:
        raise ValueError("%d octets, %d flows" % (len(data), count))
    flows, at = [], HEADER
    while at < len(data):
        items, at = _items(data, at)
        flows.append(items)
    if len(flows) != count:
        raise ValueError("the header says %d flows, not %d" % (count, len(flows)))
    return Message(uptime, seconds * 1000 + nanoseconds // 1000000, sequence, source, interval, flows)
