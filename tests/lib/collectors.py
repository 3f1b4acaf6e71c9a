# SPDX-License-Identifier: GPL-2.0-only
"""nfcapd and tshark, out of the cache, and a recorder of datagrams on their way to a collector."""
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

TOOL = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "packages.sh"), "tool"]


class Recorder(threading.Thread):
    """Keeps every datagram as a pcap file of raw IP packets and passes it on."""

    def __init__(self, path, *to_ports):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(0.2)
        self.port = self.sock.getsockname()[1]
        self.to = to_ports
        self.datagrams = 0
        self.stop = False
        self.out = open(path, "wb")
        self.out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        self.start()

    def run(self):
        while True:
            try:
                data, _ = self.sock.recvfrom(65535)
            except socket.timeout:
                if self.stop:
                    break
                continue
            self.datagrams += 1
            n = 28 + len(data)
            head = struct.pack(">BBHHHBBH4s4sHHHH", 0x45, 0, n, 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1",
                               self.port, self.to[0], 8 + len(data), 0)
            self.out.write(struct.pack("<IIII", int(time.time()), 0, n, n) + head + data)
            for port in self.to:
                self.sock.sendto(data, ("127.0.0.1", port))
                while queued(port) > 100000:
                    time.sleep(0.005)
        self.out.close()

    def finish(self, datagrams):
        end = time.time() + 10
        while self.datagrams < datagrams and time.time() < end:
            time.sleep(0.01)
        self.stop = True
        self.join()


def udp_row(port):
    with open("/proc/net/udp") as f:
        for line in f:
            v = line.split()
            if v[1].endswith(":%04X" % port):
                return v
    return None


def queued(port):
    """Octets waiting in the socket bound to a port."""
    v = udp_row(port)
    return int(v[4].split(":")[1], 16) if v else 0


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(cmd, **kw):
    return subprocess.run(cmd, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw).stdout


class Nfcapd:
    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        os.mkdir(folder)
        self.log = open(folder + ".log", "w+")
        self.proc = subprocess.Popen(TOOL + ["nfcapd", "-w", folder, "-b", "127.0.0.1", "-p", str(self.port), "-t", "3600"],
                                     stdout=self.log, stderr=self.log)
        end = time.time() + 10
        while not udp_row(self.port):
            if self.proc.poll() is not None or time.time() > end:
                sys.exit("nfcapd did not start: " + open(folder + ".log").read())
            time.sleep(0.01)

    def finish(self):
        while queued(self.port):
            time.sleep(0.01)
        time.sleep(0.05)
        self.proc.send_signal(signal.SIGTERM)
        self.proc.wait(10)
        self.log.flush()
        idents = re.findall(r"Ident:.*?Flows: (\d+), Packets: (\d+), Bytes: (\d+), Sequence Errors: (\d+), Bad Packets: (\d+)",
                            open(self.folder + ".log").read())
        return [sum(int(i[k]) for i in idents) for k in range(5)]


def tshark(path):
    return run(TOOL + ["tshark", "-r", path, "-n", "-d", "udp.port==1-65535,cflow", "-Y",
                       "_ws.malformed || _ws.expert.severity >= 4194304 || cflow.no_template_found || !cflow", "-T", "fields",
                       "-e", "frame.number", "-e", "_ws.expert.message"])
