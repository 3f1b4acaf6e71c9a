#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""profile.py DIR FEW MANY: instructions a packet costs in each function of a guest's kernel.

DIR/FEW.blocks and DIR/MANY.blocks is what profile.so counted while so many packets came, DIR/FEW/kallsyms and so on where
the functions were. Those below half an instruction a packet are left out.
"""
import bisect
import collections
import sys


def symbols(path):
    """[(address, name)] of functions, sorted."""
    found = []
    with open(path, encoding="ascii") as f:
        for line in f:
            address, kind, name = line.split()[:3]
            if kind in "tTwW":
                found.append((int(address, 16), name + (" [module]" if "nprobe_k" in line else "")))
    return sorted(found)


def counted(folder, packets):
    """Instructions by function."""
    table = symbols(f"{folder}/{packets}/kallsyms")
    starts = [address for address, _ in table]
    cost = collections.Counter()
    with open(f"{folder}/{packets}.blocks", encoding="ascii") as f:
        for line in f:
            address, count = int(line.split()[0], 16), int(line.split()[1])
            name = table[bisect.bisect_right(starts, address) - 1][1] if address >= starts[0] else "programs"
            cost[name] += count
    return cost


def main():
    folder, few, many = sys.argv[1:]
    cost = counted(folder, many)
    cost.subtract(counted(folder, few))
    packets = int(many) - int(few)
    for name, count in cost.most_common():
        if count * 2 >= packets:
            print(f"{count / packets:9.1f}  {name}")


if __name__ == "__main__":
    main()
