#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""make run, interrupted as Ctrl-C does, at several moments, leaves nothing behind.

SIGINT goes to the whole process group.  Afterwards no namespace of that run, no process of its session
and no socket of its own may be there.
"""
import os
import signal
import subprocess
import sys
import time

LIVE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "live.sh")


def session_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return int(f.read().rpartition(")")[2].split()[3])
    except (FileNotFoundError, ProcessLookupError):
        return None


def left_behind(pid):
    spaces = subprocess.run(["ip", "netns", "list"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    found = [s for s in spaces if s.startswith("npk-") and s.endswith(f".{pid}")]
    return found + [f"process {p}" for p in os.listdir("/proc") if p.isdigit() and session_of(p) == pid]


def interrupt_after(seconds):
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # an ignored signal would stay ignored in the child
    run = subprocess.Popen([LIVE], start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    time.sleep(seconds)
    os.killpg(run.pid, signal.SIGINT)
    out, _ = run.communicate(timeout=30)
    end = time.time() + 2
    while left_behind(run.pid) and time.time() < end:
        time.sleep(0.05)
    found = left_behind(run.pid)
    ok = run.returncode in (130, -signal.SIGINT) and not found
    print(f"interrupted after {seconds} s: exit code {run.returncode}, left behind: {found or 'nothing'}", flush=True)
    if not ok:
        print(out.decode(errors="replace"))
    return ok


sys.exit(0 if all([interrupt_after(s) for s in (0.3, 1, 2, 4, 9)]) else 1)
