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
 * struct npk_words - a flow key as numbers; for registers, hence no array
 * @transport: ports, protocol, ToS, IP version, direction
 * @link: device, both tags
 * @label: MPLS label and padding
 * @addr0: IPv4: both addresses; IPv6: the source's first half; from here on as in memory
 * @addr1: the rest of IPv6, 0 for IPv4
 * @addr2: likewise
 * @addr3: likewise
 */
struct npk_words {
	u64 transport;
	u64 link;
	u64 label;
	u64 addr0;
	u64 addr1;
	u64 addr2;
	u64 addr3;
};

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
 * @words: the same as 64-bit words; the first NPK_KEY_WORDS4 decide for IPv4
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
		struct npk_words words;
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

/* npk_key_hash() of a key's words. */
static __always_inline u64 npk_words_hash(const struct npk_words *w, bool is_ip6,
					  const struct npk_secret *secret)
{
	const u64 *k = secret->word;
	u64 h = npk_mul_fold(w->transport ^ k[0], w->link ^ k[1]) ^
		npk_mul_fold(w->label ^ k[2], w->addr0 ^ k[3]);

	if (is_ip6)
		h ^= npk_mul_fold(w->addr1 ^ k[4], w->addr2 ^ k[5]) ^
		     npk_mul_fold(w->addr3 ^ k[6], k[2]);
	return npk_mul_fold(h ^ k[7], k[5]);
}

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
	return npk_words_hash(&key->words, key->ip_version == 6, secret);
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
 * struct npk_conv_id - the conversation a packet belongs to
 * @hash: the same for both directions
 * @side: 0 or 1; the opposite direction has the other value, unless nothing tells
 *	the two apart
 */
struct npk_conv_id {
	u64 hash;
	u8 side;
};

/* Both ports of a key as one number. */
static __always_inline u32 npk_words_ports(const struct npk_words *w)
{
	return npk_word_first(w->transport);
}

/* Of two ports in one number the lower comes first; in an order that means nothing. */
static __always_inline u32 npk_ports_sorted(u32 ports)
{
	u32 swapped = ports << 16 | ports >> 16;

	return ports < swapped ? ports : swapped;
}

/**
 * npk_conv_id4() - conversation of an IPv4 flow
 * @w: words of its key
 * @proto: its protocol
 * @has_ports: npk_proto_has_ports() of that
 * @secret: as for npk_key_hash()
 *
 * Return: as npk_key_conv().
 */
static __always_inline struct npk_conv_id npk_conv_id4(const struct npk_words *w, u8 proto,
						       bool has_ports,
						       const struct npk_secret *secret)
{
	u64 swapped = w->addr0 << 32 | w->addr0 >> 32;
	u64 ends = w->addr0 < swapped ? w->addr0 : swapped;
	u32 ports = has_ports ? npk_words_ports(w) : 0, sorted = npk_ports_sorted(ports);
	u64 h = npk_mul_fold(npk_word(sorted, proto, 0, 4, 0) ^ secret->word[0],
			     ends ^ secret->word[1]);

	return (struct npk_conv_id){
		.hash = npk_mul_fold(h ^ secret->word[6], secret->word[7]),
		.side = w->addr0 == swapped ? ports != sorted : w->addr0 != ends,
	};
}

/* The same of an IPv6 flow. */
struct npk_conv_id npk_conv_id6(const struct npk_words *w, u8 proto, bool has_ports,
				const struct npk_secret *secret);

/* npk_key_conv() of a key's words. */
static __always_inline struct npk_conv_id npk_words_conv(const struct npk_words *w, bool is_ip6,
							 u8 proto,
							 const struct npk_secret *secret)
{
	bool has_ports = npk_proto_has_ports(proto);

	return likely(!is_ip6) ? npk_conv_id4(w, proto, has_ports, secret) :
				 npk_conv_id6(w, proto, has_ports, secret);
}

/**
 * npk_key_conv() - the conversation a flow belongs to
 * @key: complete key
 * @secret: as for npk_key_hash()
 *
 * Over IP version, unordered addresses, protocol, and unordered ports only for
 * TCP, UDP, UDP-Lite, DCCP and SCTP: both directions, and an ICMP query and its
 * answer, give the same hash.
 *
 * Context: Any.
 * Return: hash and side.
 */
static inline struct npk_conv_id npk_key_conv(const struct npk_key *key,
					      const struct npk_secret *secret)
{
	return npk_words_conv(&key->words, key->ip_version == 6, key->proto, secret);
}

#endif /* NPK_CORE_KEY_H */
