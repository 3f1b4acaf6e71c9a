# SPDX-License-Identifier: GPL-2.0-only
"""Frames of every kind the parser knows, made from nothing: seeds of the kept corpus."""
import struct

MACS = bytes.fromhex("020000000002020000000001")
IP4, IP6 = 0x0800, 0x86DD
ICMP, TCP, UDP, ICMP6, SCTP = 1, 6, 17, 58, 132


def eth(kind, payload):
    return MACS + struct.pack(">H", kind) + payload


def ip4(proto, payload, frag=0, options=b"", length=None, tos=0x10, swap=False):
    """swap: the other direction."""
    ends = [bytes([192, 0, 2, 1]), bytes([198, 51, 100, 2])]
    if length is None:
        length = 20 + len(options) + len(payload)
    head = struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, tos, length, 0x1234, frag, 64, proto, 0,
                       *ends[::-1 if swap else 1])
    return head + options + payload


def ip6(following, payload, length=None, swap=False):
    address = bytes.fromhex("20010db8") + bytes(11)
    ends = [address + b"\1", address + b"\2"]
    head = struct.pack(">IHBB", 0x6AA12345, len(payload) if length is None else length, following, 63)
    return head + b"".join(ends[::-1 if swap else 1]) + payload


def udp(sport=1000, dport=53, payload=b""):
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def tcp(flags=0x10, sport=1000, dport=80, options=b"", payload=b"", seq=1000, ack=2000):
    words = (20 + len(options)) // 4
    return struct.pack(">HHIIHHI", sport, dport, seq, ack, words << 12 | flags, 65535, 0) + options + payload


def icmp(kind, code):
    return bytes([kind, code]) + bytes(6)


def sctp(sport=2905, dport=2905):
    return struct.pack(">HHII", sport, dport, 7, 0) + bytes.fromhex("03000010000000010000ffff00000000")


def tag(tci, kind, payload):
    return struct.pack(">HH", tci, kind) + payload


def labels(count, payload):
    stack = b"".join(struct.pack(">I", (1000 + i) << 12 | (0x100 if i + 1 == count else 0) | 0x40)
                     for i in range(count))
    return stack + payload


def pppoe(proto, payload):
    return struct.pack(">BBHHH", 0x11, 0, 1, len(payload) + 2, proto) + payload


def extension(following, octets=8):
    """Hop-by-hop, routing or destination options: padding only."""
    return bytes([following, octets // 8 - 1, 1, octets - 4]) + bytes(octets - 4)


def authentication(following):
    return bytes([following, 4]) + bytes(22)


def fragment6(following, offset_and_more, payload):
    return struct.pack(">BBHI", following, 0, offset_and_more, 99) + payload


TIMESTAMPS = bytes.fromhex("0101080a0000000100000002")
SYN_OPTIONS = bytes.fromhex("020405b40402080a000000010000000001030307")
JUMBO = bytes.fromhex("c204") + struct.pack(">I", 65536)


def link_layers():
    inner = ip4(UDP, udp())
    yield "udp4", eth(IP4, inner)
    yield "udp6", eth(IP6, ip6(UDP, udp()))
    yield "padded", eth(IP4, ip4(UDP, udp())) + bytes(18)
    for tags in range(1, 5):
        body, kind = ip6(TCP, tcp()) if tags == 2 else inner, IP6 if tags == 2 else IP4
        for i in range(tags):
            body, kind = tag(0xE00A + i, kind, body), (0x8100, 0x88A8, 0x9100, 0x8100)[i]
        yield f"vlan{tags}", eth(kind, body)
    yield "priority", eth(0x8100, tag(0, IP4, inner))
    for count in (1, 4, 6, 10, 11):
        yield f"mpls{count}", eth(0x8847, labels(count, inner))
    yield "mpls6", eth(0x8848, labels(2, ip6(UDP, udp())))
    yield "pseudo-wire", eth(0x8847, labels(1, bytes(4) + eth(IP4, inner)))
    yield "mpls-in-vlan", eth(0x8100, tag(7, 0x8847, labels(2, inner)))
    yield "pppoe4", eth(0x8864, pppoe(0x0021, inner))
    yield "pppoe6", eth(0x8864, pppoe(0x0057, ip6(UDP, udp())))
    yield "pppoe-mpls", eth(0x8864, pppoe(0x0281, labels(1, inner)))
    yield "pppoe-lcp", eth(0x8864, pppoe(0xC021, bytes(8)))
    yield "pppoe-short", eth(0x8864, struct.pack(">BBHHB", 0x11, 0, 1, 40, 0x21) + inner)
    yield "snap", eth(36, bytes.fromhex("aaaa030000000800") + inner)
    yield "snap-8021h", eth(56, bytes.fromhex("aaaa030000f886dd") + ip6(UDP, udp()))
    yield "snap-vlan", eth(40, bytes.fromhex("aaaa030000008100") + tag(5, IP4, inner))
    yield "llc-ip", eth(31, bytes.fromhex("060603") + inner)
    yield "stp", eth(38, bytes.fromhex("424203") + bytes(35))
    yield "arp", eth(0x0806, bytes.fromhex("0001080006040001") + bytes(20))


def ip_layers():
    yield "options", eth(IP4, ip4(UDP, udp(), options=bytes.fromhex("94040000")))
    yield "all-options", eth(IP4, ip4(TCP, tcp(), options=bytes([1]) * 40))
    yield "short-header", eth(IP4, b"\x44" + ip4(UDP, udp())[1:])
    yield "wrong-version", eth(IP4, ip6(UDP, udp()))
    yield "length-0", eth(IP4, ip4(UDP, udp(), length=0))
    yield "length-large", eth(IP4, ip4(UDP, udp(), length=60000))
    yield "length-small", eth(IP4, ip4(UDP, udp(), length=22))
    for name, frag in ("first", 0x2000), ("middle", 0x2001), ("last", 0x0002), ("dont", 0x4000):
        yield f"fragment4-{name}", eth(IP4, ip4(UDP, udp(payload=bytes(8)), frag=frag))
    for name, word in ("atomic", 0), ("first", 1), ("middle", 9), ("last", 16):
        yield f"fragment6-{name}", eth(IP6, ip6(44, fragment6(UDP, word, udp(payload=bytes(8)))))
    chain = extension(43) + extension(51) + authentication(60) + extension(UDP, 16) + udp()
    yield "extensions", eth(IP6, ip6(0, chain))
    yield "extension-cut", eth(IP6, ip6(0, extension(60)))
    for count in (31, 32, 33):
        yield f"extensions{count}", eth(IP6, ip6(60, extension(60) * (count - 1) + extension(UDP) + udp()))
    yield "no-next", eth(IP6, ip6(59, b""))
    yield "jumbo", eth(IP6, ip6(0, bytes([UDP, 0]) + JUMBO + udp(), length=0))
    wrapping = bytes([UDP, 0]) + bytes.fromhex("c204ffffffff")
    yield "jumbo-wrapping", eth(IP6, ip6(0, wrapping + udp(), length=0))
    padded = bytes([UDP, 1, 0, 1, 0]) + JUMBO + bytes([1, 3, 0, 0, 0])
    yield "jumbo-padded", eth(IP6, ip6(0, padded + udp(), length=0))
    yield "in-ip4", eth(IP4, ip4(41, ip6(UDP, udp())))


def transports():
    for flags in (0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x1FF):
        yield f"tcp-{flags:x}", eth(IP4, ip4(TCP, tcp(flags)))
    yield "tcp-syn-options", eth(IP4, ip4(TCP, tcp(0x02, options=SYN_OPTIONS)))
    for name, options in (("end", "0204058003030e00"), ("end-padded", "01010000ffff0102"), ("other", "fe04123401030310"),
                          ("cut", "0204058001010108"), ("length-0", "0200010101010101"), ("sack", "05120000" + "01" * 16),
                          ("many", "01" * 40)):
        yield f"tcp-syn-{name}", eth(IP4, ip4(TCP, tcp(0x02, options=bytes.fromhex(options))))
    yield "tcp-syn-ack6", eth(IP6, ip6(TCP, tcp(0x52, options=SYN_OPTIONS, payload=b"data")))
    yield "tcp-syn-cut", eth(IP4, ip4(TCP, tcp(0x02, options=SYN_OPTIONS)[:30]))
    yield "tcp-zero", eth(IP4, ip4(TCP, tcp(0x02, seq=0, ack=5), tos=3))
    yield "tcp-timestamps", eth(IP6, ip6(TCP, tcp(0x18, options=TIMESTAMPS, payload=b"x" * 20)))
    bad = bytearray(tcp(0x3F))
    bad[12] = 0x40
    yield "tcp-bad-offset", eth(IP4, ip4(TCP, bytes(bad)))
    yield "tcp-cut", eth(IP4, ip4(TCP, tcp()[:13]))
    yield "ports-cut", eth(IP4, ip4(UDP, b"\0\1\0"))
    yield "icmp", eth(IP4, ip4(ICMP, icmp(8, 0)))
    yield "icmp-unreachable", eth(IP4, ip4(ICMP, icmp(3, 3) + ip4(UDP, udp())))
    yield "icmp6", eth(IP6, ip6(ICMP6, icmp(135, 0)))
    yield "icmp6-in-4", eth(IP4, ip4(ICMP6, icmp(135, 0)))
    yield "sctp", eth(IP4, ip4(SCTP, sctp()))
    yield "udplite", eth(IP4, ip4(136, udp()))
    yield "dccp", eth(IP6, ip6(33, udp() + bytes(8)))
    yield "gre", eth(IP4, ip4(47, bytes.fromhex("00000800") + ip4(UDP, udp())))


def all_frames():
    """Pairs of a name and a frame."""
    yield from link_layers()
    yield from ip_layers()
    yield from transports()
