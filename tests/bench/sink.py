#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A NetFlow v9 collector that only counts.

usage: sink.py

Prints the port of 127.0.0.1 it listens on, takes every datagram until standard input ends, then decodes them and prints
one line: datagrams, flow records, packets and octets in them, and datagrams the socket had no room for.
"""
import select
import socket
import struct
import sys

ROOM = 512 << 20  # octets of datagrams, so that slow decoding loses nothing
SO_MEMINFO = 55
DROPS = 8  # index in what SO_MEMINFO returns
OCTETS, PACKETS = 1, 2  # IN_BYTES, IN_PKTS


def receive(sock):
    datagrams = []
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    poll.register(sys.stdin, select.POLLIN | select.POLLHUP)
    ended = False
    while True:
        ready = {fd for fd, _ in poll.poll(0 if ended else None)}
        if sock.fileno() in ready:
            try:
                while True:
                    datagrams.append(sock.recv(65536))
            except BlockingIOError:
                pass
        elif ended:
            return datagrams
        if sys.stdin.fileno() in ready and not ended:
            ended = True
            poll.unregister(sys.stdin)


def learn(templates, source, data):
    """Templates of a flowset: of each its record's length, and where its two counters are."""
    at = 0
    while at + 4 <= len(data):
        ident, nr = struct.unpack_from("!HH", data, at)
        at += 4
        if ident < 256:  # padding
            return
        length, where = 0, {}
        for kind, size in struct.iter_unpack("!HH", data[at:at + 4 * nr]):
            where[kind] = slice(length, length + size)
            length += size
        at += 4 * nr
        templates[source, ident] = length, where.get(PACKETS), where.get(OCTETS)


def number(record, where):
    return int.from_bytes(record[where], "big") if where else 0


def decode(datagrams):
    templates, records, packets, octets = {}, 0, 0, 0
    for data in datagrams:
        version, _, _, _, _, source = struct.unpack_from("!HHIIII", data)
        if version != 9:
            sys.exit("sink: a datagram of version %d" % version)
        at = 20
        while at + 4 <= len(data):
            ident, size = struct.unpack_from("!HH", data, at)
            flowset = data[at + 4:at + size]
            at += max(size, 4)
            if ident == 0:
                learn(templates, source, flowset)
            elif ident == 1:  # an options template: its records are no flows
                templates[source, struct.unpack_from("!H", flowset)[0]] = None
            elif templates.get((source, ident)):
                length, where_packets, where_octets = templates[source, ident]
                for i in range(0, len(flowset) - length + 1, length):
                    record = flowset[i:i + length]
                    records += 1
                    packets += number(record, where_packets)
                    octets += number(record, where_octets)
            elif (source, ident) not in templates:
                sys.exit("sink: records before their template %d" % ident)
    return records, packets, octets


def main():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, 33, ROOM)  # SO_RCVBUFFORCE
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    print(sock.getsockname()[1], flush=True)
    datagrams = receive(sock)
    dropped = struct.unpack("9I", sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))[DROPS]
    print(len(datagrams), *decode(datagrams), dropped)


main()
