#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Write a capture whose flows lie before, across and after the wrap of sysUptime.

usage: uptime.py OUT.pcap

A capture's sysUptime is 60 s at its first frame, and wraps after 2^32 ms (49.7 days).
"""
import struct
import sys

T0 = 1700000000 * 10**6             # microseconds
WRAP = T0 + (2**32 - 60000) * 1000


def frame(sport):
    udp = struct.pack(">4H", sport, 53, 20, 0) + bytes(12)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 17, 0, bytes((192, 0, 2, 1)), bytes((198, 51, 100, 2)))
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + udp


def main():
    times = [(T0, 1), (T0 + 2500000, 1)]
    day = T0
    while (day := day + 86400 * 10**6) < WRAP + 3 * 86400 * 10**6:
        times += [(day, 2), (day + 1234000, 2)]
    times += [(WRAP - 30 * 10**6, 3), (WRAP - 1000, 4), (WRAP + 1000, 4), (WRAP + 100 * 10**6, 5)]
    times += [(WRAP + s * 10**6, 6) for s in range(-70, 71, 10)]
    with open(sys.argv[1], "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for t, sport in sorted(times):
            data = frame(sport)
            f.write(struct.pack("<4I", t // 10**6, t % 10**6, len(data), len(data)) + data)


main()
