#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""How many flows have later fragments that arrive before the first one the truth credits them to.

usage: fragorder.py CAPTURE

Prints the number of (IP version, addresses, protocol) for which a fragment with an offset precedes
a first fragment of the same identification.  The truth credits it to the last of these in the file,
which a streaming meter cannot know of.
Reads classic pcap files of Ethernet, IP behind at most three VLAN tags.
"""
import struct
import sys

EXT6 = {0, 43, 51, 60}


def frames(path):
    with open(path, "rb") as f:
        head = f.read(24)
        end = "<" if head[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        while len(h := f.read(16)) == 16:
            yield f.read(struct.unpack(end + "4I", h)[2])


def ip_of(frame):
    off = 12
    while frame[off:off + 2] in (b"\x81\x00", b"\x88\xa8", b"\x91\x00"):
        off += 4
    return frame[off:off + 2], frame[off + 2:]


def fragment4(p):
    word = struct.unpack(">H", p[6:8])[0]
    if word & 0x3fff:
        return (4, p[12:20], p[9]), p[4:6], word & 0x1fff
    return None


def fragment6(p):
    nxt, off = p[6], 40
    for _ in range(16):
        if off + 8 > len(p):
            return None
        if nxt == 44:
            word = struct.unpack(">H", p[off + 2:off + 4])[0]
            return ((6, p[8:40], p[off]), p[off + 4:off + 8], word >> 3) if word & 0xfff9 else None
        if nxt not in EXT6:
            return None
        nxt, off = p[off], off + ((p[off + 1] + 2) * 4 if nxt == 51 else (p[off + 1] + 1) * 8)
    return None


def main():
    seen, late = set(), set()
    for frame in frames(sys.argv[1]):
        kind, p = ip_of(frame)
        frag = None
        if kind == b"\x08\x00" and len(p) >= 20:
            frag = fragment4(p)
        elif kind == b"\x86\xdd" and len(p) >= 40:
            frag = fragment6(p)
        if not frag:
            continue
        flow, ident, offset = frag
        if offset:
            seen.add((flow, ident))
        elif (flow, ident) in seen:
            late.add(flow)
    print(len(late))


main()
