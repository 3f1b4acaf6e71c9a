#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs the fuzz targets of tests/fuzz, built in build/fuzz by make.

fuzz.py run SECONDS     each target for so much CPU time, from the kept corpus, frames made from
                        nothing and the captures; exit code 1 with a finding
fuzz.py replay          each target with the kept corpus and frames made from nothing
fuzz.py renew SECONDS   the kept corpus anew, from itself and frames made from nothing: no captures,
                        whose licences differ
"""
import glob
import math
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGETS = "parse", "meter", "encode", "verify"
CORPUS, FOUND = "tests/fuzz/corpus", "tests/fuzz/found"
BUILD = "build/fuzz"
CACHE, SEEDS, FINDINGS = f"{BUILD}/cache", f"{BUILD}/seeds", f"{BUILD}/findings"
CAPTURES = os.environ.get("NPK_CAPTURES", "../shared/captures")
SEED_MAKER = sys.executable, "tests/fuzz/seeds.py"
# one input is done in less than a millisecond; a second means that something does not end
LIMITS = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=4096"]
WHAT = re.compile(r"does not hold:|runtime error:|ERROR: |SUMMARY: ")
# what the kept corpus may be: it is replayed by every make check
KEPT_FILES, KEPT_OCTETS = 500, 200_000


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def call(target, log, *args):
    """Output to the log; exit code 0 or what libFuzzer makes of a finding."""
    return subprocess.run([f"{BUILD}/{target}", *args], stdout=log, stderr=log, stdin=subprocess.DEVNULL).returncode


def files(folder):
    return sorted(glob.glob(f"{folder}/*"))


def make_seeds():
    """Folders of seeds; a folder for each target in them."""
    shutil.rmtree(SEEDS, ignore_errors=True)
    subprocess.run([*SEED_MAKER, "made", f"{SEEDS}/made"], check=True)
    if not glob.glob(f"{CAPTURES}/*.pcap"):
        print(f"no captures in {CAPTURES} (NPK_CAPTURES names the folder): seeds made from nothing only")
        return [f"{SEEDS}/made"]
    subprocess.run([*SEED_MAKER, "captures", f"{SEEDS}/captures", CAPTURES], check=True)
    return [f"{SEEDS}/made", f"{SEEDS}/captures"]


def say_finding(target, text, log):
    found = [line for line in text.splitlines() if WHAT.search(line)]
    kept = re.findall(r"Test unit written to (\S+)", text)
    print(f"FAILED: {target}: {found[0] if found else text.strip().splitlines()[-1]}")
    print(f"    log: {log}")
    for path in kept:
        print(f"    reproducer: {path}, again with: {BUILD}/{target} {path}")


def summary(target, text, seconds, new):
    executions = sum(int(n) for n in re.findall(r"number_of_executed_units:\s+(\d+)", text))
    coverage = re.findall(r"cov: (\d+) ft: (\d+)", text) or [("0", "0")]
    edges, features = coverage[-1]
    print(f"{target}: {seconds:.0f} s of CPU, {executions:,} executions, {executions / max(seconds, 1):,.0f} a second, "
          f"coverage {edges} edges and {features} features, {new} new inputs kept", flush=True)


def fuzz(target, seconds, folders):
    """In rounds, because on a busy machine time passes faster than CPU time does."""
    start, code, cache = cpu_seconds(), 0, f"{CACHE}/{target}"
    os.makedirs(cache, exist_ok=True)
    os.makedirs(FINDINGS, exist_ok=True)
    before, log = len(files(cache)), f"{BUILD}/{target}.log"
    print(f"{target}: {seconds} s of CPU from now on, {log} says how it goes")
    with open(log, "w+", encoding="utf-8", errors="replace") as out:
        while code == 0 and seconds - (cpu_seconds() - start) > 1:
            left = math.ceil(seconds - (cpu_seconds() - start))
            code = call(target, out, *LIMITS, f"-max_total_time={left}", "-print_final_stats=1",
                        f"-artifact_prefix={FINDINGS}/{target}-", cache, *(f"{f}/{target}" for f in folders))
        out.seek(0)
        text = out.read()
    summary(target, text, cpu_seconds() - start, len(files(cache)) - before)
    if code:
        say_finding(target, text, log)
    return code == 0


def run(seconds):
    folders = make_seeds() + [CORPUS, FOUND]
    for folder in (f"{FOUND}/{target}" for target in TARGETS):
        os.makedirs(folder, exist_ok=True)
    good = [fuzz(target, seconds, folders) for target in TARGETS]
    if all(good):
        print("no findings")
    return all(good)


def replay_one(target):
    kept, made = files(f"{CORPUS}/{target}") + files(f"{FOUND}/{target}"), files(f"{SEEDS}/made/{target}")
    with tempfile.TemporaryFile("w+", errors="replace") as out:
        code = call(target, out, *LIMITS, *kept, *made) if kept and made else 1
        out.seek(0)
        text = out.read()
    done = re.findall(r"^Running: (\S+)", text, re.M)
    if code == 0 and len(done) == len(kept + made):
        print(f"{target}: {len(kept)} kept inputs, {len(made)} made from nothing")
        return True
    found = [line for line in text.splitlines() if WHAT.search(line)]
    print(f"FAILED: {target}: {found[0] if found else f'exit code {code}'}")
    print(f"    again: {BUILD}/{target} {done[-1] if done else '(no input in ' + CORPUS + ')'}")
    return False


def replay():
    shutil.rmtree(f"{SEEDS}/made", ignore_errors=True)
    subprocess.run([*SEED_MAKER, "made", f"{SEEDS}/made"], check=True)
    return all([replay_one(target) for target in TARGETS])


def merge(target, log, first, *others):
    """Adds to the folder first, smallest inputs before others, what reaches code it does not reach."""
    # with counters there would be an input for every number of rounds of a loop
    return call(target, log, "-merge=1", "-use_counters=0", "-max_len=1500", first, *others)


def renew_one(target, seconds):
    kept, made, evolved = f"{CORPUS}/{target}", f"{SEEDS}/made/{target}", f"{BUILD}/evolved/{target}"
    small, least = f"{BUILD}/small/{target}", f"{BUILD}/least/{target}"
    for folder in small, least:
        shutil.rmtree(folder, ignore_errors=True)
    for folder in kept, evolved, small, least:
        os.makedirs(folder, exist_ok=True)
    with open(f"{BUILD}/renew-{target}.log", "w", encoding="utf-8") as log:
        code = call(target, log, *LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={FINDINGS}/{target}-",
                    evolved, kept, made) or merge(target, log, small, evolved, kept, made)
        # the longest reach most of what the others do
        by_size = sorted(files(small), key=os.path.getsize)
        for path in by_size[len(by_size) * 2 // 3:]:
            shutil.copy(path, least)
        code = code or merge(target, log, least, small)
    if code:
        print(f"FAILED: {target}, see {BUILD}/renew-{target}.log")
        return False
    shutil.rmtree(kept)
    shutil.copytree(least, kept)
    return True


def renew(seconds):
    make_seeds()
    os.makedirs(FINDINGS, exist_ok=True)
    if not all([renew_one(target, seconds) for target in TARGETS]):
        return False
    every = [path for target in TARGETS for path in files(f"{CORPUS}/{target}")]
    octets = sum(map(os.path.getsize, every))
    print(f"{len(every)} files, {octets} octets")
    if len(every) > KEPT_FILES or octets > KEPT_OCTETS:
        print(f"FAILED: more than {KEPT_FILES} files or {KEPT_OCTETS} octets")
        return False
    return replay()


def main():
    os.chdir(TOP)
    sys.stdout.reconfigure(line_buffering=True)
    command, *args = sys.argv[1:] or [""]
    if command == "replay" and not args:
        good = replay()
    elif command in ("run", "renew") and len(args) == 1 and args[0].isdigit() and int(args[0]):
        good = {"run": run, "renew": renew}[command](int(args[0]))
    else:
        sys.exit(__doc__.strip())
    sys.exit(not good)


if __name__ == "__main__":
    main()
