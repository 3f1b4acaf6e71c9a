/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flow key, its hash, and the hash of the conversation it belongs to. */
#ifndef NPK_CORE_KEY_H
#define NPK_CORE_KEY_H

#include "port.h"

/* IP protocols the meter knows by name (IANA protocol numbers) */
enum npk_proto {
	NPK_PROTO_ICMP = 1,
	NPK_PROTO_TCP = 6,
	NPK_PROTO_UDP = 17,
	NPK_PROTO_DCCP = 33,
	NPK_PROTO_ICMP6 = 58,
	NPK_PROTO_SCTP = 132,
	NPK_PROTO_UDPLITE = 136,
};

/** NPK_MPLS_NONE - npk_key.mpls of a packet without a label (a label has 20 bits) */
#define NPK_MPLS_NONE	0xffffffffU

/* 64-bit words of a key that an IPv4 and an IPv6 flow use. */
#define NPK_KEY_WORDS4	4
#define NPK_KEY_WORDS6	7

/**
 * struct npk_key - what makes packets one flow
 * @sport: source port, network order, 0 where there is none
 * @dport: destination port, network order; ICMP: type * 256 + code
 * @proto: IP protocol, after IPv6 extension headers
 * @tos: IPv4 type of service or IPv6 traffic class
 * @ip_version: 4 or 6
 * @dir: enum npk_dir
 * @ifindex: observed device
 * @vlan: VID of the first tag, host order, or NPK_VLAN_NONE
 * @vlan2: VID of the second tag, host order, or NPK_VLAN_NONE
 * @mpls: top label (20 bits) or NPK_MPLS_NONE
 * @_pad: zero
 * @addr: IPv4: source and destination in addr[0..3] and addr[4..7], the rest
 *	zero; IPv6: source in addr[0..15], destination in addr[16..31]
 * @word: the same as 64-bit words; the first NPK_KEY_WORDS4 decide for IPv4
 *
 * Every octet is set, so keys are compared and hashed as memory.
 */
struct npk_key {
	union {
		struct {
			__be16 sport;
			__be16 dport;
			u8 proto;
			u8 tos;
			u8 ip_version;
			u8 dir;
			u32 ifindex;
			u16 vlan;
			u16 vlan2;
			u32 mpls;
			u32 _pad;
			u8 addr[32];
		};
		u64 word[NPK_KEY_WORDS6];
	};
};

NPK_STATIC_ASSERT(sizeof(struct npk_key) == 56);
NPK_STATIC_ASSERT(offsetof(struct npk_key, addr) + 8 == NPK_KEY_WORDS4 * 8);

/**
 * enum npk_key_part - parts that a key can do without, as bits
 * @NPK_KEY_TOS: type of service
 * @NPK_KEY_VLAN: both tags
 * @NPK_KEY_MPLS: top label
 * @NPK_KEY_IFINDEX: device
 */
enum npk_key_part {
	NPK_KEY_TOS = 1,
	NPK_KEY_VLAN = 2,
	NPK_KEY_MPLS = 4,
	NPK_KEY_IFINDEX = 8,
};

/**
 * npk_key_leave_out() - make parts of a key the same for all packets
 * @key: complete key
 * @parts: bits of enum npk_key_part
 */
static inline void npk_key_leave_out(struct npk_key *key, u32 parts)
{
	if (parts & NPK_KEY_TOS)
		key->tos = 0;
	if (parts & NPK_KEY_VLAN) {
		key->vlan = NPK_VLAN_NONE;
		key->vlan2 = NPK_VLAN_NONE;
	}
	if (parts & NPK_KEY_MPLS)
		key->mpls = NPK_MPLS_NONE;
	if (parts & NPK_KEY_IFINDEX)
		key->ifindex = 0;
}

/**
 * struct npk_secret - keys of the hashes, random per load
 * @word: one per key word, and one for the last round
 */
struct npk_secret {
	u64 word[NPK_KEY_WORDS6 + 1];
};

/**
 * npk_key_hash() - keyed 64-bit hash of a flow key
 * @key: complete key
 * @secret: random, unknown to whoever sends packets
 *
 * Sums of products of keyed words (the NH construction) folded to 64 bits, so
 * that finding colliding keys without the secret is as hard as guessing.
 *
 * Context: Any.
 * Return: the hash.
 */
static __always_inline u64 npk_key_hash(const struct npk_key *key, const struct npk_secret *secret)
{
	const u64 *w = key->word;
	const u64 *k = secret->word;
	u64 h = npk_mul_fold(w[0] ^ k[0], w[1] ^ k[1]) ^ npk_mul_fold(w[2] ^ k[2], w[3] ^ k[3]);

	if (key->ip_version == 6)
		h ^= npk_mul_fold(w[4] ^ k[4], w[5] ^ k[5]) ^ npk_mul_fold(w[6] ^ k[6], k[2]);
	return npk_mul_fold(h ^ k[7], k[5] | 1);
}

/**
 * npk_proto_has_ports() - does a header of this protocol start with two ports
 * @proto: IP protocol
 *
 * Return: true for TCP, UDP, UDP-Lite, DCCP and SCTP.
 */
static inline bool npk_proto_has_ports(u8 proto)
{
	return proto == NPK_PROTO_TCP || proto == NPK_PROTO_UDP || proto == NPK_PROTO_UDPLITE ||
	       proto == NPK_PROTO_DCCP || proto == NPK_PROTO_SCTP;
}

/**
 * npk_key_side() - which side of its conversation sent this
 * @key: complete key
 *
 * By addresses and, where they are the same, by ports; in an order that means
 * nothing but is the same for both directions.
 *
 * Context: Any.
 * Return: 0 or 1; the opposite direction has the other value, unless nothing
 * tells the two apart.
 */
static __always_inline u8 npk_key_side(const struct npk_key *key)
{
	u64 src[2], dst[2];

	if (likely(key->ip_version == 4)) {
		u32 ends[2];

		memcpy(ends, key->addr, sizeof(ends));
		src[0] = ends[0];
		dst[0] = ends[1];
	} else {
		memcpy(src, key->addr, sizeof(src));
		memcpy(dst, key->addr + 16, sizeof(dst));
		if (src[0] == dst[0]) {
			src[0] = src[1];
			dst[0] = dst[1];
		}
	}
	if (likely(src[0] != dst[0]))
		return src[0] > dst[0];
	return npk_proto_has_ports(key->proto) && be16_to_cpu(key->sport) > be16_to_cpu(key->dport);
}

/**
 * npk_key_conv() - hash of the conversation a flow belongs to
 * @key: complete key
 * @secret: as for npk_key_hash()
 *
 * Over IP version, unordered addresses, protocol, and unordered ports only for
 * TCP, UDP, UDP-Lite, DCCP and SCTP: both directions, and an ICMP query and its
 * answer, give the same value.
 *
 * Context: Any.
 * Return: the hash.
 */
u64 npk_key_conv(const struct npk_key *key, const struct npk_secret *secret);

#endif /* NPK_CORE_KEY_H */
