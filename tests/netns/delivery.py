#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
delivery.py PROBE [CHECK...]: collectors that are away, slow, moved, restarted or behind a small MTU.

    here: the daemon                        there: collectors
    va 10.9.0.1, 10.9.0.3 ---------------- vb 10.9.0.2
    vc 10.10.0.1 (1 Mbit/s when asked) --- vd 10.10.0.2     beyond there: 10.11.0.2 behind vf, MTU 1000

All of it is in namespaces of this script's own, also the names of hosts.  Needs root.  One line per check with what
was measured; exit 1 when one failed.
"""
import contextlib
import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
import export  # noqa: E402  captures, decoder, the live daemon
from export import Collector, check, ip, many_flows  # noqa: E402

PACKAGES = os.path.join(TOP, "tests/lib/packages.sh")
CLONE_NEWNET = 0x40000000
SO_MEMINFO, DROPS = 55, 8
MANY = 60000
# how much longer a run with a bad collector beside the good one may take: the machine is not ours alone
SLOWER, SLACK = 2.0, 0.2


class Space:
    """A network namespace that lasts as long as this script."""

    def __init__(self):
        self.keeper = subprocess.Popen(["unshare", "-n", "sleep", "3600"])
        while os.readlink(self.path()) == os.readlink("/proc/self/ns/net"):
            time.sleep(0.01)

    def path(self):
        return "/proc/%d/ns/net" % self.keeper.pid

    def run(self, *args):
        subprocess.run(["nsenter", "--net=" + self.path(), *args], check=True)

    def ip(self, *args):
        self.run("ip", *args)

    def socket(self, family, where):
        """A datagram socket bound over there."""
        made = []

        def make():
            with open(self.path()) as f:
                if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(bound(family, where))
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]

    def end(self):
        self.keeper.kill()
        self.keeper.wait()


def bound(family, where):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, 33, 256 << 20)  # SO_RCVBUFFORCE
    s.bind(where)
    return s


class Sink(Collector):
    """A collector on a socket of any namespace; knows who sent what."""

    def __init__(self, sock):
        self.sock = sock
        self.port = sock.getsockname()[1]
        self.raw, self.datagrams, self.sources, self.ended = [], [], [], False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        self.sock.settimeout(0.1)
        while True:
            try:
                data, source = self.sock.recvfrom(65536)
            except socket.timeout:
                if self.ended:
                    return
                continue
            self.raw.append((data, time.time()))
            self.sources.append(source)

    def drops(self):
        return struct.unpack("9I", self.sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))[DROPS]


def there(address="10.9.0.2", port=0, family=socket.AF_INET):
    return Sink(THERE.socket(family, (address, port)))


def here(address="127.0.0.1", port=0):
    return Sink(bound(socket.AF_INET, (address, port)))


def start(capture, *args, stats="stats.json"):
    return subprocess.Popen([export.PROBE, "-i", "pcap:" + capture, "--dont-drop-privileges", "-V", "9", "--stats-json",
                             os.path.join(export.WORK, stats), *args], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            text=True)


class Run:
    """One run over a capture; .took seconds, .c what --stats-json says of each collector."""

    def __init__(self, capture, *args):
        began = time.monotonic()
        p = start(capture, *args)
        self.err = p.communicate(timeout=120)[1]
        self.took = time.monotonic() - began
        if p.returncode:
            raise RuntimeError("%s: exit code %d: %s" % (" ".join(args), p.returncode, self.err))
        self.c = stats()


def stats(name="stats.json"):
    with open(os.path.join(export.WORK, name)) as f:
        return json.load(f)["export"]["collectors"]


class Daemon(export.Live):
    """The daemon on lo, root given up, with short timeouts; every say() is a flow of its own, soon exported."""

    def __init__(self, *args):
        self.stats_file = os.path.join(export.WORK, "live.json")
        super().__init__("-t", "1", "-d", "1", "-V", "9", "--stats-json", self.stats_file, *args, keep=False)
        self.said_flows = 0

    def say(self, seconds, each=0.05):
        """Flows for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.said_flows += 1
            export.say(10000 + self.said_flows % 50000, 7777)
            time.sleep(each)

    def end(self):
        self.stop()
        with open(self.stats_file) as f:
            return json.load(f)["export"]["collectors"]


def what(c):
    return "read %d, sent %d, failed %d, refused %d, reopened %d" % (
        c["read"], c["sent"], c["failed"], c["refused"], c["reopened"])


def sums(c):
    return c["read"] == c["sent"] + c["failed"] + sum(c["not_exportable"].values()) + c["waiting"]


# ---- where it is sent from

def check_source():
    c = many_flows("source.pcap", 100)
    for to, args, source in (("%s@10.9.0.3", (), "10.9.0.3"), ("%s", ("-q", "10.9.0.3"), "10.9.0.3"),
                             ("%s@10.9.0.1", ("-q", "10.9.0.3:4444"), "10.9.0.1")):
        s = there()
        Run(c.path, *args, "-n", to % ("10.9.0.2:%d" % s.port))
        s.end()
        check("%s %s: sent from %s" % (to, " ".join(args), source), {a for a, _ in s.sources} == {source} and
              s.has_exactly(c.flows), s.sources[:1])
    s = there()
    Run(c.path, "-n", "10.9.0.2:%d@10.9.0.3:4321" % s.port)
    check("@SOURCE:PORT: sent from 10.9.0.3 port 4321", set(s.end().sources) == {("10.9.0.3", 4321)}, s.sources[:1])
    s = there()
    Run(c.path, "-n", "10.9.0.2:%d@:4322" % s.port)
    check("@:PORT: sent from that port", {p for _, p in s.end().sources} == {4322}, s.sources[:1])


    s, other = there(), there()
    Run(c.path, "-a", "-q", "10.9.0.3:4323", "-n", "10.9.0.2:%d,10.9.0.2:%d" % (s.port, other.port))
    check("-q with a port, two collectors: both are sent to from there",
          set(s.end().sources) == set(other.end().sources) == {("10.9.0.3", 4323)}, (s.sources[:1], other.sources[:1]))


def check_ipv6():
    c = many_flows("ipv6.pcap", 2000)
    s = there("fd09::2", family=socket.AF_INET6)
    r = Run(c.path, "-n", "[fd09::2]:%d@[fd09::3]:5555" % s.port)
    got = sizes(s.end())
    check("IPv6: sent from the source asked for", {a[:2] for a in s.sources} == {("fd09::3", 5555)} and
          s.has_exactly(c.flows) and not s.gaps(), s.sources[:1])
    check("IPv6: datagrams fill the MTU", 1452 >= max(got) > 1372 and r.c[0]["payload"] == 1452, "largest %d" % max(got))
    c = Run(c.path, "-n", "[fd09::2]:%d" % s.port).c[0]
    check("IPv6: refusals are heard", c["refused"] > 0 and c["failed"] == 0, what(c))


def check_device():
    """Two ways to one address: the route says va."""
    c = many_flows("device.pcap", 100)
    ip("route", "add", "10.12.0.2", "via", "10.9.0.2")
    ip("route", "add", "10.12.0.2", "via", "10.10.0.2", "metric", "9")
    for suffix, source in (("", "10.9.0.1"), ("%vc", "10.10.0.1")):
        s = there("10.12.0.2")
        Run(c.path, "-n", "10.12.0.2:%d%s" % (s.port, suffix))
        s.end()
        check("HOST:PORT%s: by the device with address %s" % (suffix, source),
              {a for a, _ in s.sources} == {source} and s.has_exactly(c.flows), s.sources[:1])
    subprocess.run(["ip", "route", "flush", "10.12.0.2"], check=True)
    scope = socket.if_nametoindex("va")
    with open("/proc/net/if_inet6") as f:
        local = [row.split()[0] for row in f if row.split()[5] == "va" and row.startswith("fe80")][0]
    local = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(local))
    s = Sink(bound(socket.AF_INET6, (local, 0, 0, scope)))
    Run(c.path, "-n", "[%s%%va]:%d" % (local, s.port))
    check("[fe80::...%va]: a link-local address", s.end().has_exactly(c.flows), s.what())


# ---- how large datagrams are

def sizes(s, since=0):
    return [d.size for d in s.datagrams[since:] if len(d.records) > 2]


def check_mtu():
    c = many_flows("mtu.pcap", 2000)
    for mtu in (1500, 1400, 9000):
        ip("link", "set", "va", "mtu", str(mtu))
        THERE.ip("link", "set", "vb", "mtu", str(mtu))
        s = there()
        Run(c.path, "-n", "10.9.0.2:%d" % s.port)
        got = sizes(s.end())
        check("MTU %d: datagrams fill it" % mtu, mtu - 28 >= max(got) > mtu - 28 - 80 and s.has_exactly(c.flows),
              "largest %d" % max(got))
    ip("link", "set", "va", "mtu", "1500")
    THERE.ip("link", "set", "vb", "mtu", "1500")


def fragments():
    with open("/proc/net/snmp") as f:
        head, row = [line.split() for line in f if line.startswith("Ip:")]
    return int(row[head.index("FragCreates")])


def check_path_mtu():
    """A router on the way has a smaller MTU: it says so once, and what follows has that size."""
    before = fragments()
    s = BEYOND.socket(socket.AF_INET, ("10.11.0.2", 0))
    s.settimeout(0.1)
    sink = Sink(s)
    d = Daemon("-n", "10.11.0.2:%d" % sink.port)
    d.say(6, each=0.002)
    c = d.end()[0]
    got = sizes(sink.end())
    check("a router with MTU 1000: datagrams have 972 octets at most and fill them, none in fragments",
          c["payload"] == 972 and 972 >= max(got) > 892 and fragments() == before,
          "payload %d, largest %d, %d fragments" % (c["payload"], max(got, default=0), fragments() - before))
    lost = c["sent"] - len(sink.records())
    check("a router with MTU 1000: only what was on the way is lost", sink.gaps() <= 4 and lost < 300,
          "%d gaps, %d of %d records; %s" % (sink.gaps(), lost, c["sent"], what(c)))


# ---- one that is away does not slow the other

def tool(name, *args):
    subprocess.run([PACKAGES, "tool", name, *args], check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def route(kind):
    ip("route", "add", kind, "10.8.0.1")
    yield "10.8.0.1:9"
    ip("route", "del", kind, "10.8.0.1")


@contextlib.contextmanager
def rule():
    tool("nft", "add", "table", "inet", "t")
    tool("nft", "add", "chain", "inet", "t", "out", "{ type filter hook output priority 0; }")
    tool("nft", "add", "rule", "inet", "t", "out", "udp", "dport", "9", "drop")
    yield "10.9.0.2:9"
    tool("nft", "delete", "table", "inet", "t")


@contextlib.contextmanager
def dropped_there():
    THERE.run(PACKAGES, "tool", "nft", "add", "table", "inet", "t")
    THERE.run(PACKAGES, "tool", "nft", "add", "chain", "inet", "t", "in", "{ type filter hook input priority 0; }")
    THERE.run(PACKAGES, "tool", "nft", "add", "rule", "inet", "t", "in", "udp", "dport", "9", "drop")
    yield "10.9.0.2:9"
    THERE.run(PACKAGES, "tool", "nft", "delete", "table", "inet", "t")


@contextlib.contextmanager
def slow():
    subprocess.run("tc qdisc replace dev vc root tbf rate 1mbit burst 10k limit 10m".split(), check=True)
    s = there("10.10.0.2")
    yield "10.10.0.2:%d" % s.port
    subprocess.run("tc qdisc del dev vc root".split(), check=True)
    s.end()


@contextlib.contextmanager
def plain(to):
    yield to


def good_run(capture, *names):
    """The quickest of three; the good collector has to get everything in each."""
    best = None
    for _ in range(3):
        s = there()
        r = Run(capture.path, "-a", "-n", ",".join(names + ("10.9.0.2:%d" % s.port,)))
        s.end()
        r.complete = s.has_exactly(capture.flows) and not s.gaps() and not s.dropped
        r.what = s.what()
        if not best or not r.complete or r.took < best.took:
            best = r
        if not r.complete:
            break
    return best


BAD = (("a blackhole route", lambda: route("blackhole")), ("an unreachable route", lambda: route("unreachable")),
       ("a rule that drops what is sent", rule), ("a rule that drops over there", dropped_there),
       ("a host that is off", lambda: plain("10.9.0.77:9")), ("nobody listening", lambda: plain("10.9.0.2:9")),
       ("1 Mbit/s", slow))


def check_beside():
    c = many_flows("beside.pcap", MANY)
    alone = good_run(c)
    check("one collector: everything", alone.complete, alone.what)
    print("    %d records in %.2f s" % (MANY, alone.took))
    for name, bad in BAD:
        with bad() as to:
            r = good_run(c, to)
        b = r.c[0]
        check("beside %s: the other one gets everything" % name, r.complete, r.what)
        check("beside %s: at its own rate" % name, r.took < alone.took * SLOWER + SLACK,
              "%.2f s, alone %.2f s" % (r.took, alone.took))
        check("beside %s: what became of the records is counted" % name, sums(b) and b["read"] == MANY, what(b))
        print("    %.2f s, alone %.2f s; the bad one: %s" % (r.took, alone.took, what(b)))


def check_slow_alone():
    """A file waits for the only collector."""
    c = many_flows("slow.pcap", 4000)
    subprocess.run("tc qdisc replace dev vc root tbf rate 2mbit burst 10k limit 10m".split(), check=True)
    s = there("10.10.0.2")
    r = Run(c.path, "-n", "10.10.0.2:%d" % s.port)
    s.end()
    subprocess.run("tc qdisc del dev vc root".split(), check=True)
    check("2 Mbit/s and nobody else: a file is exported without loss", s.has_exactly(c.flows) and not s.gaps(),
          s.what() + "; " + what(r.c[0]))
    print("    %d records in %.2f s" % (len(c.flows), r.took))


def check_stuck_alone():
    """The only collector's device takes nothing at all any more: the source goes on."""
    subprocess.run("tc qdisc replace dev vc root tbf rate 8bit burst 3000 limit 10m".split(), check=True)
    d = Daemon("--mtu", "576", "-n", "10.10.0.2:9")
    d.say(10.8, each=0.002)     # counters are written after ten seconds
    with open(d.stats_file) as f:
        c = json.load(f)["export"]["collectors"][0]
    check("a device that takes nothing: records wait about as long as -l, then they have failed",
          c["waiting"] < c["read"] / 4 and c["failed"] > c["read"] / 10 and sums(c), "waiting %d, %s" % (c["waiting"], what(c)))
    began = time.monotonic()
    d.end()
    check("a device that takes nothing: SIGINT ends the daemon within 5 s", time.monotonic() - began < 5,
          "%.1f s" % (time.monotonic() - began))
    subprocess.run("tc qdisc del dev vc root".split(), check=True)


def check_pace():
    c = many_flows("pace.pcap", 2000)
    s = there()
    r = Run(c.path, "-e", "20", "-B", "2", "-n", "10.9.0.2:%d" % s.port)
    n = len(s.end().datagrams)
    check("-e 20 -B 2: two datagrams in 20 ms, all of them", s.has_exactly(c.flows) and not s.gaps() and
          r.took >= (n // 2 - 1) * 0.02, "%d datagrams in %.2f s, %s" % (n, r.took, s.what()))
    arrived = [d.arrived for d in s.datagrams]
    most = max(sum(1 for t in arrived if a <= t < a + 0.19) for a in arrived)
    check("-e 20 -B 2: at no time more", most <= 22, "%d datagrams in 0.19 s" % most)


def check_off():
    """The only collector's host does not answer: sent, and known to be lost."""
    d = Daemon("-n", "10.9.0.77:9")
    d.say(6)
    c = d.end()[0]
    check("a host that is off: said and counted", c["unreachable"] > 0 and c["trouble"] and sums(c) and
          "No route to host" in d.said and "did not reach it" in d.said, "%s; %s" % (c, d.said))


def check_stop():
    """A signal while the only collector takes nothing."""
    c = many_flows("stop.pcap", 40000)
    p = start(c.path, "-n", "10.9.0.77:9")
    q = start(c.path, "-e", "1000", "-n", "10.9.0.2:9", stats="paced.json")
    time.sleep(0.7)
    began = time.monotonic()
    for x in (p, q):
        x.terminate()
    codes = [x.wait(20) for x in (p, q)]
    took = time.monotonic() - began
    for x in (p, q):
        x.stderr.close()
    off, paced = stats()[0], stats("paced.json")[0]
    check("SIGTERM: ends within 5 s, whatever waits", codes == [0, 0] and took < 5, "%s after %.1f s" % (codes, took))
    check("SIGTERM: what was not sent is counted", all(sums(s) for s in (off, paced)) and
          paced["failed"], "%s; %s" % (what(off), what(paced)))


# ---- back again

def readable(s, since=0):
    """The first datagram with records brings their templates."""
    first = [d for d in s.datagrams[since:] if d.records]
    return first and first[0].new_templates


def check_refused():
    for args in (), ("-V", "10"), ("-V", "10", "-S", "@2"):
        refused(*args)


def refused(*args):
    name = " ".join(args) + (": " if args else "")
    port = there().end().port
    d = Daemon("-o", "1000000", "--template-seconds", "3600", "-n", "10.9.0.2:%d" % port, *args)
    d.say(4)
    s = there(port=port)
    back = time.time()
    d.say(8)
    c = d.end()[0]
    s.end()
    check(name + "nobody listened for 4 s: the first datagram after that can be read", readable(s), s.what())
    sampled = [d for d in s.datagrams if 34 in d.options]
    check(name + "nobody listened: how packets were sampled is said too, at once where a collector has to multiply",
          sampled and ("-S" not in args or sampled[0].arrived < s.datagrams[0].arrived + 2), s.what())
    first = s.datagrams[0].arrived - back if s.datagrams else 99
    check(name + "nobody listened: heard again within 2.5 s", first < 2.5, "%.2f s" % first)
    late = [x for x in s.datagrams if x.new_templates and x.arrived > back + 7]
    check(name + "nobody listened: after 5 quiet seconds templates are no longer in every datagram", not late and
          s.datagrams[-1].arrived > back + 7, "%d late ones; %s" % (len(late), s.what()))
    check(name + "nobody listened: said once, and its end", d.said.count("Connection refused") == 1 and
          d.said.count("without errors again") == 1, d.said)
    check(name + "nobody listened: counted", c["refused"] > 0 and not c["trouble"] and not c["failed"] and sums(c), what(c))


def check_vanished_source():
    """The address datagrams came from is taken away; another takes its place."""
    s = there(port=0)
    ip("address", "add", "10.9.1.1/24", "dev", "va")
    ip("route", "replace", "10.9.0.2", "dev", "va", "src", "10.9.1.1")
    THERE.ip("route", "replace", "10.9.1.0/24", "dev", "vb")
    d = Daemon("-o", "1000000", "--template-seconds", "3600", "-n", "10.9.0.2:%d" % s.port)
    d.say(3)
    ip("address", "del", "10.9.1.1/24", "dev", "va")
    d.say(4)
    c = d.end()[0]
    s.end()
    ip("route", "replace", "10.9.0.0/24", "dev", "va")
    new = [i for i, a in enumerate(s.sources) if a[0] != "10.9.1.1"]
    check("the source address vanished: sent from another one, templates first", new and
          readable(s, new[0]) and c["reopened"] >= 1, "%s; %s" % (set(s.sources), what(c)))
    check("the source address vanished: the sequence goes on, what failed is missing in it",
          sums(c) and c["sent"] == len(s.records()) and s.gaps() <= c["failed"], "%s; %s" % (s.what(), what(c)))


def check_no_route():
    """At the start there is no route; it comes."""
    s = there("10.12.0.2")
    d = Daemon("-n", "10.12.0.2:%d" % s.port)
    d.say(3)
    ip("route", "add", "10.12.0.2", "via", "10.9.0.2")
    d.say(4)
    c = d.end()[0]
    s.end()
    check("no route at the start: sent once there is one", readable(s) and c["failed"] > 0 and sums(c) and
          c["sent"] == len(s.records()), "%s; %s" % (s.what(), what(c)))


def nfcapd_flows(folder, port, seconds, d):
    """nfcapd for so long, while the daemon has flows; how many nfdump finds in its files."""
    os.makedirs(folder)
    p = subprocess.Popen([PACKAGES, "tool", "nfcapd", "-w", folder, "-b", "127.0.0.1", "-p", str(port), "-t", "300"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    d.say(seconds)
    p.terminate()
    p.wait(20)
    out = subprocess.run([PACKAGES, "tool", "nfdump", "-q", "-R", folder, "-o", "csv"], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    return sum("127.0.0.1" in line for line in out.splitlines())


def check_restarted():
    """nfcapd ends and is started again; refusals are hidden by a rule, so that nobody says anything."""
    port = here().end().port
    tool("nft", "add", "table", "inet", "t")
    tool("nft", "add", "chain", "inet", "t", "in", "{ type filter hook input priority 0; }")
    tool("nft", "add", "rule", "inet", "t", "in", "icmp", "type", "destination-unreachable", "drop")
    d = Daemon("-o", "1000000", "--template-seconds", "3", "-n", "127.0.0.1:%d" % port)
    first = nfcapd_flows(os.path.join(export.WORK, "first"), port, 6, d)
    d.say(2)
    second = nfcapd_flows(os.path.join(export.WORK, "second"), port, 8, d)
    c = d.end()[0]
    tool("nft", "delete", "table", "inet", "t")
    check("nfcapd restarted, nothing refused: flows are read again within the template interval of 3 s",
          first > 40 and second > 60 and c["refused"] == 0, "%d flows, then %d; %s" % (first, second, what(c)))
    print("    %d flows in 6 s, after the restart %d in 8 s" % (first, second))


# ---- names

HOSTS, RESOLV = "/etc/hosts", "/etc/resolv.conf"


def names(text):
    with open(HOSTS, "w") as f:
        f.write("127.0.0.1 localhost\n" + text)


def check_moved():
    old, new, other = here("127.0.0.2"), here("127.0.0.3", 0), here()
    port = old.port
    new.ended = True
    new.thread.join()
    new.sock.close()
    names("127.0.0.2 flows.example.net\n")
    d = Daemon("-a", "-o", "1000000", "--template-seconds", "3600", "-n",
               "flows.example.net:%d,127.0.0.1:%d" % (port, other.port))
    d.say(2)
    new = here("127.0.0.3", port)
    names("127.0.0.3 flows.example.net\n")
    old.end()
    d.say(14)
    c = d.end()
    new.end()
    other.end()
    check("a name that moved after a refusal: sent to the new address, templates first",
          readable(new) and c[0]["address"] == "127.0.0.3:%d" % port and c[0]["reopened"] == 1,
          "%s; %s" % (new.what(), what(c[0])))
    check("a name that moved: the sequence goes on", new.datagrams and new.datagrams[0].sequence > 0,
          new.datagrams and new.datagrams[0].sequence)
    check("a name that moved: the other collector has everything", len(other.records()) == d.said_flows and
          not other.gaps(), "%d flows, %s" % (d.said_flows, other.what()))


def check_deaf_resolver():
    """Names cannot be looked up for a long time: nobody notices."""
    names("127.0.0.2 flows.example.net\n")
    port = dead = here("127.0.0.2").end().port
    other = here()
    d = Daemon("-a", "-n", "flows.example.net:%d,127.0.0.1:%d" % (dead, other.port))
    names("")
    with open(RESOLV, "w") as f:
        f.write("nameserver 10.9.0.77\noptions timeout:5 attempts:2\n")
    d.say(14)
    c = d.end()
    other.end()
    arrived = [x.arrived for x in other.datagrams]
    pause = max(b - a for a, b in zip(arrived, arrived[1:]))
    check("a resolver that does not answer: the other collector has everything",
          len(other.records()) == d.said_flows and not other.gaps(), "%d flows, %s" % (d.said_flows, other.what()))
    check("a resolver that does not answer: no pause worth mentioning", pause < 3, "%.2f s" % pause)
    check("a resolver that does not answer: what was known is kept", c[0]["address"] == "127.0.0.2:%d" % port, c[0])


CHECKS = (check_source, check_ipv6, check_device, check_mtu, check_path_mtu, check_beside, check_slow_alone, check_stuck_alone, check_pace, check_off, check_stop,
          check_refused, check_vanished_source, check_no_route, check_restarted, check_moved, check_deaf_resolver)


def pair(name, address, other, other_address, space, peer=None):
    (peer.ip if peer else ip)("link", "add", name, "type", "veth", "peer", "name", other)
    (peer.ip if peer else ip)("link", "set", "dev", other, "netns", str(space.keeper.pid))
    for run, dev, addr in (((peer.ip if peer else ip), name, address), (space.ip, other, other_address)):
        run("address", "add", addr, "dev", dev)
        run("link", "set", "dev", dev, "up")


def build():
    ip("link", "set", "lo", "up")
    THERE.ip("link", "set", "lo", "up")
    pair("va", "10.9.0.1/24", "vb", "10.9.0.2/24", THERE)
    ip("address", "add", "10.9.0.3/24", "dev", "va")
    for run, dev, addr in ((ip, "va", "fd09::1/64"), (ip, "va", "fd09::3/64"), (THERE.ip, "vb", "fd09::2/64")):
        run("address", "add", addr, "dev", dev, "nodad")
    pair("vc", "10.10.0.1/24", "vd", "10.10.0.2/24", THERE)
    pair("ve", "10.11.0.1/24", "vf", "10.11.0.2/24", BEYOND, THERE)
    THERE.ip("link", "set", "ve", "mtu", "1000")
    BEYOND.ip("link", "set", "dev", "vf", "mtu", "1000")
    THERE.ip("address", "add", "10.12.0.2/32", "dev", "lo")
    THERE.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    BEYOND.ip("route", "add", "default", "via", "10.11.0.1")
    ip("route", "add", "10.11.0.0/24", "via", "10.9.0.2")
    for path in (HOSTS, RESOLV):
        own = os.path.join(export.WORK, os.path.basename(path))
        with open(own, "w") as f:
            f.write("127.0.0.1 localhost\n" if path == HOSTS else "")
        subprocess.run(["mount", "--bind", own, path], check=True)


def main():
    chosen = [f for f in CHECKS if not sys.argv[3:] or f.__name__ in sys.argv[3:]]
    build()
    # link-local addresses are usable once they were found to be unique
    time.sleep(2)
    export.run_checks(chosen)
    return bool(export.bad)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: delivery.py PROBE [CHECK...]")
    if sys.argv[1] != "--inside":
        if os.geteuid():
            print("skipped: network namespaces need root")
            sys.exit(77)
        os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, os.path.abspath(__file__), "--inside", *sys.argv[1:]])
    export.PROBE = os.path.abspath(sys.argv[2])
    THERE, BEYOND = Space(), Space()
    try:
        with tempfile.TemporaryDirectory() as export.WORK:
            os.chmod(export.WORK, 0o755)
            code = main()
            for name in (HOSTS, RESOLV):
                subprocess.run(["umount", name], check=False, stderr=subprocess.DEVNULL)
    finally:
        THERE.end()
        BEYOND.end()
    sys.exit(code)
