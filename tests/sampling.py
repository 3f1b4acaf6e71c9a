#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
sampling.py PROBE: what real collectors make of sampling and of options data.

The daemon samples a capture and exports it to nfcapd and to nfacctd, through a
recorder for tshark.  Both collectors must show the counters multiplied by what
was announced, nfdump's flow by flow; tshark must find nothing malformed, no gap
and no missing template.  Interface names are read back from a live export, which
needs root: it runs in a network namespace of its own.  One line per check; exit 1
when one failed.
"""
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))
import export  # noqa: E402 pylint: disable=wrong-import-position
from collectors import TOOL, Nfcapd, Recorder, free_port, run, tshark  # noqa: E402 pylint: disable=wrong-import-position
from nfacctd import Nfacctd  # noqa: E402 pylint: disable=wrong-import-position

FRAMES = 20003
FLOWS = 37


def a_capture():
    """Flows of very different sizes, whose packets come in turns; a few of both directions."""
    c = export.Capture("sampling.pcap")
    for i in range(FRAMES):
        flow = i % (1 + i % FLOWS)
        here, there = "10.0.0.%d" % (1 + flow), "10.1.0.1"
        if i % 5 == 4:
            here, there = there, here
        c.add(here, there, 1000 + flow, 53, payload=i % 1000, at=i / 1000)
    return c.write()


def nfdump_flows(folder):
    flows = {}
    for r in json.loads(run(TOOL + ["nfdump", "-R", folder, "-o", "json"])):
        key = (r["src4_addr"], r["dst4_addr"], r["src_port"], r["dst_port"], r["proto"])
        packets, octets = flows.get(key, (0, 0))
        flows[key] = (packets + r["in_packets"], octets + r["in_bytes"])
    return flows


def csv_flows(text):
    flows, records = {}, 0
    for row in csv.DictReader(io.StringIO(text)):
        key = export.csv_key(row)
        packets, octets = flows.get(key, (0, 0))
        flows[key] = (packets + int(row["packets"]), octets + int(row["bytes"]))
        records += 1
    return flows, records


def times(flows, rate):
    return {key: (packets * rate, octets * rate) for key, (packets, octets) in flows.items()}


class Sampled:
    """One export; what was printed, what each collector shows."""

    def __init__(self, capture, version, source_id, nfacctd_port, *args):
        with tempfile.TemporaryDirectory() as w:
            self.read(w, capture, version, source_id, nfacctd_port, args)

    def read(self, w, capture, version, source_id, nfacctd_port, args):
        nf = Nfcapd(os.path.join(w, "nf"))
        rec = Recorder(os.path.join(w, "x.pcap"), nf.port, nfacctd_port)
        stats = os.path.join(w, "stats.json")
        done = subprocess.run([export.PROBE, "-i", "pcap:" + capture.path, "-V", str(version), "-E", str(source_id), "-n",
                               "127.0.0.1:%d" % rec.port, "--print", "csv", "-b", "0", "--stats-json", stats,
                               "--dont-drop-privileges", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True, timeout=60, check=True)
        with open(stats) as f:
            self.stats = json.load(f)
        rec.finish(self.stats["export"]["collectors"][0]["datagrams"])
        self.gaps, self.broken = nf.finish()[3:]
        self.printed, self.records = csv_flows(done.stdout)
        self.nfdump = nfdump_flows(nf.folder)
        self.tshark = tshark(os.path.join(w, "x.pcap"))

    def sums(self, rate):
        return (self.records, rate * sum(p for p, _ in self.printed.values()), rate * sum(o for _, o in self.printed.values()))


CASES = (
    # arguments, announced, one of how many is metered
    (("-S", "10"), 10, 10),
    (("-S", "10", "--sample-mode", "random"), 10, 10),
    (("-S", "@100"), 100, 1),
    ((), 1, 1),
)


def check_case(capture, version, source_id, port, case):
    args, announced, interval = case
    name = "v%d %s" % (version, " ".join(args) or "no -S")
    s = Sampled(capture, version, source_id, port, *args)
    seen, kept = FRAMES, sum(p for p, _ in s.printed.values())
    source = s.stats["source"]
    export.check(name + ": one of %d frames is metered, the others are counted" % interval,
                 abs(kept * interval - seen) < interval and source["seen"] == seen and
                 source["ignored"]["not_sampled"] == seen - kept and source["accounted"]["packets"] == kept,
                 (kept, source))
    export.check(name + ": nfdump shows every flow times %d" % announced,
                 s.printed and s.nfdump == times(s.printed, announced),
                 [(k, s.printed.get(k), s.nfdump.get(k)) for k in list(s.nfdump)[:3]])
    export.check(name + ": nfcapd finds nothing broken and no gap", not s.broken and not s.gaps, (s.gaps, s.broken))
    export.check(name + ": tshark finds nothing malformed, no gap, no missing template", not s.tshark, s.tshark[:300])
    return s.sums(announced)


def check_files():
    capture, want, port, source_id = a_capture(), {}, free_port(), 0
    with tempfile.TemporaryDirectory() as w:
        nfacctd = Nfacctd(w, port, "nfacctd_renormalize: true\n")
        try:
            for version in (5, 9, 10):
                for case in CASES:
                    source_id += 1
                    want[version, source_id] = check_case(capture, version, source_id, port, case)
            got = nfacctd.wait_for(want)
        finally:
            nfacctd.close()
    for key, sums in want.items():
        export.check("v%d %s: nfacctd renormalises flows, packets and octets to the same sums"
                     % (key[0], " ".join(CASES[(key[1] - 1) % len(CASES)][0]) or "no -S"), got.get(key) == sums,
                     "%s, not %s" % (got.get(key), sums))


def check_names():
    """What nfdump calls the interface of a flow."""
    for version in ("9", "10"):
        with tempfile.TemporaryDirectory() as w:
            nf = Nfcapd(os.path.join(w, "nf"))
            live = export.Live("-V", version, "-d", "1", "-n", "127.0.0.1:%d" % nf.port, keep=False)
            export.say(6005, 7777)
            time.sleep(3)
            live.stop()
            nf.finish()
            shown = run(TOOL + ["nfdump", "-R", nf.folder, "-q", "-N", "-o", "fmt:%sp %in %inam"])
            export.check("v%s: nfdump knows the interface's name" % version, shown.split() == ["6005", "1", "lo"], shown)


def main():
    if "--live" in sys.argv:
        export.ip("link", "set", "lo", "up")
        export.run_checks([check_names])
        return bool(export.bad)
    export.run_checks([check_files])
    return bool(export.bad) | bool(export.run_live(os.path.abspath(__file__), [check_names]))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: sampling.py PROBE")
    os.environ["TZ"] = "UTC"
    export.PROBE = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as export.WORK:
        os.chmod(export.WORK, 0o755)
        code = main()
    sys.exit(code)
