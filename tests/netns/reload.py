#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
reload.py PROBE: SIGHUP, in a network namespace without a name.

Under load, collectors come, go and get other templates: every record of --print csv is
in exactly one datagram, and streams that stay have no gap.  What cannot change, or is
wrong, is said and nothing else happens.  One line per check; exit 1 when one failed.
"""
import collections
import hmac
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import export
from export import Collector, Live, check, csv_key, csv_rows, ip, say, sums_hold

FIELDS = "%LAST_SWITCHED %FIRST_SWITCHED %FLOW_END_REASON %IN_PKTS %IN_BYTES %PROTOCOL %L4_DST_PORT %L4_SRC_PORT " \
         "%OUTPUT_SNMP %INPUT_SNMP %IPV4_DST_ADDR %IPV4_SRC_ADDR"


class Daemon(Live):
    """The daemon with a configuration file and nothing else but args; a thread reads what it says."""

    def __init__(self, lines, *args, keep=True, before=None):
        self.path = os.path.join(export.WORK, "reload.conf")
        self.write("-i=live:lo", '-f="%s"' % export.FILTER, *lines)
        self.out, self.lines = tempfile.TemporaryFile("w+", dir=export.WORK), []
        keep = ["--dont-drop-privileges"] if keep else []
        self.p = subprocess.Popen([export.PROBE, "--config", self.path, *keep, *args], stdout=self.out,
                                  stderr=subprocess.PIPE, text=True, preexec_fn=before)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if not self.wait("metering", 0):
            raise RuntimeError("live: %s" % self.lines)

    def wait(self, word, since):
        for _ in range(1000):
            for line in self.lines[since:]:
                if word in line:
                    return line
            time.sleep(0.01)
        return None

    def write(self, *lines):
        with open(self.path, "w") as f:
            f.write("\n".join(lines) + "\n")
        os.chmod(self.path, 0o644)

    def read(self):
        for line in self.p.stderr:
            self.lines.append(line)

    def hup(self, word, *lines, source=("-i=live:lo", '-f="%s"' % export.FILTER)):
        """Send SIGHUP, with these lines in the file if there are any; what it says with this word, or None."""
        if lines:
            self.write(*source, *lines)
        before = len(self.lines)
        self.p.send_signal(signal.SIGHUP)
        return self.wait(word, before)

    def stop(self):
        self.p.send_signal(signal.SIGINT)
        code = self.p.wait(30)
        self.reader.join()
        self.out.seek(0)
        if code:
            raise RuntimeError("exit code %d: %s" % (code, self.lines))
        return self.out.read()


class Load(threading.Thread):
    """Flows of one to three packets, all different."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ended, self.flows = False, 0
        self.start()

    def run(self):
        while not self.ended:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.bind(("127.1.%d.%d" % (self.flows // 200 % 200, self.flows % 200 + 1), 20000 + self.flows % 20011))
                for i in range(self.flows % 3 + 1):
                    s.sendto(bytes(i), ("127.0.0.1", 7777))
            self.flows += 1
            time.sleep(0.0005)

    def end(self):
        self.ended = True
        self.join()


def stats_of(path):
    with open(path) as f:
        return json.load(f)


def first_of_flows(c, since=0):
    """The first datagram that is about flows, and not of options data."""
    return ([d for d in c.datagrams if d.arrived >= since and (d.new_templates or d.records)] + [None])[0]


def has_templates_at(c, since):
    """Datagrams with templates after a moment."""
    return [d for d in c.datagrams if d.new_templates and d.arrived >= since]


def records(sinks):
    return collections.Counter(r[:3] for s in sinks for r in s.records())


def check_under_load():
    a, b, c = Collector(), Collector(), Collector()
    stats, base = os.path.join(export.WORK, "stats.json"), ["-d=1", "-l=1", "-o=1000", "--template-seconds=1000"]
    d = Daemon(base + ["-n=%s,%s" % (a.name, b.name)], "--print", "csv", "--stats-json", stats)
    load, done, times = Load(), [], []
    steps = [(b, c, a), (b, c), (c, b), ("bad",), (c, b, "-T=" + FIELDS), (c, b, "-o=50"), (c, b, a, "-u=7"), (b, c)]
    for step in steps:
        time.sleep(1.5)
        times.append(time.time())
        if step[0] == "bad":
            done.append(d.hup("nothing was changed", *base, "-n=" + a.name, "-d=never"))
            continue
        names = ",".join(x.name for x in step if isinstance(x, Collector))
        done.append(d.hup("was read again", *base, *[x for x in step if isinstance(x, str)], "-n=" + names))
    time.sleep(1)
    load.end()
    rows = csv_rows(d.stop())
    for s in (a, b, c):
        s.end()
    x = stats_of(stats)["export"]
    printed = collections.Counter((csv_key(r), int(r["packets"]), int(r["bytes"])) for r in rows)
    check("load: eight reloads, each said once", None not in done and len(d.lines) == len(done) + 2, (done, d.lines))
    check("load: enough of it", len(printed) > 1000 and load.flows == len(printed), "%d flows, %d rows" % (load.flows, len(rows)))
    got = records((a, b, c))
    check("load: every record printed is in one datagram, and only there", got == printed and not a.dropped + b.dropped + c.dropped,
          "%d missing, %d too many, %s" % (len(printed - got), len(got - printed), "; ".join(s.what() for s in (a, b, c))))
    check("load: collectors that stay have no gap, other templates and counts included", not b.gaps() and not c.gaps(),
          b.what() + "; " + c.what())
    check("load: a new collector gets templates first", first_of_flows(c) and first_of_flows(c).new_templates, c.what())
    check("load: one that comes back, too", first_of_flows(a, times[6]) and
          first_of_flows(a, times[6]).new_templates, a.what())
    check("load: nothing more for one that went", not [e for e in a.datagrams if times[1] + 1 < e.arrived < times[6]], a.what())
    check("load: templates again at every signal, the bad one included",
          all(has_templates_at(s, t) and has_templates_at(s, t)[0].arrived < t + 1.2 for s in (b, c) for t in times[1:]),
          [[round(e.arrived - times[0], 2) for e in s.datagrams if e.new_templates] for s in (b, c)])
    then = [{i for e in b.datagrams if times[n] + 0.5 < e.arrived < times[n + 1] for i in e.interfaces} for n in (5, 6)]
    check("load: -u from then on", then[1] == {(7, 0)} and (7, 0) not in then[0], then)
    check("load: counters add up, those of the former collectors included",
          sums_hold(x) and all(map(sums_hold, x["collectors"])) and x["sent"] == len(rows) and x["failed"] == 0 and
          x["sent"] == x["former"]["sent"] + sum(s["sent"] for s in x["collectors"]) and sums_hold(x["former"]) and
          x["former"]["sent"] == len(a.records()), x)


def check_format():
    s = Collector()
    d = Daemon(["-d=1", "-n=" + s.name, "-V=9"])
    say(6101, 7777)
    time.sleep(3)
    d.hup("was read again", "-d=1", "-n=" + s.name, "-V=5", "-E=3:4")
    say(6102, 7777)
    time.sleep(3)
    d.stop()
    s.end()
    got = [(e.version, r[0][2]) for e in s.datagrams for r in e.records]
    check("another format: a stream of its own", got == [(9, 6101), (5, 6102)] and s.datagrams[-1].sequence == 0, got)


def check_mtu():
    s = Collector()
    d = Daemon(["-d=1", "-n=" + s.name])
    load = Load()
    time.sleep(3)
    d.hup("was read again", "-d=1", "-n=" + s.name, "--mtu=576", "-e=1")
    at = time.time()
    time.sleep(3)
    load.end()
    d.stop()
    s.end()
    before, then = ([e.size for e in s.datagrams if (e.arrived < at) == b] for b in (True, False))
    check("--mtu: smaller datagrams in the same stream", max(before) > 548 and 400 < max(then) <= 548 and not s.gaps(),
          "%s, %s, %s" % (max(before), max(then), s.what()))


def check_timeouts():
    s = Collector()
    d = Daemon(["-d=60", "-n=" + s.name])
    d.hup("was read again", "-d=1", "-n=" + s.name)
    say(6201, 7777)
    time.sleep(3.5)
    early = len(s.raw)
    d.hup("was read again", "-d=60", "-n=" + s.name)
    say(6202, 7777)
    time.sleep(3.5)
    late = [bytes(data) for data, _ in s.raw[early:]]
    d.stop()
    s.end()
    got = [r[0][2] for e in s.datagrams for r in e.records]
    check("-d 60, then 1, then 60: flows end by the timeout of their time",
          got == [6201, 6202] and not any((6202).to_bytes(2, "big") in data for data in late), got)


def check_kept():
    s = Collector()
    d = Daemon(["-d=1", "-n=" + s.name], "--print", "csv")
    d.hup("was read again", "--frag=zero", "-d=1", "-n=" + s.name, "-S=2", source=("-i=live:none", "-f=udp port 1"))
    kept = [w for line in d.lines if "cannot change" in line for w in line.split() if w.startswith("-")]
    say(6301, 7777)
    time.sleep(3)
    rows = csv_rows(d.stop())
    s.end()
    check("what cannot change is said by name, and stays",
          kept == ["-i", "-f", "--frag", "-S"], d.lines)
    check("and the flows go on", len(rows) == 1 and len(s.records()) == 1, (rows, s.what()))


def check_refusals():
    s = Collector()
    d = Daemon(["-n=" + s.name], keep=False)
    for lines, word in ((["-n=" + s.name, "--no-such"], "reload.conf:4: unknown option --no-such"),
                        (["-n=none", "--stats-json=/dev/null"], "-n (collector): from none to some"),
                        (["-n=no-such-host.invalid"], "no-such-host.invalid: no such host"),
                        (["-n=%s,192.0.2.1@198.51.100.1" % s.name], "198.51.100.1"),
                        (["-n=" + s.name, "--stats-json=/none/stats"], "/none/stats: No such file"),
                        (["-n=" + s.name, "-d=0"], "reload.conf:4: -d (idle-timeout)"),
                        (["-n=" + s.name, "-T=%NO_SUCH_FIELD"], "NO_SUCH_FIELD")):
        before = len(d.lines)
        line = d.hup("nothing was changed", *lines)
        all_said = "".join(d.lines[before:])
        check("refused: %s" % word, line and word in all_said, d.lines[before:])
    os.chmod(d.path, 0o600)
    line = d.hup("nothing was changed")
    check("a file that can no longer be read is named, and why", line and "%s: Permission denied" % d.path in line, line)
    os.remove(d.path)
    line = d.hup("nothing was changed")
    check("a file that is gone, too", line and "%s: No such file" % d.path in line, line)
    line = d.hup("was read again", "-n=localhost:%d,%s" % (s.port, s.name))
    check("and when it is there again, with a name that has to be looked up, it is taken", line, d.lines)
    d.stop()
    s.end()
    with open(d.path, "w") as f:
        os.chmod(d.path, 0o600)
        f.write("-n=%s\n" % s.name)
    p = subprocess.Popen([export.PROBE, "-i", "live:lo", "--config", d.path], stderr=subprocess.PIPE, text=True)
    lines = [p.stderr.readline(), p.stderr.readline()]
    p.send_signal(signal.SIGINT)
    p.communicate()
    check("a file that cannot be read again is said at the start", any("SIGHUP will change nothing" in x and d.path in x for x in lines),
          lines)


def check_pipe():
    path, said, s = os.path.join(export.WORK, "pipe.conf"), [], Collector()
    os.mkfifo(path)
    p = subprocess.Popen([export.PROBE, "--config", path, "--dont-drop-privileges"], stderr=subprocess.PIPE, text=True)
    with open(path, "w") as f:
        f.write("-i=live:lo\n-n=%s\n" % s.name)
    while "metering" not in "".join(said):
        said.append(p.stderr.readline())
    p.send_signal(signal.SIGHUP)
    said.append(p.stderr.readline())
    p.send_signal(signal.SIGINT)
    p.communicate()
    s.end()
    check("options out of a pipe are not read again", "%s: a pipe cannot be read again; nothing was changed" % path in said[-1] and
          p.returncode == 0, said)


def check_key():
    """A key that root alone can read outlives a reload without root; one that can be read is read again."""
    key, s = os.path.join(export.WORK, "key"), Collector()
    with open(key, "w") as f:
        os.chmod(key, 0o600)
        f.write("one\n")
    lines = ["-d=1", "-V=nflow9", "--nflow-key=@" + key, "-n=" + s.name]
    d = Daemon(lines, keep=False)
    kept = d.hup("was read again", *lines)
    time.sleep(0.3)
    at = len(s.raw)
    with open(key, "w") as f:
        os.chmod(key, 0o644)
        f.write("two\n")
    read = d.hup("was read again", *lines)
    time.sleep(0.3)
    d.stop()
    s.ended = True
    s.thread.join()
    signed = [next((k for k in (b"one", b"two") if hmac.new(k, data[:-32] + bytes(32), "sha256").digest() == data[-32:]), None)
              for data, _ in s.raw]
    check("a key that can no longer be read stays, one that can is read", kept and read and None not in signed and
          set(signed[:at]) == {b"one"} and signed[-1] == b"two" and signed == sorted(signed), (signed, at, d.lines))


def check_key_pipe():
    """Found by review: a key out of a pipe was read twice, and again on SIGHUP, for ever."""
    one, two, s = os.path.join(export.WORK, "one.key"), os.path.join(export.WORK, "two.key"), Collector()
    os.mkfifo(one)
    os.mkfifo(two)
    threading.Thread(target=lambda: open(one, "w").write("one\n"), daemon=True).start()
    lines = ["-d=1", "-V=nflow9", "-n=" + s.name]
    d = Daemon(lines, "--nflow-key", "@" + one)
    kept = d.hup("was read again", *lines)
    os.remove(one)
    kept = kept and d.hup("was read again", *lines)
    d.stop()
    s.wait()
    good = [hmac.new(b"one", data[:-32] + bytes(32), "sha256").digest() == data[-32:] for data, _ in s.raw]
    check("a key out of a pipe is read once, and stays", kept and len(good) > 2 and all(good), (good, d.lines))
    d = Daemon(lines)
    refused = d.hup("nothing was changed", *lines, "nflow-key = @" + two)
    d.stop()
    check("a key that is to be read out of a pipe only later is refused",
          refused and "reload.conf:6: --nflow-key: %s: only a regular file" % two in refused, d.lines)


def check_no_file():
    for version in "9", "10":
        no_file(version)


def no_file(version):
    s = Collector()
    live = Live("-V", version, "-n", s.name, "-l", "60", "--template-seconds", "600")
    time.sleep(0.5)
    at = time.time()
    live.p.send_signal(signal.SIGHUP)
    time.sleep(1.5)
    live.stop()
    s.end()
    sent = [e.arrived - at for e in s.datagrams if e.new_templates]
    check("SIGHUP without a file, v%s: templates again, at once" % version, len(sent) == 2 and 0 < sent[1] < 1.2, sent)
    for field, what in (34, "sampling"), (160, "other options data"):
        sent = [e.arrived - at for e in s.datagrams if field in e.options][1:]
        check("SIGHUP without a file, v%s: %s too" % (version, what), sent and 0 < sent[0] < 1.2, sent)


def check_no_thread():
    """Found by review: where there was no thread to look a name up, the daemon waited for the answer."""
    s, dead = Collector(), export.dead_port().replace("127.0.0.1", "localhost")
    lines = ["-n=%s,%s" % (s.name, dead)]
    # a limit that counts once root is given up
    d = Daemon(lines, keep=False, before=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (0, 0)))
    refused = d.hup("nothing was changed", "-n=%s,localhost:%d" % (s.name, s.port))
    d.write("-i=live:lo", '-f="%s"' % export.FILTER, *lines)
    d.p.send_signal(signal.SIGHUP)      # templates, which nobody takes: so it asks again
    kept = d.wait("to look it up again", 0)
    time.sleep(2)
    said = "".join(d.lines).count("to look it up again")
    d.stop()
    s.end()
    check("no thread to look a new collector up: nothing is changed", refused and "no thread to look it up" in refused, d.lines)
    check("no thread to look a name up again: said once, and its address stays", kept and dead in kept and said == 1, d.lines)


def check_statistics_file():
    one, two, s = os.path.join(export.WORK, "one.json"), os.path.join(export.WORK, "two.json"), Collector()
    d = Daemon(["-n=" + s.name, "--stats-json=" + one])
    for path in (one, two):
        os.chmod(export.WORK, 0o777)
        d.hup("was read again", "-n=" + s.name, "--stats-json=" + path)
    d.stop()
    s.end()
    check("the file of --stats-json changes", "export" in stats_of(one) and "export" in stats_of(two), d.lines)


CHECKS = (check_under_load, check_format, check_mtu, check_timeouts, check_kept, check_refusals, check_pipe, check_key, check_key_pipe, check_no_file, check_no_thread, check_statistics_file)


def main():
    if os.geteuid():
        sys.exit("reload.py: needs root, for a network namespace")
    if "--inside" not in sys.argv:
        os.execvp("unshare", ["unshare", "--net", sys.executable, os.path.abspath(__file__), sys.argv[1], "--inside"])
    ip("link", "set", "lo", "up")
    export.PROBE = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as export.WORK:
        os.chmod(export.WORK, 0o755)
        export.run_checks(CHECKS)
    sys.exit(bool(export.bad))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: reload.py PROBE")
    main()
