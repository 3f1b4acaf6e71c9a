#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What of a capture a veth can carry.

usage: carry.py CAPTURE OUT.pcap [MOST]

Copies the frames that a veth with the largest MTU there is (65535) takes from a packet socket, MOST of them at most, and
says how many that are and which ones are left out, with the reason. The first line is "FRAMES LEFT-OUT", sentences
follow. Frames that were cut when they were captured have that length in OUT: no more can go over a wire.
"""
import struct
import sys

ETH_HLEN = 14
LONGEST = 65535 + ETH_HLEN


def frames(data, order):
    at = 24
    while at + 16 <= len(data):
        captured, length = struct.unpack_from(order + "II", data, at + 8)
        if at + 16 + captured > len(data):
            sys.exit("the file ends inside a frame")
        yield data[at:at + 16 + captured], captured, length
        at += 16 + captured


def byte_order(data):
    if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        return "<"
    if data[:4] in (b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d"):
        return ">"
    sys.exit("not a pcap file")


def main():
    with open(sys.argv[1], "rb") as f:
        data = f.read()
    most = int(sys.argv[3]) if len(sys.argv) > 3 else 1 << 62
    rest = 0
    short, long, kept, cut = [], [], [data[:24]], 0
    for record, captured, length in frames(data, byte_order(data)):
        if len(kept) > most:
            rest += 1
        elif captured < ETH_HLEN:
            short.append(captured)
        elif captured > LONGEST:
            long.append(captured)
        else:
            kept.append(record[:12] + record[8:12] + record[16:])
            cut += captured < length
    with open(sys.argv[2], "wb") as f:
        f.write(b"".join(kept))
    print(len(kept) - 1, len(short) + len(long) + rest)
    if rest:
        print("frames left out: %d: only the first %d are taken" % (rest, most))
    if short:
        print("frames left out: %d: shorter than an Ethernet header (%s octets)" % (len(short), ", ".join(map(str, short))))
    if long:
        print("frames left out: %d: longer than the %d octets a veth carries (%s)" % (len(long), LONGEST, ", ".join(map(str, long))))
    if cut:
        print("frames cut by the capture: %d, they go as long as they are in it" % cut)


main()
