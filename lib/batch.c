// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "batch.h"

/**
 * struct read_ahead - a frame on its way
 * @plain: what it says
 * @hash: of its key
 * @slot: where its flow seems to be, if @slot.flow; else @slot.bucket is where else to
 *	look, or NULL
 * @is_plain: else it is npk_meter_packet()'s
 */
struct read_ahead {
	struct npk_plain plain;
	u64 hash;
	struct npk_slot slot;
	bool is_plain;
};

/* First the line of signatures. */
static void read_frame(const struct npk_meter *m, const struct npk_pkt *pkt, struct read_ahead *r)
{
	r->slot.bucket = NULL;
	r->slot.flow = NULL;
	r->is_plain = npk_plain_pkt(&r->plain, pkt);
	if (unlikely(!r->is_plain))
		return;
	r->hash = npk_words_hash(&r->plain.words, r->plain.is_ip6, &m->table.secret);
	__builtin_prefetch(npk_table_home(&m->table, r->hash), 1);
}

/* Then the lines of the flow, which that one tells. */
static bool fetch_flow(struct read_ahead *r, struct npk_bucket *b)
{
	u32 ways = npk_bucket_ways(b, npk_sig_of(r->hash));

	if (unlikely(!ways))
		return false;
	npk_slot_set(&r->slot, b, __builtin_ctz(ways));
	__builtin_prefetch(r->slot.flow, 1);
	if (r->plain.is_ip6 || r->plain.is_tcp)
		__builtin_prefetch(r->slot.flow->tail, 1);
	return true;
}

/* Or of the other bucket, in which the flow may be. */
static void look_at_home(const struct npk_meter *m, struct read_ahead *r)
{
	struct npk_bucket *home;

	if (unlikely(!r->is_plain))
		return;
	home = npk_table_home(&m->table, r->hash);
	if (likely(fetch_flow(r, home)) || !npk_bucket_moved(home))
		return;
	r->slot.bucket = npk_table_other(&m->table, r->hash);
	__builtin_prefetch(r->slot.bucket, 1);
}

/* Is the flow still, and after all, where it seemed to be? */
static bool is_there(const struct read_ahead *r)
{
	return likely(r->slot.flow) &&
	       likely(r->slot.bucket->sig[r->slot.way] == npk_sig_of(r->hash)) &&
	       likely(npk_flow_key_is(r->slot.flow, &r->plain.words, r->plain.is_ip6));
}

static void account(struct npk_meter *m, struct npk_pkt *pkt, const struct read_ahead *r)
{
	if (unlikely(!r->is_plain) || unlikely(!is_there(r)) ||
	    unlikely(!npk_meter_add(m, &r->plain, &r->slot, pkt->now_ns)))
		npk_meter_packet(m, pkt);
	else if ((s64)(pkt->now_ns - m->now_ns) > 0)
		m->now_ns = pkt->now_ns;
}

void npk_meter_packets(struct npk_meter *m, struct npk_pkt *pkt, u32 n)
{
	struct read_ahead ahead[NPK_BATCH_PACKETS];
	u32 i;

	for (i = 0; i < n; i++)
		read_frame(m, &pkt[i], &ahead[i]);
	for (i = 0; i < n; i++)
		look_at_home(m, &ahead[i]);
	for (i = 0; i < n; i++) {
		if (unlikely(ahead[i].slot.bucket && !ahead[i].slot.flow))
			fetch_flow(&ahead[i], ahead[i].slot.bucket);
	}
	for (i = 0; i < n; i++)
		account(m, &pkt[i], &ahead[i]);
}
