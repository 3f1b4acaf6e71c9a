#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the suites of make bench measured, beside what is to hold.

usage: report.py [--strict] [--docs FILE.md] [--results DIR] [--targets FILE]
       report.py --self-check

Reads DIR/SUITE.tsv (build/bench; lines NAME VALUE UNIT between tabs, NAME.low and NAME.high are a spread) and the targets
(targets.tsv beside this file; what its lines mean stands in it). Prints a table, writes DIR/report.json, and with --docs
replaces what stands between <!-- bench:begin --> and <!-- bench:end --> and draws plots beside FILE. Exit code 1 when
input is malformed; with --strict also when a target is missed or was not measured.
"""
import argparse
import fnmatch
import glob
import json
import math
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SUITES = ["cost", "native", "core", "ring", "expiry", "cliff", "offline", "export"]  # others follow
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
MET, MISSED, UNKNOWN = "met", "MISSED", "not measured"


class Malformed(Exception):
    pass


# ---------------------------------------------------------------- results

class Result:
    def __init__(self, name, value, unit):
        self.name, self.value, self.unit = name, value, unit
        self.low = self.high = None
        self.verdicts = []  # (Target, limit, verdict)

    @property
    def suite(self):
        return self.name.split(".")[0]


def lines(path):
    """Number and tab-separated fields of each line that is neither empty nor a comment."""
    with open(path) as f:
        for number, line in enumerate(f, 1):
            if line.strip() and not line.startswith("#"):
                yield number, line.rstrip("\n").split("\t")


def number(text):
    try:
        value = float(text)
    except ValueError:
        raise Malformed("\"%s\" is not a number" % text) from None
    if not math.isfinite(value):
        raise Malformed("\"%s\" is not a finite number" % text)
    return value


def add_result(results, suite, fields):
    if len(fields) != 3:
        raise Malformed("%d fields, not NAME, VALUE, UNIT between tabs" % len(fields))
    name, value, unit = fields
    if not NAME.fullmatch(name) or not name.startswith(suite + "."):
        raise Malformed("the name \"%s\" does not start with \"%s.\" or has letters it must not have" % (name, suite))
    if not unit or " " in unit:
        raise Malformed("the unit \"%s\" is not a word" % unit)
    if name in results:
        raise Malformed("%s stands here twice" % name)
    results[name] = Result(name, number(value), unit)


def fold_spreads(results):
    """NAME.low and NAME.high become part of NAME."""
    for name in list(results):
        base, _, end = name.rpartition(".")
        if end in ("low", "high") and base in results:
            setattr(results[base], end, results.pop(name).value)


def read_results(folder):
    results = {}
    for path in glob.glob(os.path.join(folder, "*.tsv")):
        suite = os.path.basename(path)[:-len(".tsv")]
        each_line(path, lambda fields, s=suite: add_result(results, s, fields))
    fold_spreads(results)
    order = {s: i for i, s in enumerate(SUITES)}
    return dict(sorted(results.items(), key=lambda r: (order.get(r[1].suite, len(SUITES)), r[1].suite)))


def each_line(path, take):
    for nr, fields in lines(path):
        try:
            take(fields)
        except Malformed as e:
            raise Malformed("%s:%d: %s" % (path, nr, e)) from None


# ---------------------------------------------------------------- targets

class Target:
    def __init__(self, fields):
        if len(fields) != 4:
            raise Malformed("%d fields, not NAME, OP, LIMIT, TEXT between tabs" % len(fields))
        self.name, self.op, self.text = fields[0], fields[1], fields[3]
        self.terms = fields[2].split()
        if self.op not in ("<=", ">="):
            raise Malformed("the operator \"%s\" is neither <= nor >=" % self.op)
        if len(self.terms) % 2 == 0 or any(t not in ("+", "-", "*", "/") for t in self.terms[1::2]):
            raise Malformed("the limit \"%s\" is not numbers and names joined by + - * /" % fields[2])
        for term in self.terms[::2]:
            if not NAME.fullmatch(term):
                raise Malformed("the limit \"%s\" has no place for \"%s\"" % (fields[2], term))
            if "." not in term or term[0].isdigit():
                number(term)

    def limit(self, results):
        """The limit worked out from left to right, None when a result it needs was not measured."""
        values = []
        for term in self.terms[::2]:
            if term[0].isdigit():
                values.append(number(term))
            elif term in results:
                values.append(results[term].value)
            else:
                return None
        limit = values[0]
        for op, value in zip(self.terms[1::2], values[1:]):
            limit = {"+": limit + value, "-": limit - value, "*": limit * value, "/": value and limit / value}[op]
        return limit

    def judge(self, value, results):
        limit = self.limit(results)
        if limit is None:
            return None, UNKNOWN
        return limit, MET if (value <= limit if self.op == "<=" else value >= limit) else MISSED


def read_targets(path):
    targets = []
    each_line(path, lambda fields: targets.append(Target(fields)))
    return targets


def judge(results, targets):
    """Gives every result its verdicts; returns the targets that no result answers."""
    unmeasured = []
    for target in targets:
        names = fnmatch.filter(results, target.name)
        for name in names:
            results[name].verdicts.append((target, *target.judge(results[name].value, results)))
        if not names:
            unmeasured.append(target)
    return unmeasured


# ---------------------------------------------------------------- tables

def show(value):
    if value == int(value) or abs(value) >= 1000:
        return "{:,.0f}".format(value)
    return "%.4g" % value


def spread(result):
    if result.low is None or result.high is None:
        return ""
    return "%s to %s" % (show(result.low), show(result.high))


def limit_text(target, limit):
    return "%s %s" % (target.op, show(limit) if limit is not None else " ".join(target.terms))


HEADER = ["name", "value", "spread", "unit", "target", "verdict"]


def rows(results):
    for r in results:
        yield [r.name, show(r.value), spread(r), r.unit, ", ".join(limit_text(t, n) for t, n, _ in r.verdicts),
               ", ".join(v for _, _, v in r.verdicts)]


def unmeasured_rows(targets):
    for t in targets:
        yield [t.name, "", "", "", limit_text(t, None), UNKNOWN]


def print_table(table):
    widths = [max(len(row[i]) for row in table) for i in range(len(HEADER))]
    for row in table:
        cells = [c.rjust(w) if i in (1, 2) else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())


def as_json(result):
    return {
        "name": result.name, "suite": result.suite, "value": result.value, "low": result.low, "high": result.high,
        "unit": result.unit,
        "targets": [{"op": t.op, "limit": n, "verdict": v, "text": t.text} for t, n, v in result.verdicts],
    }


def write_json(path, results, unmeasured):
    report = {
        "results": [as_json(r) for r in results],
        "not_measured": [{"name": t.name, "op": t.op, "limit": " ".join(t.terms), "text": t.text} for t in unmeasured],
    }
    write(path, json.dumps(report, indent=1) + "\n")


def write(path, text):
    with open(path + ".new", "w") as f:
        f.write(text)
    os.replace(path + ".new", path)


# ---------------------------------------------------------------- plots

def block(name, table):
    return "$%s << END\n%s\nEND\n" % (name, "\n".join(" ".join(map(str, row)) for row in table))


def quoted(text):
    return '"%s"' % text


def plot_added(results, suite):
    """What is added to a packet: a group of bars for each kind of traffic, a bar for each hook."""
    value = {}
    for r in results:
        parts = r.name.split(".")
        if len(parts) == 4 and parts[0] == suite and parts[3] == "added":
            value[parts[2], parts[1]] = r.value
            unit = r.unit
    kinds, hooks = (list(dict.fromkeys(k[i] for k in value)) for i in (0, 1))
    if not value:
        return None
    table = [["kind"] + [quoted(h) for h in hooks]]
    table += [[quoted(k)] + [value.get((k, h), "-") for h in hooks] for k in kinds]
    return block("data", table) + """set datafile missing "-"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.8 noborder
set boxwidth 0.9
set grid ytics
set yrange [0:*]
set ylabel "%s added to a packet"
set key outside right top
plot for [i=2:%d] $data using i:xtic(1) title columnheader(i) noenhanced
""" % (unit, len(hooks) + 1)


COUNT = re.compile(r"[0-9]+[km]?")


def flows_of(word):
    return int(word.rstrip("km")) * {"k": 1e3, "m": 1e6}.get(word[-1], 1)


def core_series(results):
    """Lines of the plot: the names without their number of flows, and (flows, ns, low, high) for each number."""
    series = {}
    for r in results:
        words = re.split("[.-]", r.name)[1:]
        counts = [w for w in words if COUNT.fullmatch(w)]
        if r.suite == "core" and r.unit == "ns" and len(counts) == 1 and not {"zipf", "feed"} & set(words):
            words.remove(counts[0])
            spread_or_value = [r.value if v is None else v for v in (r.low, r.high)]
            series.setdefault(" ".join(words), []).append([flows_of(counts[0]), r.value] + spread_or_value)
    return {name: sorted(points) for name, points in series.items() if len(points) > 1}


def plot_core(results, _suite):
    """Nanoseconds a packet takes by the number of flows."""
    series = core_series(results)
    if not series:
        return None
    blocks = "".join(block("s%d" % i, points) for i, points in enumerate(series.values()))
    curves = ", ".join('$s%d using 1:2:3:4 with yerrorlines title "%s"' % (i, name) for i, name in enumerate(series))
    return blocks + """set logscale x
set format x "%%.0s %%c"
set grid
set yrange [0:*]
set xlabel "flows"
set ylabel "ns a packet"
set key outside right top noenhanced
plot %s
""" % curves


PLOTS = {
    "cost": ("instructions added to a packet, by hook and kind of traffic", plot_added),
    "native": ("nanoseconds added to a packet at native speed, by hook and kind of traffic", plot_added),
    "core": ("nanoseconds a packet takes in user space, by number of flows", plot_core),
}


def gnuplot(script, path):
    packages = os.path.join(TOP, "tests/lib/packages.sh")
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "plot.svg")
        head = 'set terminal svg size 900,420 dynamic background "white" font "sans-serif,13"\nset output "%s"\n' % out
        subprocess.run([packages, "tools", "gnuplot-nox"], check=True, stdout=sys.stderr)
        subprocess.run([packages, "tool", "gnuplot-nox"], input=head + script, text=True, check=True)
        with open(out) as f:
            write(path, f.read())


def draw(docs, results):
    """Plots beside the document; returns those that are there, by suite."""
    there = {}
    for suite, (text, script_of) in PLOTS.items():
        name = "performance-%s.svg" % suite
        path = os.path.join(os.path.dirname(os.path.abspath(docs)), name)
        script = script_of(results, suite)
        if not script:
            continue
        try:
            gnuplot(script, path)
        except (OSError, subprocess.CalledProcessError) as e:
            print("report: no plot %s: %s" % (name, e), file=sys.stderr)
        if os.path.exists(path):
            there[suite] = "![%s](%s)" % (text, name)
    return there


# ---------------------------------------------------------------- the document

def suite_text(suite):
    """What the suite's script says it measures: the first sentence of its header."""
    try:
        with open(os.path.join(HERE, suite + ".sh")) as f:
            text = re.sub("\n# ?", " ", f.read(4096))
    except OSError:
        return ""
    found = re.search(r" %s\.sh[^:]*: (.*?\.)(?: |$)" % re.escape(suite), text)
    return found.group(1)[0].upper() + found.group(1)[1:] if found else ""


def markdown_table(table):
    text = ["| %s |" % " | ".join(HEADER), "|---|---:|---:|---|---|---|"]
    return text + ["| %s |" % " | ".join(row) for row in table]


def markdown(results, unmeasured, plots):
    text = [BEGIN]
    for suite in dict.fromkeys(r.suite for r in results):
        text += ["", "### " + suite, ""]
        about = suite_text(suite)
        text += [about, ""] if about else []
        text += markdown_table(rows(r for r in results if r.suite == suite))
        if suite in plots:
            text += ["", plots[suite]]
    if unmeasured:
        text += ["", "### Not measured", ""] + markdown_table(unmeasured_rows(unmeasured))
    return "\n".join(text + ["", END])


def put_into(path, text):
    with open(path) as f:
        old = f.read()
    begin, end = old.find(BEGIN), old.find(END)
    if begin < 0 or end < begin:
        raise Malformed("%s: no %s with %s behind it" % (path, BEGIN, END))
    write(path, old[:begin] + text + old[end + len(END):])


# ---------------------------------------------------------------- self-check

def expect(what, condition):
    if not condition:
        sys.exit("report: self-check failed: " + what)


def expect_malformed(folder, name, text, reader):
    path = os.path.join(folder, name)
    write(path, "# a comment\n" + text)
    try:
        reader(folder if name.endswith(".tsv") and reader is read_results else path)
    except Malformed as e:
        expect("\"%s\" does not say where" % e, str(e).startswith("%s:2: " % path))
    else:
        expect("%r is taken" % text, False)
    os.remove(path)


def self_check():
    with tempfile.TemporaryDirectory() as folder:
        for bad in ("x.a\t1", "x.a 1 ns", "x.a\tone\tns", "x.a\tnan\tns", "y.a\t1\tns", "X.a\t1\tns", "x.a\t1\t"):
            expect_malformed(folder, "x.tsv", bad, read_results)
        for bad in ("x.a\t<=\t1", "x.a\t<\t1\tt", "x.a\t<=\tx.b +\tt", "x.a\t<=\tmuch\tt", "x.a\t<=\t1 % 2\tt"):
            expect_malformed(folder, "targets", bad, read_targets)
        write(os.path.join(folder, "x.tsv"), "x.a\t5\tns\nx.a.low\t4\tns\nx.a.high\t6\tns\nx.b\t7\tns\n")
        write(os.path.join(folder, "targets"), "x.a\t<=\tx.b - 2\t\nx.?\t>=\t6\t\nx.c\t<=\t1\t\nx.b\t<=\t2 * x.c\t\n")
        results = read_results(folder)
        unmeasured = judge(results, read_targets(os.path.join(folder, "targets")))
    expect("spreads", list(results) == ["x.a", "x.b"] and (results["x.a"].low, results["x.a"].high) == (4, 6))
    expect("verdicts", [[v for _, _, v in r.verdicts] for r in results.values()] == [[MET, MISSED], [MET, UNKNOWN]])
    expect("targets that nothing answers", [t.name for t in unmeasured] == ["x.c"])
    print("report: self-check passed")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--strict", action="store_true")
    p.add_argument("--docs")
    p.add_argument("--results", default=os.path.join(TOP, "build/bench"))
    p.add_argument("--targets", default=os.path.join(HERE, "targets.tsv"))
    p.add_argument("--self-check", action="store_true")
    a = p.parse_args()
    if a.self_check:
        return self_check()
    by_name = read_results(a.results)
    unmeasured = judge(by_name, read_targets(a.targets))
    results = list(by_name.values())
    print_table([HEADER] + list(rows(results)) + list(unmeasured_rows(unmeasured)))
    write_json(os.path.join(a.results, "report.json"), results, unmeasured)
    if a.docs:
        put_into(a.docs, markdown(results, unmeasured, draw(a.docs, results)))
    verdicts = [v for r in results for _, _, v in r.verdicts] + [UNKNOWN] * len(unmeasured)
    return 1 if a.strict and any(v != MET for v in verdicts) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Malformed, OSError) as error:
        sys.exit("report: %s" % error)
