#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""rounds.py: from what guest/native.sh printed (standard input) to result lines: medians, .low and .high quartiles.
What is added, and ratios, are worked out in each round, before their medians are."""
import statistics
import sys
from collections import defaultdict

OBSERVING = ('rx', 'ingress')
DIGITS = {'ns': 1, 'packets/s': 0, 'ratio': 3}


def result(name, values, unit):
    low, median, high = statistics.quantiles(values, n=4, method='inclusive')
    for suffix, value in (('', median), ('.low', low), ('.high', high)):
        print(f'native.{name}{suffix}\t{value:.{DIGITS[unit]}f}\t{unit}')


def report(kind, rounds):
    """rounds: subject -> nanoseconds of every round, in order. The ratios of the main case have no kind in their name."""
    base = rounds['base']
    added = {subject: [a - b for a, b in zip(ns, base)] for subject, ns in rounds.items()}
    for subject, ns in rounds.items():
        result(f'{subject}.{kind}', ns, 'ns')
        if subject not in ('base', 'rx-passive', 'rx-drop'):
            result(f'{subject}.{kind}.added', added[subject], 'ns')
        if subject in ('base', 'rx-passive', 'ipt_netflow'):
            result(f'{subject}.{kind}.pps', [1e9 / n for n in ns], 'packets/s')
    result(f'rx-passive.{kind}.over_drop',
           [a - b for a, b in zip(rounds['rx-passive'], rounds['rx-drop'])], 'ns')
    ratio = ''
    if kind == 'live-1000':  # where frames are made anew, making them is most of the time
        result('passive_vs_ipt_netflow.pps',
               [a / b for a, b in zip(rounds['ipt_netflow'], rounds['rx-passive'])], 'ratio')
    else:
        ratio = kind + '.'
    cheapest = min(OBSERVING, key=lambda subject: statistics.median(added[subject]))
    result(f'observe_vs_ipt_netflow.{ratio}added',
           [a / b for a, b in zip(added[cheapest], added['ipt_netflow'])], 'ratio')


def main():
    kinds = defaultdict(lambda: defaultdict(list))
    for line in sys.stdin:
        kind, subject, _, ns = line.split()
        kinds[kind][subject].append(float(ns))
    result('clock', kinds.pop('clock')['clock'], 'ns')
    for kind, rounds in kinds.items():
        report(kind, rounds)


main()
