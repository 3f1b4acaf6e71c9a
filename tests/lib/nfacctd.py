# SPDX-License-Identifier: GPL-2.0-only
"""A private nfacctd (pmacct) that sums what it collects by NetFlow version and source id."""
import collections
import csv
import os
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIG = """daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: %(port)d
nfacctd_time_new: true
nfacctd_pipe_size: 8388608
%(more)splugins: print[t]
aggregate[t]: src_host, dst_host, src_port, dst_port, proto, export_proto_version, export_proto_sysid, flows
print_output[t]: csv
print_output_file[t]: %(file)s
print_output_file_append[t]: true
print_refresh_time[t]: 1
"""


class Nfacctd:
    """Listens on a port of loopback once this object exists; its files go into a folder."""

    def __init__(self, folder, port, more=""):
        self.file = os.path.join(folder, "nfacctd.csv")
        config = os.path.join(folder, "nfacctd.conf")
        with open(config, "w") as f:
            f.write(CONFIG % {"port": port, "file": self.file, "more": more})
        with open(os.path.join(folder, "nfacctd.log"), "w") as log:
            self.proc = subprocess.Popen([os.path.join(HERE, "packages.sh"), "tool", "nfacctd", "-f", config],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.time() + 20
        while not listening(port):
            if self.proc.poll() is not None or time.time() > end:
                raise RuntimeError("nfacctd did not start: see %s/nfacctd.log" % folder)
            time.sleep(0.05)

    def sums(self):
        """(version, source id) -> (flows, packets, octets), of all that was written so far."""
        total = collections.defaultdict(lambda: [0, 0, 0])
        if not os.path.exists(self.file):
            return {}
        with open(self.file, newline="") as f:
            for row in csv.DictReader(f):
                if row["FLOWS"] in (None, "FLOWS"):     # a line half written, the header once more
                    continue
                key = int(row["EXPORT_PROTO_VERSION"]), int(row["EXPORT_PROTO_SYSID"])
                for i, name in enumerate(("FLOWS", "PACKETS", "BYTES")):
                    total[key][i] += int(row[name] or 0)
        return {key: tuple(value) for key, value in total.items()}

    def wait_for(self, want, seconds=15):
        """Its sums, as soon as they are these; rows come once a second."""
        end = time.time() + seconds
        while self.sums() != want and time.time() < end:
            time.sleep(0.2)
        return self.sums()

    def close(self):
        """SIGTERM leaves its core behind."""
        self.proc.send_signal(signal.SIGINT)
        try:
            self.proc.wait(3)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()


def listening(port):
    with open("/proc/net/udp") as f:
        return any(line.split()[1].endswith(":%04X" % port) for line in list(f)[1:])
