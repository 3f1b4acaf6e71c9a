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
AT(dir, 87);
AT(in_if, 88);
AT(vlan, 92);
AT(vlan2, 94);
AT(tcp_flags, 96);
AT(min_ttl, 98);
AT(max_ttl, 99);
AT(min_len, 100);
AT(max_len, 104);
AT(out_if, 108);
AT(retransmitted, 112);
AT(out_of_order, 116);
AT(zero_windows, 120);
AT(fragments, 124);
AT(flow_label, 128);
AT(tcp_flags_first, 132);
AT(nr_mpls, 134);
AT(end_reason, 135);
AT(dmac, 136);
AT(smac, 142);
AT(mpls, 148);
AT(syn, 164);
AT(server_delay_us, 180);
AT(client_delay_us, 184);
AT(appl_delay_us, 188);
_Static_assert(sizeof(struct npk_rec) == 192, "size");
EOC
for bits in 64 32; do
    for cc in gcc clang; do
        "$cc" -m$bits -ffreestanding -std=c11 -Wall -Wextra -Werror -fsyntax-only -Iinclude/uapi \
            -idirafter "/usr/include/$(gcc -print-multiarch)" "$W/layout.c"
        echo "struct npk_rec: $bits bit $cc"
    done
done
