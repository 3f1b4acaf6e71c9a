#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Large captures for benchmarks.

usage: capture.py repeat CAPTURE OUT.pcap PACKETS    CAPTURE (pcap, little endian) as often as it takes
       capture.py newflows OUT.pcap PACKETS          every packet a new flow: UDP of 60 octets, 20,000 packets a second

Prints how many packets OUT has. Time goes on from one repetition to the next.
"""
import struct
import sys

RATE = 20000
START = 1600000000


def repeat(name, out, packets):
    with open(name, "rb") as f:
        data = f.read()
    if data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        sys.exit("%s is not a little-endian pcap file" % name)
    frames, at = [], 24
    while at < len(data):
        seconds, _, captured, _ = struct.unpack_from("<IIII", data, at)
        frames.append((at - 24, seconds))
        at += 16 + captured
    seconds = [s for _, s in frames]
    step = max(seconds) - min(seconds) + 1
    copy = bytearray(data[24:])
    put = struct.Struct("<I").pack_into
    times = -(-packets // len(frames))
    with open(out, "wb") as f:
        f.write(data[:24])
        for n in range(times):
            for where, s in frames:
                put(copy, where, s + n * step)
            f.write(copy)
    return times * len(frames)


def checksum(header):
    total = sum(struct.unpack("!10H", header))
    while total > 0xffff:
        total = (total >> 16) + (total & 0xffff)
    return total ^ 0xffff


def newflows(out, packets):
    ether = bytes.fromhex("020000000001" "020000000002" "0800")
    ip = struct.Struct("!BBHHHBBHII")
    rest = struct.pack("!HHHH18x", 4000, 53, 26, 0)  # UDP, no checksum
    with open(out, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(packets):
            fields = [0x45, 0, 46, 0, 0, 64, 17, 0, 0x0a000000 + i, 0xc0000201]
            fields[7] = checksum(ip.pack(*fields))
            f.write(struct.pack("<IIII", START + i // RATE, i % RATE * (1000000 // RATE), 60, 60))
            f.write(ether + ip.pack(*fields) + rest)
    return packets


def main():
    if sys.argv[1:2] == ["repeat"] and len(sys.argv) == 5:
        print(repeat(sys.argv[2], sys.argv[3], int(sys.argv[4])))
    elif sys.argv[1:2] == ["newflows"] and len(sys.argv) == 4:
        print(newflows(sys.argv[2], int(sys.argv[3])))
    else:
        sys.exit(__doc__)


main()
