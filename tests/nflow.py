#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
nflow.py PROBE NPKCTL [CAPTURE...]: nFlow and nflow9 from the daemon through a verifier.

Exports a capture with flows of both IP versions, and each CAPTURE, in every form of nFlow
and nflow9.  A decoder of its own (hashlib, hmac and zlib) and npkctl verify must both find
the flows of --print csv behind a good digest; then datagrams are altered, left out, repeated
and checked with wrong keys, which npkctl must notice.  One line per check; exit 1 when one
failed.
"""
import collections
import hashlib
import hmac
import os
import random
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

sys.dont_write_bytecode = True  # the tree stays as it is
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import export  # noqa: E402 pylint: disable=wrong-import-position
import nflowv1  # noqa: E402 pylint: disable=wrong-import-position

KEY = "a key of 24 octets, here"
TRAILER = 72
# what is exported, with which options, whether it is signed
FORMS = (("nflow", (), False), ("nflow", ("--nflow-key", KEY), True),
         ("nflow", ("--nflow-key", KEY, "--nflow-plain"), True), ("nflow9", (), False),
         ("nflow9", ("--nflow-key", KEY), True), ("nflow9", ("--nflow9-zlib",), False),
         ("nflow9", ("--nflow-key", KEY, "--nflow9-zlib", "--mtu", "576"), True))
Run = collections.namedtuple("Run", "name capture version args signed datagrams rows")


# ---- exporting

def run_daemon(capture, version, args, port):
    done = subprocess.run([export.PROBE, "-i", "pcap:" + capture, "--dont-drop-privileges", "-b", "0", "-V", version, "-E", "77",
                           "--mtu", "1500", *args, "--print", "csv", "-n", "127.0.0.1:%d" % port], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    return export.csv_rows(done.stdout)


def export_to_memory(capture, version, args, signed):
    sink = export.Collector()
    rows = run_daemon(capture, version, args, sink.port)
    sink.ended = True
    sink.thread.join()
    lost = sink.drops()
    sink.sock.close()
    if lost:
        raise RuntimeError("the receiving socket dropped %d datagrams" % lost)
    name = "%s, %s" % (" ".join([version, *(a for a in args if a != KEY)]), os.path.basename(capture))
    return Run(name, capture, version, args, signed, [data for data, _ in sink.raw], rows)


def flow(src, dst, sport, dport, proto, packets, octets, flags, first_ms, last_ms):
    return (src, dst, sport, dport, proto, packets, octets, flags, first_ms, last_ms)


def flows_of(rows):
    """csv rows, sorted; times in milliseconds."""
    def ms(text):
        return int(text.split(".")[0]) * 1000 + int(text.split(".")[1][:3])
    return sorted(flow(*export.csv_key(r), int(r["packets"]), int(r["bytes"]), int(r["tcp_flags"] or "0", 16),
                       ms(r["first"]), ms(r["last"])) for r in rows)


# ---- a decoder that has nothing in common with the library

def own_decoder(run):
    """The flows of an nFlow v1 run; a ValueError says what is wrong."""
    flows = []
    for data in run.datagrams:
        m = nflowv1.read(data, KEY.encode() if run.signed else b"", "--nflow-plain" in run.args)
        if m.sequence != len(flows) or m.source != 77:
            raise ValueError("sequence %d after %d flows, source %d" % (m.sequence, len(flows), m.source))
        for items in map(dict, m.flows):
            number = {kind: export.number(value) for kind, value in items.items()}
            flows.append(flow(export.address(items.get(8) or items[27]), export.address(items.get(12) or items[28]), number[7],
                              number[11], number[4], number[2], number[1], number[6],
                              m.unix_ms - m.uptime_ms + number[22], m.unix_ms - m.uptime_ms + number[21]))
    return sorted(flows)


def digests_of_nflow9(run):
    """Every datagram's HMAC, with its last octets taken for zero."""
    for data in run.datagrams:
        plain = zlib.decompress(data) if data[:1] == b"\x78" else data
        good = hmac.new(KEY.encode(), plain[:-32] + bytes(32), hashlib.sha256).digest()
        if plain[-32:] != good or struct.unpack_from(">H", plain, len(plain) - 44)[0] != 0xFF02:
            return False
    return True


# ---- npkctl

# link types: number, what is before the IPv4 header, before the IPv6 header
ETHERNET = (1, bytes(12) + b"\x08\x00", bytes(12) + b"\x86\xdd")
LINKS = {"Ethernet": ETHERNET, "QinQ": (1, bytes(12) + b"\x88\xa8\0\1\x81\0\0\2\x08\x00", bytes(12) + b"\x81\0\0\1\x86\xdd"),
         "Linux cooked": (113, bytes(14) + b"\x08\x00", bytes(14) + b"\x86\xdd"),
         "Linux cooked v2": (276, b"\x08\x00" + bytes(18), b"\x86\xdd" + bytes(18)),
         "null": (0, b"\2\0\0\0", b"\x1e\0\0\0"), "raw": (101, b"", b"")}


def write_pcap(datagrams, cut=None, link=ETHERNET, ipv6=False, at=0, ports=()):
    """A capture of datagrams; of those after number @cut only 60 octets; all @at seconds after START; from @ports."""
    path = os.path.join(export.WORK, "verify.pcap")
    frames = [export.pcap_head()[:20] + struct.pack("<I", link[0])]
    ends = ("2001:db8::1", "2001:db8::2") if ipv6 else ("127.0.0.1", "127.0.0.2")
    for i, data in enumerate(datagrams):
        udp = struct.pack(">HHHH", ports[i] if ports else 40000, 2055, 8 + len(data), 0) + data
        frame = link[1 + ipv6] + export.ip_packet(*ends, 17, udp) + bytes(3)    # padding of the link
        kept = frame[:60] if cut is not None and i >= cut else frame
        frames.append(struct.pack("<IIII", export.START + at, i, len(kept), len(frame)) + kept)
    with open(path, "wb") as f:
        f.write(b"".join(frames))
    return path


Verified = collections.namedtuple("Verified", "code rows counts err")


def parse_counts(err):
    found = re.search(r"(\d+) datagrams: (\d+) valid, (\d+) bad digest, (\d+) unsigned, (\d+) malformed, "
                      r"(\d+) stale, (\d+) replayed; (\d+) sequence gaps, (\d+) sets without template; (\d+) flows", err)
    names = ("datagrams", "valid", "bad", "unsigned", "malformed", "stale", "replayed", "gaps", "untold", "flows")
    return dict(zip(names, map(int, found.groups()))) if found else {}


def verify(datagrams, *args, **how):
    done = subprocess.run([NPKCTL, "verify", *args, "--print", "csv", write_pcap(datagrams, **how)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    return Verified(done.returncode, export.csv_rows(done.stdout), parse_counts(done.stderr), done.stderr)


def key_args(run, key=KEY):
    return ("--key", key) if run.signed else ()


def check_run(run):
    want = flows_of(run.rows)
    if run.version == "nflow":
        try:
            got = own_decoder(run)
        except (ValueError, struct.error, zlib.error) as e:
            got = str(e)
        export.check("%s: own decoder: %d flows, digests" % (run.name, len(want)), got == want, str(got)[:300])
    elif run.signed:
        export.check("%s: own HMAC of %d datagrams" % (run.name, len(run.datagrams)), digests_of_nflow9(run))
    v = verify(run.datagrams, *key_args(run))
    good = run.version == "nflow" or run.signed
    expected = {"datagrams": len(run.datagrams), "valid": len(run.datagrams) * good, "bad": 0,
                "unsigned": len(run.datagrams) * (not good), "malformed": 0, "stale": 0, "replayed": 0, "gaps": 0,
                "untold": 0, "flows": len(want)}
    export.check("%s: npkctl verify: %d datagrams %s" % (run.name, len(run.datagrams), "valid" if good else "unsigned"),
                 v.code == (not good or not run.datagrams) and v.counts == expected, "exit code %d, %s" % (v.code, v.err))
    export.check("%s: npkctl verify: the flows of --print csv" % run.name, flows_of(v.rows) == want,
                 "%d flows, not %d" % (len(v.rows), len(want)))


# ---- what must be noticed

def check_keys(run):
    for key in ("wrong", KEY[:-1] if run.version == "nflow9" else KEY[1:], KEY + "x" if run.version == "nflow9" else "x" + KEY):
        v = verify(run.datagrams, "--key", key)
        export.check("%s: key \"%s\": every digest is bad, no flow is shown" % (run.name, key),
                     v.code == 1 and v.counts.get("bad") == len(run.datagrams) and not v.rows, v.err)
    v = verify(run.datagrams)
    export.check("%s: no key: every digest is bad, which is said" % run.name,
                 v.code == 1 and v.counts.get("bad") == len(run.datagrams) and "no --key" in v.err, v.err)


def means(data):
    """What a datagram says; a compressed one has bits at its end that say nothing."""
    try:
        return zlib.decompress(data) if data[:1] == b"\x78" else data
    except zlib.error:
        return None


def altered(datagrams, rng):
    """A copy with one octet of one datagram changed."""
    which = rng.randrange(len(datagrams))
    data = bytearray(datagrams[which])
    while means(bytes(data)) == means(datagrams[which]):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return datagrams[:which] + [bytes(data)] + datagrams[which + 1:]


def check_altered(run, times=40):
    rng, missed = random.Random(24), []
    for _ in range(times):
        v = verify(altered(run.datagrams, rng), *key_args(run))
        if v.code != 1 or v.counts.get("valid") != len(run.datagrams) - 1:
            missed.append(v.err)
    export.check("%s: one octet altered, %d times: that datagram is not valid" % (run.name, times), not missed, missed[:1])


def check_order(run):
    d = run.datagrams
    for what, changed in (("left out", d[:1] + d[2:]), ("swapped", [d[0], d[2], d[1]] + d[3:])):
        v = verify(changed, *key_args(run))
        export.check("%s: a datagram %s: exit code 1, sequence gaps" % (run.name, what),
                     v.code == 1 and v.counts.get("gaps", 0) > 0 and v.counts["valid"] == len(changed), v.err)
    v = verify(d, *key_args(run), cut=1)
    export.check("%s: captured too short: not valid" % run.name,
                 v.code == 1 and v.counts.get("valid") == 1, v.err)


def check_replayed(run):
    """What is sent again, soon or after all, from the same port or others, is named and shows no flow twice."""
    d, n = run.datagrams, len(run.datagrams)
    want = flows_of(verify(d, *key_args(run)).rows)
    for what, changed, ports in (("a datagram, at once", d[:2] + d[1:], ()), ("all datagrams", d + d, ()),
                                 ("all, from a port of its own each", d + d, [40000] * n + [*range(1000, 1000 + n)]),
                                 ("each, from a port of its own", [x for x in d for _ in (0, 1)],
                                  [port for i in range(n) for port in (40000, 1000 + i)])):
        v = verify(changed, *key_args(run), ports=ports)
        export.check("%s: sent again: %s: replayed, shown once" % (run.name, what),
                     v.code == 1 and (v.counts.get("valid"), v.counts["replayed"], v.counts["gaps"]) ==
                     (n, len(changed) - n, 0) and flows_of(v.rows) == want, v.err)


def check_window(run):
    for at, stale in ((0, False), (3600, True), (-3600, True)):
        v = verify(run.datagrams, *key_args(run), "--window", "600", at=at)
        export.check("%s: captured %d s after it was sent: %s" % (run.name, at, "stale" if stale else "in the window"),
                     v.code == stale and v.counts["stale" if stale else "valid"] == len(run.datagrams) and bool(v.rows) != stale, v.err)


def check_links(run):
    for name, link in LINKS.items():
        for ipv6 in False, True:
            v = verify(run.datagrams, *key_args(run), link=link, ipv6=ipv6)
            export.check("captured as %s, IPv%d: valid" % (name, 6 if ipv6 else 4),
                         v.code == 0 and v.counts["valid"] == len(run.datagrams), v.err)
    v = verify(run.datagrams, *key_args(run), link=(147, b"", b""))
    export.check("captured as something else: refused", v.code == 1 and "link type" in v.err, v.err)


def check_live(capture, version):
    p = subprocess.Popen([NPKCTL, "verify", "--key", KEY, "--print", "csv", "udp://127.0.0.1:0"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    hurry = threading.Timer(60, p.kill)     # a row that never comes is a failure, and no end of all tests
    hurry.start()
    try:
        said = p.stderr.readline()
        port = int(re.search(r"listening on udp://\[127.0.0.1\]:(\d+)", said).group(1))
        rows = run_daemon(capture, version, ("--nflow-key", KEY), port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:     # the last to arrive
            s.sendto(b"end", ("127.0.0.1", port))
        got = [p.stdout.readline() for _ in range(1 + len(rows))]
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=20)
    finally:
        hurry.cancel()
        p.kill()
    counts = parse_counts(err)
    export.check("%s live: the flows of --print csv arrive" % version,
                 flows_of(export.csv_rows("".join(got) + out)) == flows_of(rows), "%d of %d lines" % (len(got), len(rows)))
    export.check("%s live: what is no export is malformed, the rest valid; Ctrl-C ends it with 1" % version,
                 p.returncode == 1 and counts.get("malformed") == 1 and counts["valid"] == counts["datagrams"] - 1, err)


def check_late_reader():
    """Found by testing: what the reader had no room for at once came with the next datagram only, if there was one."""
    capture = export.many_flows("late.pcap", 2000).path
    p = subprocess.Popen([NPKCTL, "verify", "--key", KEY, "--print", "csv", "udp://127.0.0.1:0"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        port = int(re.search(rb"listening on udp://\[127.0.0.1\]:(\d+)", p.stderr.readline()).group(1))
        rows = run_daemon(capture, "nflow9", ("--nflow-key", KEY), port)
        time.sleep(1)       # nobody reads
        got, at = b"", time.monotonic()
        while got.count(b"\n") <= len(rows) and select.select([p.stdout], [], [], 3)[0]:
            got += os.read(p.stdout.fileno(), 65536)
        took = time.monotonic() - at
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=20)
    finally:
        p.kill()
    export.check("a reader that comes late gets every row without another datagram",
                 got.count(b"\n") == 1 + len(rows) and took < 3, "%d rows of %d in %.1f s" % (got.count(b"\n"), 1 + len(rows), took))


def main(captures):
    made = export.both_families("nflow.pcap", 400)
    for version, args, signed in FORMS:
        run = export_to_memory(made.path, version, args, signed)
        check_run(run)
        if signed:
            check_keys(run)
        if signed or version == "nflow":
            check_altered(run)
            check_order(run)
            check_replayed(run)
            check_window(run)
    check_links(run)
    check_late_reader()
    for version in "nflow", "nflow9":
        check_live(made.path, version)
        for capture in captures:
            check_run(export_to_memory(capture, version, ("--nflow-key", KEY), True))
    return export.bad


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: nflow.py PROBE NPKCTL [CAPTURE...]")
    export.PROBE, NPKCTL = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as export.WORK:
        code = bool(main(sys.argv[3:]))
    sys.exit(code)
