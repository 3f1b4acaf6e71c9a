#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# style.sh: the rules a machine can check: lengths, layering, licences, kernel-doc.

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$TOP"
mapfile -t sources < <(find kmod include lib probe tests -name '*.[ch]' -o -name '*.def' | sort)
mapfile -t scripts < <(find tests .ci -type f \( -name '*.sh' -o -name '*.py' -o -name run \) | sort)
bad=0
# what a pipeline's last command sets is to be seen here
shopt -s lastpipe

# rule TEXT: fails when standard input is not empty
rule() {
    local found
    found=$(cat)
    if [ -n "$found" ]; then
        printf 'FAILED: %s\n%s\n' "$1" "$found"
        bad=1
    else
        printf 'ok: %s\n' "$1"
    fi
}

# tabs count as eight columns
long_lines() { local f; for f in "${sources[@]}"; do expand "$f" | awk -v f="$f" 'length > 100 { print f ":" NR }'; done; }

long_functions() {
    awk 'FNR == 1 { start = 0 }
         /^\{/ { start = FNR }
         /^\}/ { if (start && FNR - start > 80) print FILENAME ":" start; start = 0 }' "${sources[@]}"
}

long_files() { wc -l kmod/*/*.[ch] lib/*.[ch] include/*/*.h | awk '$2 != "total" && $1 > 500'; }

conditionals_in_core() { grep -nE '^#[ \t]*(if|elif)' kmod/core/*.[ch] | grep -vE '^kmod/core/port.h|ifndef NPK_CORE_' || :; }

no_licence() { for f in "${sources[@]}" "${scripts[@]}" Makefile Kbuild; do head -2 "$f" | grep -q 'SPDX-License-Identifier:' || echo "$f"; done; }

wrong_licence() {
    grep -L 'SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause' kmod/core/*.[ch] lib/*.[ch] include/npk/*.h || :
    grep -L 'SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause)' include/uapi/*.h || :
}

core_includes() { grep -nE '^#[ \t]*include[ \t]*<' kmod/core/*.[ch] | grep -v '^kmod/core/port.h' || :; }
probe_includes() { grep -nE '^#[ \t]*include.*(kmod|uapi|lib/)' probe/*.[ch] || :; }
encoder_includes() { grep -nE '^#[ \t]*include.*(socket|time\.h|stdio|kmod|pcap)' lib/enc*.[ch] lib/ie.[ch] lib/buf.h || :; }
test_includes() { grep -nE '^#[ \t]*include.*tests/' kmod/*/*.[ch] lib/*.[ch] probe/*.[ch] include/*/*.h || :; }
versions() { grep -nE 'LINUX_VERSION_CODE|KERNEL_VERSION\(' "${sources[@]}" || :; }
left_overs() { grep -nwE 'TODO|FIXME|XXX|HACK' "${sources[@]}" "${scripts[@]}" Makefile README.md docs/*.md | grep -v '^tests/style.sh' || :; }
trailing_space() { grep -nE '[ 	]+$' "${sources[@]}" "${scripts[@]}" Makefile Kbuild README.md docs/*.md || :; }
top_level() {
    find . -mindepth 1 -maxdepth 1 ! -name '.*' -printf '%f\n' |
        grep -vE '^(README\.md|COPYING|Kbuild|Makefile|kmod|lib|probe|include|tests|docs|build)$' || :
}

# exported by the map = declared in the public headers
symbols() {
    comm -3 <(sed -n 's/^\t\(npk_[a-z0-9_]*\);$/\1/p' lib/libnpk.map | sort) \
        <(grep -ohE '\bnpk_[a-z0-9_]+\(' include/npk/*.h | grep -v '^npk_.*()' | tr -d '(' | sort -u)
}

kernel_doc() {
    local tool
    tool=$(ls "$("$TOP/tests/lib/packages.sh" kernel-headers --path 2>/dev/null)"/scripts/kernel-doc 2>/dev/null) || {
        echo "the kernel headers have no kernel-doc"
        return
    }
    perl "$tool" -none kmod/core/*.h include/npk/*.h include/uapi/*.h lib/*.h probe/*.h 2>&1 |
        grep -vE "'_(pad|pad2|resv)' not described" || :
}

man_pages() {
    local page
    for page in docs/man/*; do "$TOP/tests/lib/packages.sh" tool mandoc -Tlint -Wwarning "$page" 2>&1 </dev/null || echo "$page"; done
}
# what a page calls a thing of its own, in bold at the start of a line
man_parameters() {
    comm -3 <(sed -n 's/^module_param\(_named\)\?(\([a-z_]*\),.*/\2/p' kmod/param.c | sort) \
        <(sed -n '/^.SH PARAMETERS/,/^.SH FILES/s/^\.BI\? \([a-z_]*\)=.*/\1/p; /^.SH PARAMETERS/,/^.SH FILES/s/^\.BR \([a-z_]*\)= .*/\1/p' docs/man/nprobe_k.4 | sort)
}
man_functions() {
    comm -3 <(sed -n 's/^\t\(npk_[a-z0-9_]*\);$/\1/p' lib/libnpk.map | sort) \
        <(sed -n '/^.SH SYNOPSIS/,/^.SH DESCRIPTION/p' docs/man/libnpk.3 | grep -oE '\bnpk_[a-z0-9_]+\(' | tr -d '(' | sort)
}

# The names of the classes the C++ and Python readers know do not matter here.
shell_syntax() { local f; for f in "${scripts[@]}"; do [[ $f == *.py ]] || bash -n "$f" 2>&1 || :; done; }
python_syntax() { local f; for f in "${scripts[@]}"; do [[ $f != *.py ]] || python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$f" 2>&1 || :; done; }

# found by review: no rule that failed made this script fail
echo found | rule "a rule can fail" >/dev/null
[ "$bad" = 1 ] || { echo "FAILED: a broken rule goes unnoticed"; exit 1; }
bad=0

long_lines | rule "lines have at most 100 columns"
long_functions | rule "functions have at most 80 lines"
long_files | rule "files of core and library have at most 500 lines"
conditionals_in_core | rule "no preprocessor conditionals in the core but in port.h"
no_licence | rule "every source says its licence"
wrong_licence | rule "core, library and ABI say the licence COPYING gives them"
core_includes | rule "the core includes nothing of its surroundings but in port.h"
probe_includes | rule "the daemon sees only <npk/...> and <nprobe_k.h>"
encoder_includes | rule "encoders know no socket, clock, file or packet"
test_includes | rule "nothing includes a test header"
versions | rule "kernels are probed, not asked for their version"
left_overs | rule "no left-overs"
trailing_space | rule "no space at line ends"
top_level | rule "nothing else at the top level"
symbols | rule "the symbol map is what the public headers declare"
man_pages | rule "man pages have no warnings"
man_parameters | rule "the module's parameters are those of nprobe_k(4)"
man_functions | rule "the library's functions are those of libnpk(3)"
shell_syntax | rule "shell scripts parse"
python_syntax | rule "Python scripts parse"
kernel_doc | rule "kernel-doc is complete"
exit $bad
