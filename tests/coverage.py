#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""coverage.py BUILD LEAST: lines of kmod/core that the unit tests and the kept corpus reach.

BUILD holds both, compiled with --coverage (make coverage does it).  Every line that
has code counts, headers too.  Exit code 1 when fewer than LEAST percent are reached.
"""
import glob
import json
import os
import subprocess
import sys
from collections import defaultdict

TARGETS = "parse", "meter"


def run_tests(build):
    """All of them, also after a failure: the sum says nothing then."""
    commands = [[path] for path in sorted(glob.glob(f"{build}/unit/test_*")) if os.access(path, os.X_OK)]
    bad = 0
    for target in TARGETS:
        inputs = sorted(glob.glob(f"tests/fuzz/corpus/{target}/*") + glob.glob(f"tests/fuzz/found/{target}/*"))
        commands.append([f"{build}/replay/{target}", *inputs])
        if not inputs:
            print(f"FAILED: no inputs in tests/fuzz/corpus/{target}")
            bad += 1
    for command in commands:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            sys.stdout.write(done.stdout.decode(errors="replace"))
            print(f"FAILED: {command[0]}, exit code {done.returncode}")
            bad += 1
    print(f"{len(commands)} programs")
    return bad == 0


def lines_reached(build):
    """Per file of the core: line number to times reached, over all programs."""
    reached = defaultdict(lambda: defaultdict(int))
    for notes in glob.glob(f"{build}/**/*.gcda", recursive=True):
        text = subprocess.run(["gcov", "--json-format", "--stdout", notes], check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout
        for document in text.splitlines():
            for file in json.loads(document)["files"]:
                name = os.path.normpath(file["file"])
                if not name.startswith("kmod/core/"):
                    continue
                for line in file["lines"]:
                    reached[name][line["line_number"]] += line["count"]
    return reached


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    build, least = sys.argv[1], float(sys.argv[2])
    for old in glob.glob(f"{build}/**/*.gcda", recursive=True):
        os.unlink(old)
    good = run_tests(build)
    reached = lines_reached(build)
    total = sum(len(lines) for lines in reached.values())
    hit = 0
    for name in sorted(reached):
        lines = reached[name]
        missed = sorted(line for line, count in lines.items() if not count)
        hit += len(lines) - len(missed)
        not_reached = f"  not: {' '.join(map(str, missed))}" if missed else ""
        print(f"{name:22} {len(lines) - len(missed):4} of {len(lines):4} lines{not_reached}")
    missing = [name for name in sorted(glob.glob("kmod/core/*.c")) if name not in reached]
    for name in missing:
        print(f"FAILED: nothing is known about {name}")
    percent = 100 * hit / total if total else 0
    print(f"{'all':22} {hit:4} of {total:4} lines, {percent:.1f} %")
    if percent < least:
        print(f"FAILED: less than {least:g} %")
    sys.exit(not (good and not missing and percent >= least))


if __name__ == "__main__":
    main()
