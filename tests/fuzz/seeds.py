#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Inputs for the fuzz targets, in the form tests/fuzz/input.h, meter.c, encode.c and verify.c read.

seeds.py made FOLDER              of frames made from nothing (frames.py)
seeds.py captures FOLDER CAPTURES of the captures CAPTURES/*.pcap, Ethernet only

FOLDER/TARGET is made for every target and filled; of captures for parse and meter.
"""
import hashlib
import os
import struct
import sys

sys.dont_write_bytecode = True  # the tree stays as it is

import frames

PULL, TAG, GSO, CUT, LONG, FAIL = 1, 2, 4, 8, 16, 32
FRAMES_PER_CAPTURE = 150
FRAMES_PER_STREAM = 25
FRAME_MAX = 400         # what the parser looks at is in the first octets
ETHERNET = 1

OP_FRAME, OP_BURST, OP_SWEEP, OP_FLUSH, OP_CONTROL = 0, 4, 5, 6, 7
FRAME_SHAPE, FRAME_DEVICE = 8, 16
FRAGS, CONVS = 4, 8
ROOM, UNLIMITED, EXPIRE, SETTLE, LIMITS, IGNORE, FLUSH_ALL = range(7)

# steps of time in meter.c: the longest that is no longer than the gap is taken
STEPS = (0, 1, 10**6, 67 * 10**6, 5 * 10**8, 10**9, 2 * 10**9, 4 * 10**9, 15 * 10**9, 61 * 10**9)
BACK = 13


def shape(linear=None, more=0, tci=None, gso=None, fail=None):
    """struct shape; gso is (gso_size, segs, gso_hdr_len, gso_min, gso_max)."""
    flags = PULL * (linear is not None) | TAG * (tci is not None) | GSO * (gso is not None) | CUT * (more > 0)
    flags |= FAIL * (fail is not None)
    if more > 0xFFFF:
        flags, more = flags | LONG, min(more // 16, 0xFFFF)
    size, segs, hdr_len, least, most = (*(gso or ()), 0, 0, 0, 0, 0)[:5]
    return struct.pack("<BHHHHHBBHH", flags, linear or 0, more, tci or 0, size, segs, hdr_len, fail or 0, least, most)


def save(folder, data):
    with open(os.path.join(folder, hashlib.sha1(data).hexdigest()), "wb") as file:
        file.write(data)


def op_frame(frame, step=0, how=None, device=1):
    op = OP_FRAME | (FRAME_SHAPE if how else 0) | (FRAME_DEVICE if device == 2 else 0)
    return struct.pack("<BBH", op, step, len(frame)) + (how or b"") + frame


def control(what, *args):
    return bytes([OP_CONTROL | what << 3, *args])


def start(buckets, leave_out=0, idle=3, active=4, room=255, shared=FRAGS | CONVS):
    return bytes([buckets - 1 | shared | leave_out << 4, idle | active << 4, room])


# ------------------------------------------------------------------ made from nothing

def merged_frames():
    """Frames that arrived merged, with what the device says about it."""
    tcp4 = frames.eth(frames.IP4, frames.ip4(frames.TCP, frames.tcp(options=frames.TIMESTAMPS), length=13184))
    jumbo = bytes([frames.TCP, 0]) + bytes.fromhex("c204") + struct.pack(">I", 100028)
    udp6 = frames.eth(frames.IP6, frames.ip6(frames.UDP, frames.udp(), length=2508))
    sctp = frames.eth(frames.IP4, frames.ip4(frames.SCTP, frames.sctp(), length=5000))
    tunnel = frames.eth(frames.IP4, frames.ip4(frames.UDP, frames.udp(dport=4789), length=10000))
    big4 = frames.eth(frames.IP4, frames.ip4(frames.TCP, frames.tcp(), length=0))
    yield tcp4, 13132, (1448, 10, 0)
    yield tcp4, 13132, (1448, 0, 0)
    yield tcp4, 13132, (1448, 65535, 0)
    yield udp6, 2500, (1000, 3, 0)
    yield sctp, 4972, (0xFFFF, 4, 0, 1000, 1400)
    yield tunnel, 9972, (990, 10, 100)
    yield frames.eth(frames.IP6, frames.ip6(0, jumbo + frames.tcp(), length=0)), 100000, (1000, 100, 0)
    yield big4, 70000, (1400, 50, 0)


def made_parse(folder):
    for _, frame in frames.all_frames():
        save(folder, shape() + frame)
        save(folder, shape(linear=14) + frame)
        save(folder, shape(linear=len(frame) // 2, tci=0xE00A) + frame)
        save(folder, shape(linear=20, fail=2) + frame)
        save(folder, shape(more=1000) + frame[:len(frame) - 3])
        save(folder, shape(gso=(1000, 3, 0), more=3000) + frame)
    for frame, more, gso in merged_frames():
        save(folder, shape(more=more, gso=gso) + frame)
        save(folder, shape(linear=30, more=more, gso=gso) + frame)


def made_conversations(folder):
    ip4, ip6, tcp, udp = frames.IP4, frames.IP6, frames.tcp, frames.udp
    there, back = {"sport": 1000, "dport": 80}, {"sport": 80, "dport": 1000, "swap": True}
    ways = [(0x02, 100, 0, b"", there), (0x12, 700, 101, b"", back), (0x10, 101, 701, b"", there),
            (0x18, 101, 701, b"request", there), (0x18, 701, 108, b"answer" * 3, back),
            (0x18, 701, 108, b"answer" * 3, back), (0x18, 704, 108, b"a" * 15, back), (0x10, 107, 719, b"", there),
            (0x11, 108, 719, b"", there), (0x11, 719, 109, b"", back), (0x02, 5000, 0, b"", there)]
    for version in 4, 6:
        ops = []
        for flags, seq, ack, data, way in ways:
            options = frames.SYN_OPTIONS if flags & 2 else frames.TIMESTAMPS
            segment = tcp(flags, way["sport"], way["dport"], options, data, seq, ack)
            swap = way.get("swap", False)
            packet = frames.ip4(frames.TCP, segment, swap=swap) if version == 4 else \
                frames.ip6(frames.TCP, segment, swap=swap)
            ops.append(op_frame(frames.eth(ip4 if version == 4 else ip6, packet), 2))
        save(folder, start(2) + b"".join(ops) + bytes([OP_SWEEP, 6, 4]) + b"".join(ops[:8]))
        save(folder, start(1, active=0) + b"".join(ops[:6]) + bytes([OP_SWEEP, 5, 4]) + b"".join(ops[3:]) +
             control(SETTLE))
    asks = frames.eth(ip4, frames.ip4(frames.UDP, udp(1000, 53, b"question")))
    answers = frames.eth(ip4, frames.ip4(frames.UDP, udp(53, 1000, b"answer"), swap=True))
    save(folder, start(1) + op_frame(asks, 2) + op_frame(answers, 2) + op_frame(asks, 9) + op_frame(answers, 1))
    parts = [frames.eth(ip4, frames.ip4(frames.UDP, udp(payload=bytes(8)), frag=frag)) for frag in (0x2000, 0x2001, 2)]
    parts += [frames.eth(ip6, frames.ip6(44, frames.fragment6(frames.UDP, word, udp(payload=bytes(8)))))
              for word in (1, 9, 16)]
    for step in 1, 8:
        save(folder, start(2) + b"".join(op_frame(part, step) for part in parts + parts[::-1]))
        save(folder, start(2, shared=0) + b"".join(op_frame(part, step) for part in parts + parts[::-1]))
        burst = bytes([OP_BURST, 1, 19, 6])     # the identification counts on
        save(folder, start(1) + op_frame(parts[0], 2) + burst + op_frame(parts[2], step) + burst)


def made_meter(folder):
    every = [frame for _, frame in frames.all_frames()]
    for i in range(0, len(every), 12):
        for buckets in 1, 4:
            save(folder, start(buckets) + b"".join(op_frame(f, 4) for f in every[i:i + 12]))
    udp4 = op_frame(frames.eth(frames.IP4, frames.ip4(frames.UDP, frames.udp())))
    udp6 = op_frame(frames.eth(frames.IP6, frames.ip6(frames.UDP, frames.udp())))
    burst = bytes([OP_BURST, 2, 35, 90])
    burst6 = bytes([OP_BURST, 2, 53, 90])
    again = bytes([OP_BURST, 2, 15, 40])
    sweep = bytes([OP_SWEEP, 8, 4])
    flush = bytes([OP_FLUSH | 1 << 3])
    for buckets in 1, 2, 3, 4:
        save(folder, start(buckets) + udp4 + burst + sweep + burst + sweep)
        save(folder, start(buckets, room=0) + udp6 + burst6 + sweep + control(UNLIMITED) + sweep)
        save(folder, start(buckets) + udp4 + burst + flush + sweep + control(SETTLE))
        save(folder, start(buckets, leave_out=15) + udp4 + again + burst + control(EXPIRE, 2) + burst)
        save(folder, start(buckets, idle=0, active=0) + udp4 + burst + udp6 + burst6 + control(SETTLE))
        save(folder, start(buckets, idle=7, active=7) + udp4 + burst + bytes([OP_SWEEP, 12, 4]) + control(SETTLE))
    other = op_frame(frames.eth(frames.IP4, frames.ip4(frames.UDP, frames.udp(sport=7))), device=2)
    save(folder, start(2) + udp4 + other + flush + sweep + udp4 + other + sweep)
    save(folder, start(3, room=0) + udp4 + burst + other + flush + sweep + control(FLUSH_ALL))
    save(folder, start(1) + udp4 + control(IGNORE) + control(LIMITS, 0, 1) + control(ROOM, 1) + sweep)
    conversation = b"".join(op_frame(frames.eth(frames.IP4, frames.ip4(frames.TCP, frames.tcp(flags))), 2)
                            for flags in (2, 0x10, 0x18, 0x11, 2, 0x10, 4, 2))
    save(folder, start(2) + conversation + bytes([OP_SWEEP, 6, 4]) + conversation + bytes([OP_SWEEP, 10, 4]))
    for frame, more, gso in merged_frames():
        how = shape(more=more, gso=gso)
        save(folder, start(1) + op_frame(frame, 2, how) + op_frame(frame, BACK, how, device=2) + flush + sweep)


# struct npk_rec of a little-endian machine
RECORD = struct.Struct("<6Q16s16s2s2s4BIIHH4IHHII4B6s6sII3I3II3H6B")
SIGN, COMPRESS, OWN_FIELDS, OPTIONS, RESIZE, LARGE = 1, 2, 4, 8, 16, 32
SECOND = 10**9


def record(version, number, packets=10, octets=5000, proto=6):
    """Something different in every field."""
    address = bytes([10, 0, 0, number]) if version == 4 else bytes([32, 1, 13, 184] + 11 * [0] + [number])
    return RECORD.pack(4990 * SECOND, 4999 * SECOND, packets, octets, number, number, address, address, b"\xc0\x01", b"\x01\xbb",
                       proto, 184, version, 3, 3, 70000, 42 if number & 1 else 0xFFFF, 0xFFFF, 0x123450FF, 0, 0, 0, 0x11B, 2,
                       40, 70000, 63, 64, 0, 1, bytes(5) + b"\x01", bytes(5) + b"\x02", number, 0x12345, 6000, 24000, 1999,
                       1, 2, 3, 0x1321, 64240, 1460, 1, 7, 57, 0, 40, 0, 0x0D)


def stream_of(version, flags, size, records, fields=bytes(8), interval=1):
    head = struct.pack("<BBH8sHHQQQ", version, flags, size, fields, interval, 256, 5000 * SECOND, 1699995000 * SECOND, 1400 * SECOND)
    return head + b"".join(records)


def made_encode(folder):
    usual = [record(4, 1), record(6, 2, proto=17), record(4, 3, proto=1), record(6, 4, proto=58)]
    huge = [record(4, 1, 1 << 33, 1 << 37), record(6, 2, 1, 1 << 34), record(4, 3)]
    for version in range(5):
        for flags in (0, SIGN, SIGN | COMPRESS, OPTIONS | SIGN, OWN_FIELDS, RESIZE | LARGE | SIGN, LARGE | SIGN | COMPRESS):
            save(folder, stream_of(version, flags, 4000 if flags & LARGE else 960, usual * 3, bytes(range(version, version + 8)), 1 + version))
        save(folder, stream_of(version, SIGN, 0, huge + usual))
        save(folder, stream_of(version, OWN_FIELDS, 100, usual, bytes(range(30, 38))))


def datagram(data, how=0):
    return struct.pack("<BH", how, len(data)) + data


def made_verify(folder):
    def nflow(*flows):
        body = b"".join(struct.pack(">H", 2 + len(f)) + f for f in flows)
        return struct.pack(">HHIIIIIHH", 24, len(flows), 3600000, 1700000000, 0, 0, 1, 0, 0) + bytes(16) + body

    def items(*pairs):
        return b"".join(struct.pack(">HH", kind, len(value)) + value for kind, value in pairs)

    def nf9(sequence, *sets):
        body = b"".join(struct.pack(">HH", number, 4 + len(s)) + s for number, s in sets)
        return struct.pack(">HHIIII", 9, len(sets), 3600000, 1700000000, sequence, 1) + body

    four = items((8, bytes(4)), (12, b"\x0a\0\0\1"), (7, b"\0\1"), (11, b"\0\2"), (4, b"\6"), (1, bytes(4)), (2, bytes(4)),
                 (22, bytes(4)), (21, bytes(4)))
    six = items((27, bytes(16)), (28, bytes(15) + b"\1"), (60, b"\6"), (31, b"\1\2\3"), (70, b"\1\2\3"), (80, b"\1"), (82, b"\0\1"),
                (83, bytes(4)), (84, bytes(4)), (85, b"\0\0\0\1"), (86, bytes(4)), (88, bytes(4)))
    spec = struct.pack(">HH12H", 256, 6, 8, 4, 27, 16, 1, 8, 22, 4, 57595, 4, 65404, 20)
    options = struct.pack(">HHH4H", 400, 4, 4, 1, 4, 34, 4)
    data = (256, bytes(4) + bytes(15) + b"\1" + bytes(36))
    all_kinds = nf9(0, (0, spec), (1, options), data, (400, bytes(8)))
    for how in (0, SIGN, COMPRESS, SIGN | COMPRESS):
        save(folder, datagram(nflow(four, six), how))
        save(folder, datagram(nflow(four, four) + b"\0", how))
        save(folder, datagram(all_kinds, how) + datagram(nf9(1, data), how) + datagram(nf9(3, data), how))
        save(folder, datagram(nf9(0, data, (300, bytes(9))), how) + datagram(all_kinds, how | 4))
    # fields of every kind; longer than a message of nFlow; more streams than there is room for
    kinds = ((8, 4), (7, 2), (56, 6), (58, 2), (70, 3), (61, 1), (151, 4), (152, 8), (57597, 4), (57552, 2), (60, 1))
    spec2 = struct.pack(">HH", 257, len(kinds)) + b"".join(struct.pack(">HH", *kind) for kind in kinds)
    record2 = bytes(range(1, 1 + sum(size for _, size in kinds)))
    many = [nf9(i, data)[:16] + struct.pack(">I", i) for i in range(66)]
    for how in (0, SIGN, COMPRESS, SIGN | COMPRESS):
        save(folder, datagram(nf9(0, (0, spec2), (257, record2 * 2), (257, b"\xff" * len(record2))), how))
        save(folder, datagram(nf9(0, (0, spec), (256, data[1] * 50)), how))
        save(folder, b"".join(datagram(d, how) for d in many))
    # a recording from other ports, before and after; one out of time; older than its stream
    for how in (SIGN, SIGN | COMPRESS):
        later = bytearray(nf9(5, (0, spec), data))
        later[11] += 9
        save(folder, b"".join(datagram(all_kinds, how | port) for port in (0, 16, 32)) + datagram(nf9(1, data), how))
        save(folder, datagram(bytes(later), how) + datagram(all_kinds, how) + datagram(nf9(6, data), how))
        save(folder, datagram(all_kinds, how | 8) + datagram(nflow(four), how | 8) + datagram(nflow(four), how))
    save(folder, datagram(bytes.fromhex("1f8b0800000000000203")) + datagram(b"\x78\x9c") + datagram(b"\0\5"))


# ------------------------------------------------------------------ captures

def packets(name):
    """Triples of time in ns, octets on the wire, octets captured; nothing when it is not Ethernet."""
    with open(name, "rb") as file:
        data = file.read()
    magic = data[:4]
    order = "<" if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    unit = 1 if magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1000
    if magic not in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"):
        return
    if struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF != ETHERNET:
        return
    at = 24
    while at + 16 <= len(data):
        seconds, part, captured, wire = struct.unpack_from(order + "IIII", data, at)
        yield seconds * 10**9 + part * unit, wire, data[at + 16:at + 16 + captured]
        at += 16 + captured


def step_code(gap):
    if gap < 0:
        return BACK
    return max(i for i, step in enumerate(STEPS) if step <= gap)


def stream(chosen):
    ops, last = [start(1 + len(chosen) % 4)], chosen[0][0]
    for when, wire, frame in chosen:
        frame = frame[:FRAME_MAX]
        how = shape(more=wire - len(frame)) if wire > len(frame) else None
        ops.append(op_frame(frame, step_code(when - last), how))
        last = when
    return b"".join(ops) + bytes([OP_SWEEP, 9, 4])


def capture(name, folder):
    chosen = list(packets(name))
    chosen = chosen[::1 + len(chosen) // FRAMES_PER_CAPTURE]
    for _, wire, frame in chosen:
        frame = frame[:FRAME_MAX]
        save(f"{folder}/parse", shape(more=max(wire - len(frame), 0)) + frame)
        save(f"{folder}/parse", shape(linear=len(frame) // 2, more=max(wire - len(frame), 0)) + frame)
    for i in range(0, len(chosen), FRAMES_PER_STREAM):
        save(f"{folder}/meter", stream(chosen[i:i + FRAMES_PER_STREAM]))


def main():
    if len(sys.argv) != {"made": 3, "captures": 4}.get(sys.argv[1] if len(sys.argv) > 1 else "", 0):
        sys.exit(__doc__.strip())
    folder = sys.argv[2]
    for target in "parse", "meter", "encode", "verify":
        os.makedirs(f"{folder}/{target}", exist_ok=True)
    if sys.argv[1] == "made":
        made_parse(f"{folder}/parse")
        made_meter(f"{folder}/meter")
        made_conversations(f"{folder}/meter")
        made_encode(f"{folder}/encode")
        made_verify(f"{folder}/verify")
        return
    for name in sorted(os.listdir(sys.argv[3])):
        if name.endswith(".pcap"):
            capture(os.path.join(sys.argv[3], name), folder)


if __name__ == "__main__":
    main()
