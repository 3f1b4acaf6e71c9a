#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A VLAN sub-interface for kernels that were built without one.

live.sh uses it only where "ip link add ... type vlan" is not to be had. It makes a TAP device and carries frames
between it and a device in the same namespace, adding the 802.1Q tag on the way out and taking tagged frames of the
same VLAN on the way in. On the wire there is no difference to the kernel's own sub-interface.
"""

import argparse
import ctypes
import errno
import fcntl
import functools
import os
import select
import socket
import struct

ETH_P_ALL = 0x0003
ETH_P_8021Q = 0x8100
TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
SKF_AD_VLAN_TAG = 0xFFFFF000 + 44
MACS = 12
FRAME_MAX = 65536


def open_tap(name):
    """The TAP device's descriptor; the device goes away with it."""
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


def open_wire(device, vid):
    """A packet socket that receives the frames of one VLAN only.

    The kernel has moved the tag of a received frame out of the data before packet sockets see it, so the filter
    looks at the tag there. A frame this socket sends has its tag in the data and does not come back.
    """
    program = [
        (0x20, 0, 0, SKF_AD_VLAN_TAG),  # A = tag
        (0x54, 0, 0, 0x0FFF),  # A &= VLAN id
        (0x15, 0, 1, vid),  # A == vid ?
        (0x06, 0, 0, FRAME_MAX),  # accept
        (0x06, 0, 0, 0),  # ignore
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    wire.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code)))
    wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    wire.bind((device, ETH_P_ALL))
    return wire


def hand_over(send, frame):
    """A device that is down takes no frame: it is lost, as it would be in the kernel."""
    try:
        send(frame)
    except OSError as error:
        if error.errno not in (errno.EIO, errno.ENETDOWN):
            raise


def carry(tap, wire, vid):
    """Forwards until it is killed."""
    tag = struct.pack("!HH", ETH_P_8021Q, vid)
    while True:
        ready, _, _ = select.select([tap, wire], [], [])
        if tap in ready:
            frame = os.read(tap, FRAME_MAX)
            hand_over(wire.send, frame[:MACS] + tag + frame[MACS:])
        if wire in ready:
            hand_over(functools.partial(os.write, tap), wire.recv(FRAME_MAX))


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("device", help="where the tagged frames are")
    args.add_argument("tap", help="name of the sub-interface to make")
    args.add_argument("vid", type=int, help="VLAN id")
    args = args.parse_args()
    carry(open_tap(args.tap), open_wire(args.device, args.vid), args.vid)


if __name__ == "__main__":
    main()
