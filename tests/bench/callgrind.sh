# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# callgrind.sh: to be sourced: instructions that a program executes within functions whose names begin with "measured".

# shellcheck source=tests/lib/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/packages.sh"

# callgrind_cmd FILE: sets CALLGRIND, the command in front of a program's; FILE is callgrind's own output.
# Its launcher looks for the tool by the path it was compiled with, unless it is told another.
callgrind_cmd() {
	"$(dirname "${BASH_SOURCE[0]}")/../lib/packages.sh" tools valgrind >&2
	tool_cmd valgrind.bin
	CALLGRIND=(env "VALGRIND_LIB=${TOOL[-1]%/bin/*}/libexec/valgrind" "${TOOL[@]}" --tool=callgrind
		"--callgrind-out-file=$1" "--toggle-collect=measured*")
}
