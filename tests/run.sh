#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh check           what needs neither root nor network, within a minute
# run.sh test            everything (root: it makes network namespaces)
# run.sh style           the rules a machine can check
# run.sh step NAME       one step alone
#
# A step is a function below named step_NAME.  It passes with exit code 0, is
# skipped with 77, and fails otherwise; its output goes to build/test/NAME.log.

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PACKAGES=$TOP/tests/lib/packages.sh
LOGS=$TOP/build/test
PROBE=$TOP/build/nprobe-k
# shellcheck source=tests/captures/lists.sh
. "$TOP/tests/captures/lists.sh"
cd "$TOP"

CHECK_STEPS=(build style headers kbuild unit-gcc unit-clang cli truth)
TEST_STEPS=(packages "${CHECK_STEPS[@]}" judge stop live interrupt unchanged)

# What the steps are and how many seconds each took on two cores.
about() {
    case $1 in
    packages) echo "60 packages of this suite: installed for building, unpacked for judging" ;;
    build) echo "10 the library and the daemon" ;;
    style) echo "5 style, layering, licences, kernel-doc" ;;
    headers) echo "2 public headers alone: C11, C++17, 32 bit" ;;
    kbuild) echo "10 the core as kernel objects: W=1, sparse" ;;
    unit-gcc) echo "10 unit tests and golden datagrams, gcc, ASan and UBSan" ;;
    unit-clang) echo "10 the same, clang" ;;
    cli) echo "2 wrong use, failures, configuration files" ;;
    truth) echo "10 captures against their truth" ;;
    judge) echo "40 captures through nfcapd and tshark, NetFlow v5 and v9" ;;
    stop) echo "5 live: ended by a signal loses no packet" ;;
    live) echo "40 make run: real programs between two namespaces" ;;
    interrupt) echo "20 make run interrupted at several moments" ;;
    unchanged) echo "1 services, sockets and namespaces as before" ;;
    esac
}

step_packages() {
    "$PACKAGES" host
    "$PACKAGES" tools nfdump tshark
    "$PACKAGES" kernel-headers
}
step_build() { make -j"$(nproc)"; }
step_style() { tests/style.sh; }
step_headers() { tests/headers.sh; }
step_kbuild() { tests/kbuild.sh; }
step_unit-gcc() { tests/unit.sh gcc; }
step_unit-clang() { tests/unit.sh clang; }
step_cli() { tests/cli.sh; }
step_truth() { tests/captures/truth.sh; }
step_judge() {
    captures_or_skip
    tests/captures/judge.py "$PROBE" "$CAPTURES" "${CAPTURES_EXACT[@]}"
}
step_stop() { tests/netns/stop.sh; }
step_live() { tests/demo.sh; }
step_interrupt() { tests/netns/interrupt.py; }
# Compares with the state run_steps() saved before the first step.
step_unchanged() { diff "$LOGS/host.before" <(tests/netns/hoststate.sh) && echo "the host is as it was"; }

passed=0
failed=0
skipped=0

run_step() {
    local name=$1 log=$LOGS/$1.log start=$SECONDS code=0 verdict
    printf '%-11s ' "$name"
    # a subshell with -e of its own: "||" would switch it off
    bash -euo pipefail "$TOP/tests/run.sh" step "$name" >"$log" 2>&1 </dev/null || code=$?
    case $code in
    0) verdict=passed passed=$((passed + 1)) ;;
    77) verdict="skipped: $(sed -n 's/^skipped: //p' "$log" | tail -1)" skipped=$((skipped + 1)) ;;
    *) verdict=FAILED failed=$((failed + 1)) ;;
    esac
    printf '%4d s  %s\n' $((SECONDS - start)) "$verdict"
    [ "$verdict" != FAILED ] || failure "$name" "$log"
}

failure() {
    { grep -nE 'FAILED|ERROR|[Ee]rror:|DIFFERENT|differs' "$2" || tail -5 "$2"; } | head -8 | sed 's/^/    /'
    echo "    log: $2"
    echo "    again, alone: tests/run.sh step $1"
}

run_steps() {
    local name seconds total=0 names=""
    for name in "$@"; do
        read -r seconds _ < <(about "$name")
        total=$((total + seconds))
        names+=" $name"
    done
    echo "steps:$names; about $((total / 60 + 1)) minutes"
    mkdir -p "$LOGS"
    tests/netns/hoststate.sh >"$LOGS/host.before"
    for name in "$@"; do
        run_step "$name"
    done
    echo "passed $passed, failed $failed, skipped $skipped"
    [ "$failed" -eq 0 ]
}

# What root built belongs to the user who asked for it.
give_back() {
    [ -z "${SUDO_UID:-}" ] || [ ! -d "$TOP/build" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$TOP/build"
}

case ${1:-} in
check) run_steps "${CHECK_STEPS[@]}" ;;
test)
    [ "$(id -u)" -eq 0 ] || { echo "make test makes network namespaces: run sudo make test (or make check)" >&2; exit 1; }
    trap give_back EXIT
    run_steps "${TEST_STEPS[@]}"
    ;;
style) run_steps style headers kbuild ;;
step)
    declare -F "step_${2:-}" >/dev/null || { echo "no step \"${2:-}\": ${TEST_STEPS[*]}" >&2; exit 2; }
    "step_$2"
    ;;
*)
    sed -n 's/^# \{0,1\}//; 4,7p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
