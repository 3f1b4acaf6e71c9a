#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# headers.sh: every public header compiles on its own, as C11 and C++17, and the
# record has the same layout for a 32-bit program.

set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
cd "$TOP"
flags=(-Wall -Wextra -Wpedantic -Werror -fsyntax-only -Iinclude -Iinclude/uapi)

for h in include/npk/*.h include/uapi/*.h; do
    printf '#include "%s"\n' "$TOP/$h" >"$W/one.c"
    cp "$W/one.c" "$W/one.cc"
    for cc in gcc clang; do
        "$cc" -std=c11 "${flags[@]}" "$W/one.c"
        echo "$h: C11 $cc"
    done
    clang -x c++ -std=c++17 "${flags[@]}" -nostdinc++ "$W/one.cc" || { echo "$h: C++17 failed"; exit 1; }
    echo "$h: C++17"
done

cat >"$W/layout.c" <<'EOC'
#include <nprobe_k.h>
#define AT(member, off) _Static_assert(__builtin_offsetof(struct npk_rec, member) == off, #member)
AT(first_ns, 0);
AT(last_ns, 8);
AT(packets, 16);
AT(octets, 24);
AT(conv_hash, 32);
AT(seq, 40);
AT(saddr, 48);
AT(daddr, 64);
AT(sport, 80);
AT(dport, 82);
AT(proto, 84);
AT(tos, 85);
AT(ip_version, 86);
AT(end_reason, 87);
AT(in_if, 88);
AT(out_if, 92);
AT(vlan, 96);
AT(vlan2, 98);
AT(mpls, 100);
AT(tcp_flags, 116);
AT(tcp_flags_first, 118);
AT(min_len, 120);
AT(max_len, 124);
AT(min_ttl, 128);
AT(max_ttl, 129);
AT(dir, 130);
AT(nr_mpls, 131);
AT(smac, 132);
AT(dmac, 138);
AT(fragments, 144);
AT(flow_label, 148);
AT(server_delay_us, 152);
AT(zero_windows, 172);
AT(syn, 176);
_Static_assert(sizeof(struct npk_rec) == 192, "size");
EOC
for bits in 64 32; do
    for cc in gcc clang; do
        "$cc" -m$bits -ffreestanding -std=c11 -Wall -Wextra -Werror -fsyntax-only -Iinclude/uapi \
            -idirafter "/usr/include/$(gcc -print-multiarch)" "$W/layout.c"
        echo "struct npk_rec: $bits bit $cc"
    done
done
