/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * First fragments and the ports they showed, for the fragments that follow.
 *
 * One table for all meters, because the fragments of a packet may be received by
 * any CPU and on any device.  It is bounded: the oldest entry of a bucket makes
 * room.  Only fragments touch it.
 */
#ifndef NPK_CORE_FRAG_H
#define NPK_CORE_FRAG_H

#include "parse.h"
#include "stripe.h"

/** NPK_FRAG_NS - how long a first fragment is remembered, as long as Linux' ipfrag_time */
#define NPK_FRAG_NS		(30 * NPK_NSEC_PER_SEC)

/** NPK_FRAG_WAYS - entries in a bucket */
#define NPK_FRAG_WAYS		4

/** NPK_FRAG_BUCKETS - buckets, a power of two: 8192 first fragments, 512 KiB */
#define NPK_FRAG_BUCKETS	2048

/**
 * struct npk_frag - a first fragment, one cache line
 * @id: what fragments of one packet have in common
 * @id.addr: source and destination as in struct npk_key
 * @id.ident: identification, host order
 * @id.proto: IP protocol
 * @id.ip_version: 4 or 6, 0 = the entry is free
 * @id._pad: zero
 * @sport: the port the first fragment had, network order
 * @dport: likewise
 * @_pad: keeps it at 64 octets
 * @seen_ns: when it was seen
 * @_pad2: likewise
 */
struct npk_frag {
	struct npk_frag_id {
		u8 addr[32];
		u32 ident;
		u8 proto;
		u8 ip_version;
		u16 _pad;
	} id;
	__be16 sport;
	__be16 dport;
	u32 _pad;
	u64 seen_ns;
	u64 _pad2;
};

NPK_STATIC_ASSERT(sizeof(struct npk_frag) == NPK_CACHE_LINE);

/**
 * struct npk_frags - the table
 * @stripes: locks
 * @bucket: npk_frags.bucket[NPK_FRAG_BUCKETS][NPK_FRAG_WAYS]
 *
 * Memory is the caller's: zeroed, then npk_frags_init().
 */
struct npk_frags {
	struct npk_stripes stripes;
	struct npk_frag bucket[NPK_FRAG_BUCKETS][NPK_FRAG_WAYS];
};

/**
 * npk_frags_init() - make zeroed memory an empty table
 * @f: zeroed
 */
static inline void npk_frags_init(struct npk_frags *f)
{
	npk_stripes_init(&f->stripes);
}

/**
 * npk_frags_join() - remember a first fragment, or give a later one its ports
 * @f: table
 * @pkt: parsed packet that is a fragment; a later one whose first was seen within
 *	NPK_FRAG_NS gets that one's ports, others keep 0
 * @secret: key of the hash
 *
 * Fragments belong together when IP version, addresses, protocol and
 * identification are the same; the latest first fragment counts.
 *
 * Context: Any in which the caller may take a stripe's lock. Never sleeps.
 * Return: true for a later fragment whose first is not known.
 * Source: RFC 791 section 3.2 (fragmentation); RFC 8200 section 4.5, which leaves the
 * protocol out: later fragments that name another one stay apart.
 */
bool npk_frags_join(struct npk_frags *f, struct npk_pkt *pkt, const struct npk_secret *secret);

#endif /* NPK_CORE_FRAG_H */
