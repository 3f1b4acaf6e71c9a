#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh check           what needs neither root nor network, within a minute
# run.sh test            everything (root: it makes network namespaces)
# run.sh debug           the lab's tests on a kernel with KASAN, lockdep, kmemleak
# run.sh kernels         the module on the kernels of other suites, 5.10 to 7.x
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

CHECK_STEPS=(build style headers kbuild unit-gcc unit-clang corpus cli truth)
LAB_STEPS=(lab-params lab-devices lab-early lab-large lab-sums lab-hostile lab-restart lab-log lab-churn lab-merged lab-clock lab-export lab-cpus lab-differential lab-vrf lab-replay)
TEST_STEPS=(packages "${CHECK_STEPS[@]}" judge roundtrip nflow analysis guard export sampling delivery reload stop live interrupt lab-kernel run run-refusals run-device "${LAB_STEPS[@]}" lab-trixie unchanged)
DEBUG_STEPS=(packages build debug-kernel checkpatch debug-params debug-devices debug-early debug-hostile debug-restart debug-sums
    debug-cpus debug-merged debug-clock debug-export debug-churn)

KERNEL_STEPS=(packages build)
for kernel in bullseye stock trixie trixie-backports; do
    KERNEL_STEPS+=("kernel-$kernel-build")
    eval "step_kernel-$kernel-build() { tests/lab/module --check $kernel; }"
    for name in devices hostile early merged clock; do
        KERNEL_STEPS+=("kernel-$kernel-$name")
        eval "step_kernel-$kernel-$name() { tests/lab/test --kernel $kernel $name; }"
    done
done

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
    corpus) echo "5 every input of the kept corpus through the fuzz targets" ;;
    cli) echo "2 wrong use, failures, configuration files" ;;
    truth) echo "10 captures against their truth" ;;
    analysis) echo "20 TCP fields of the records against tshark's own analysis" ;;
    guard) echo "10 instructions of the core's main cases against their limits" ;;
    judge) echo "75 captures through nfcapd, nfacctd and tshark, NetFlow v5, v9, IPFIX and signed nflow9" ;;
    nflow) echo "40 nFlow and nflow9 through npkctl verify: flows, digests, what was altered or is missing" ;;
    roundtrip) echo "30 10,000 random records each of v5, v9, IPFIX, nflow9 and nFlow v1, read back by tshark and another decoder" ;;
    export) echo "95 collectors: splitting, mirroring, templates, waiting, refusing; live times; privileges" ;;
    delivery) echo "110 collectors away, slow, moved, restarted; sources, devices, MTU, pacing" ;;
    sampling) echo "15 nfdump and nfacctd multiply what was sampled, v5, v9 and IPFIX; interface names" ;;
    reload) echo "65 SIGHUP under load: no record lost or twice, streams without a gap; what is refused" ;;
    stop) echo "5 live: ended by a signal loses no packet" ;;
    run) echo "60 make run: real programs through the module in a guest" ;;
    run-refusals) echo "2 what make run DEV=... says where it cannot work" ;;
    run-device) echo "60 make run DEV=... in a guest whose kernel it meters" ;;
    live) echo "40 make run-live: real programs between two namespaces" ;;
    interrupt) echo "20 make run interrupted at several moments" ;;
    lab-kernel) echo "60 the stock kernel for guests, and that a guest boots" ;;
    lab-params) echo "20 bad parameters: refused in one sentence, nothing left" ;;
    lab-devices) echo "40 devices appear, change, go; what is refused and warned about" ;;
    lab-early) echo "15 200,000 flows through a table of 1024" ;;
    lab-large) echo "190 four million flows, two packets each, in a guest of 2 GB" ;;
    lab-sums) echo "90 the sums in 1000 reads under load, readers killed, device removed" ;;
    lab-hostile) echo "25 a reader that does everything wrong" ;;
    lab-restart) echo "95 readers end, die, come back; shutdown, unload, return" ;;
    lab-log) echo "90 the sentences in the log that take a minute" ;;
    lab-churn) echo "200 50 times load, attach, unload under traffic" ;;
    lab-cpus) echo "45 both directions and fragments by different processors: delays, ports" ;;
    lab-merged) echo "55 the same transfers merged in every way and not at all: the wire's packets" ;;
    lab-export) echo "150 thousands of flows as v5, v9 and IPFIX: tshark judges every datagram" ;;
    lab-clock) echo "70 the wall clock stepped under flows; split flows; connections with the same ports" ;;
    lab-differential) echo "100 the same records from a file, by libpcap and by the module in twelve ways" ;;
    lab-vrf) echo "30 a collector behind a VRF that goes and comes back" ;;
    lab-replay) echo "400 captures through every hook against their truth" ;;
    lab-trixie) echo "160 devices, hostile readers and merged packets on the next suite's kernel" ;;
    debug-kernel) echo "700 compiles the debug kernel, once" ;;
    checkpatch) echo "5 the kernel's own style checker: module, core, uapi header" ;;
    debug-*) echo "120 the same as lab-${1#debug-}, on the debug kernel" ;;
    kernel-*-build) echo "15 core and module with the headers and compiler of another suite: W=1, sparse" ;;
    kernel-*-merged | kernel-*-clock) echo "75 the same as lab-${1##*-}, on the kernel of another suite" ;;
    kernel-*) echo "20 the same as lab-${1##*-}, on the kernel of another suite" ;;
    unchanged) echo "1 services, sockets and namespaces as before" ;;
    esac
}

step_packages() {
    "$PACKAGES" host
    "$PACKAGES" tools nfdump tshark tcpreplay tcpdump pmacct nftables mandoc
    "$PACKAGES" kernel-headers
}
step_build() { make -j"$(nproc)"; }
step_style() { tests/style.sh; }
step_headers() { tests/headers.sh; }
step_kbuild() { tests/kbuild.sh; }
step_unit-gcc() { tests/unit.sh gcc; }
step_unit-clang() { tests/unit.sh clang; }
step_corpus() { make -s -j"$(nproc)" corpus; }
step_cli() { tests/cli.sh; }
step_truth() { tests/captures/truth.sh; }
step_nflow() {
    local name paths=()
    if [ -f "$CAPTURES/compare.py" ]; then
        for name in "${CAPTURES_EXACT[@]}"; do paths+=("$CAPTURES/$name.pcap"); done
    fi
    tests/nflow.py "$PROBE" build/npkctl "${paths[@]}"
}
step_analysis() {
    captures_or_skip
    local name paths=()
    for name in "${CAPTURES_EXACT[@]}"; do
        paths+=("$CAPTURES/$name.pcap")
    done
    tests/captures/analysis.py "$PROBE" "${paths[@]}"
}
step_guard() { tests/bench/guard.sh; }
step_judge() {
    captures_or_skip
    tests/captures/judge.py "$PROBE" "$CAPTURES" "${CAPTURES_EXACT[@]}"
    tests/captures/uptime.py "$LOGS/uptime-wrap.pcap"
    tests/captures/judge.py "$PROBE" "$LOGS" uptime-wrap
}
step_roundtrip() {
    make -s build/roundtrip
    tests/roundtrip/roundtrip.py build/roundtrip "$PROBE"
}
step_lab-kernel() { tests/lab/guest -c true; }
step_lab-params() { tests/lab/test params; }
step_lab-devices() { tests/lab/test devices; }
step_lab-early() { tests/lab/test early; }
step_lab-large() { tests/lab/test large; }
step_lab-sums() { tests/lab/test sums; }
step_lab-hostile() { tests/lab/test hostile; }
step_lab-restart() { tests/lab/test restart; }
step_lab-log() { tests/lab/test log; }
step_lab-churn() { tests/lab/test churn; }
step_lab-merged() { tests/lab/test merged; }
step_lab-export() { tests/lab/test export; }
step_lab-clock() { tests/lab/test clock; }
step_lab-cpus() { tests/lab/test cpus; }
step_lab-differential() {
    captures_or_skip
    local name files=()
    for name in mix-lan-ftp mix-gnutella vlan-ultrasurf big-tcp-echo-82k; do files+=("$CAPTURES/$name.pcap"); done
    tests/lab/differential --prove "${files[@]}"
}
step_lab-vrf() { tests/lab/test vrf; }
step_lab-replay() { tests/lab/matrix; }
step_lab-trixie() {
    tests/lab/test --kernel trixie devices
    tests/lab/test --kernel trixie hostile
    tests/lab/test --kernel trixie merged
}
step_debug-kernel() { tests/lab/guest --kernel debug -c true; }
# The script is in the kernel's source only.
step_checkpatch() {
    perl "$(tests/lab/kernel debug)/build/scripts/checkpatch.pl" --no-tree --file --terse --show-types \
        kmod/*.[ch] kmod/core/*.[ch] include/uapi/*.h
}
step_debug-params() { tests/lab/test --kernel debug params; }
step_debug-devices() { tests/lab/test --kernel debug devices; }
step_debug-early() { tests/lab/test --kernel debug early; }
step_debug-hostile() { tests/lab/test --kernel debug hostile; }
step_debug-restart() { tests/lab/test --kernel debug restart; }
step_debug-sums() { tests/lab/test --kernel debug sums 100; }
step_debug-cpus() { tests/lab/test --kernel debug cpus; }
step_debug-merged() { tests/lab/test --kernel debug merged; }
step_debug-clock() { tests/lab/test --kernel debug clock; }
step_debug-export() { tests/lab/test --kernel debug export; }
step_debug-churn() { tests/lab/test --kernel debug churn 15; }
step_export() { tests/export.py "$PROBE"; }
step_delivery() { tests/netns/delivery.py "$PROBE"; }
step_sampling() { tests/sampling.py "$PROBE"; }
step_reload() { tests/netns/reload.py "$PROBE"; }
step_stop() { tests/netns/stop.sh; }
step_run() { tests/demo.sh; }
step_run-refusals() { tests/run/refusals.sh; }
step_run-device() { tests/run/device-test.sh; }
step_live() { tests/demo.sh live; }
step_interrupt() { tests/netns/interrupt.py; }
# Compares with the state run_steps() saved before the first step.
step_unchanged() { diff "$LOGS/host.before" <(tests/netns/hoststate.sh) && echo "the host is as it was"; }

passed=0
failed=0
skipped=0

run_step() {
    local name=$1 log=$LOGS/$1.log start=$SECONDS code=0 verdict
    printf '%-14s ' "$name"
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
test | debug)
    [ "$(id -u)" -eq 0 ] || { echo "make test makes network namespaces: run sudo make test (or make check)" >&2; exit 1; }
    trap give_back EXIT
    if [ "$1" = test ]; then run_steps "${TEST_STEPS[@]}"; else run_steps "${DEBUG_STEPS[@]}"; fi
    ;;
kernels) run_steps "${KERNEL_STEPS[@]}" ;;
style) run_steps style headers kbuild ;;
step)
    mkdir -p "$LOGS"
    declare -F "step_${2:-}" >/dev/null || { echo "no step \"${2:-}\": ${TEST_STEPS[*]}" >&2; exit 2; }
    "step_$2"
    ;;
*)
    sed -n 's/^# \{0,1\}//; 4,9p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
