# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # sourced
#
# Which captures the tests hold against their truth, and where they are.
#
# NPK_CAPTURES names the folder; it holds NAME.pcap, truth/NAME.pcap.flows.csv,
# truth/summary.json and compare.py.

CAPTURES=${NPK_CAPTURES:-$TOP/../shared/captures}

# Ethernet of every kind: VLAN, QinQ, MPLS, PPPoE, LLC, IPv4 and IPv6 with options
# and extension headers, tunnels (outer header), cut and malformed packets.
CAPTURES_EXACT=(
    big-tcp-echo-82k frag-dns-v4v6 frag4-tcp-garbage geneve gre-various-vlan gtp-u
    icmp-tunnel icmp6-nd-options ipip-4in4 ipip-6in4 ipv6-exthdr-atomic-frag
    ipv6-exthdr-dos-36k ipv6-frag-malformed jumbo-bigtcp-ipv4 malformed-fuzz-sip
    mix-1kxun mix-gnutella mix-lan-ftp mix-mpls-pw-tcpreplay mpls-basic
    mpls-ipv6-trunc mpls-vlan-mixed pppoe-over-qinq pppoe-session sctp-www
    snaplen-tcp-timestamp synscan vlan-8021ad-qinq vlan-collisions vlan-qinqinq
    vlan-ultrasurf vxlan-vlan
)

# Not Ethernet: refused by name.
CAPTURES_REFUSED=(notether-linux-sll notether-rawip4)

# captures_or_skip: 77 when the folder is not there.
captures_or_skip() {
    [ -f "$CAPTURES/compare.py" ] && return
    echo "skipped: no captures in $CAPTURES (NPK_CAPTURES names the folder)"
    exit 77
}
