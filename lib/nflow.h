/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nFlow v1 on the wire: what its encoder and the verifier have in common. */
#ifndef NPK_LIB_NFLOW_H
#define NPK_LIB_NFLOW_H

/* Header: version 2, count 2, sysUptime 4, seconds 4, nanoseconds 4, sequence of
 * flows 4, source id 4, sampling interval 2, zero 2, digest 16.
 */
#define NFLOW_HEADER_LEN	44
#define NFLOW_DIGEST_AT		28

/* What the receivers of 2003 had room for; senders keep to less. */
#define NFLOW_INFLATED_MAX	1500

/**
 * enum nflow_type - types of items
 * @NFLOW_IN_BYTES: octets, 4 octets
 * @NFLOW_IN_PKTS: packets, 4 octets
 * @NFLOW_PROTOCOL: IP protocol
 * @NFLOW_SRC_TOS: type of service
 * @NFLOW_TCP_FLAGS: union of the TCP flags, 1 octet
 * @NFLOW_L4_SRC_PORT: source port
 * @NFLOW_IPV4_SRC_ADDR: source address
 * @NFLOW_INPUT_SNMP: ifIndex, 4 octets
 * @NFLOW_L4_DST_PORT: destination port; ICMP: type * 256 + code
 * @NFLOW_IPV4_DST_ADDR: destination address
 * @NFLOW_OUTPUT_SNMP: ifIndex, 4 octets
 * @NFLOW_LAST_SWITCHED: sysUptime of the last packet
 * @NFLOW_FIRST_SWITCHED: sysUptime of the first packet
 * @NFLOW_IPV6_SRC_ADDR: source address
 * @NFLOW_IPV6_DST_ADDR: destination address
 * @NFLOW_IPV6_FLOW_LABEL: 3 octets
 * @NFLOW_IP_PROTOCOL_VERSION: 4 or 6
 * @NFLOW_DIRECTION: enum npk_dir
 * @NFLOW_MPLS_LABEL_1: top label with TC and S, 3 octets; the next ones count on
 * @NFLOW_FRAGMENTED: 1 when the flow had fragments
 * @NFLOW_VLAN_TAG: VLAN id, 2 octets
 * @NFLOW_NW_LATENCY_SEC: network latency, seconds, 4 octets; the next type is the nanoseconds
 * @NFLOW_NW_LATENCY_NSEC: that
 * @NFLOW_APPL_LATENCY_SEC: application latency, likewise
 * @NFLOW_APPL_LATENCY_NSEC: that
 * @NFLOW_ICMP_FLAGS: a bit for each ICMP type, 4 octets
 */
enum nflow_type {
	NFLOW_IN_BYTES = 1,
	NFLOW_IN_PKTS = 2,
	NFLOW_PROTOCOL = 4,
	NFLOW_SRC_TOS = 5,
	NFLOW_TCP_FLAGS = 6,
	NFLOW_L4_SRC_PORT = 7,
	NFLOW_IPV4_SRC_ADDR = 8,
	NFLOW_INPUT_SNMP = 10,
	NFLOW_L4_DST_PORT = 11,
	NFLOW_IPV4_DST_ADDR = 12,
	NFLOW_OUTPUT_SNMP = 14,
	NFLOW_LAST_SWITCHED = 21,
	NFLOW_FIRST_SWITCHED = 22,
	NFLOW_IPV6_SRC_ADDR = 27,
	NFLOW_IPV6_DST_ADDR = 28,
	NFLOW_IPV6_FLOW_LABEL = 31,
	NFLOW_IP_PROTOCOL_VERSION = 60,
	NFLOW_DIRECTION = 61,
	NFLOW_MPLS_LABEL_1 = 70,
	NFLOW_FRAGMENTED = 80,
	NFLOW_VLAN_TAG = 82,
	NFLOW_NW_LATENCY_SEC = 83,
	NFLOW_NW_LATENCY_NSEC = 84,
	NFLOW_APPL_LATENCY_SEC = 85,
	NFLOW_APPL_LATENCY_NSEC = 86,
	NFLOW_ICMP_FLAGS = 88,
};

#endif /* NPK_LIB_NFLOW_H */
