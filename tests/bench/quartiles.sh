# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# quartiles.sh: to be sourced: result lines of many numbers.

# quartiles NAME UNIT FORMAT: numbers on standard input; the median, and the quartiles as NAME.low and NAME.high
quartiles() {
	sort -g | awk -v name="$1" -v unit="$2" -v format="$3" '{ v[NR] = $1 }
		function at(q,  i) { i = 1 + (NR - 1) * q; return v[int(i)] + (i - int(i)) * (v[int(i) + (i > int(i))] - v[int(i)]) }
		function line(what, q) { printf "%s%s\t" format "\t%s\n", name, what, at(q), unit }
		END { line("", 0.5); line(".low", 0.25); line(".high", 0.75) }'
}
