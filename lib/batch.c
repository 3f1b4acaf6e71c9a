// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "batch.h"

/**
 * struct read_ahead - a frame on its way
 * @plain: what it says
 * @hash: of its key
 * @slot: where its flow seems to be; without a flow: nowhere, only its home is known
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
	r->is_plain = npk_plain_pkt(&r->plain, pkt);
	if (unlikely(!r->is_plain))
		return;
	r->hash = npk_words_hash(&r->plain.words, r->plain.is_ip6, &m->table.secret);
	r->slot.bucket = npk_table_home(&m->table, r->hash);
	__builtin_prefetch(r->slot.bucket);
}

/* Then the lines of the flow, which that one tells. */
static __always_inline bool fetch_flow(struct read_ahead *r, struct npk_bucket *b)
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

/* Or the line of its other bucket; true when that is to be looked at too. */
static bool look_at_home(const struct npk_meter *m, struct read_ahead *r)
{
	r->slot.flow = NULL;
	if (unlikely(!r->is_plain) || likely(fetch_flow(r, r->slot.bucket)) ||
	    !npk_bucket_moved(r->slot.bucket))
		return false;
	__builtin_prefetch(npk_table_other(&m->table, r->hash));
	return true;
}

/* Is the flow still, and after all, where it seemed to be? */
static bool is_there(const struct read_ahead *r)
{
	return likely(r->slot.flow) &&
	       likely(r->slot.bucket->sig[r->slot.way] == npk_sig_of(r->hash)) &&
	       likely(npk_flow_key_is(r->slot.flow, &r->plain.words, r->plain.is_ip6));
}

/**
 * struct added - packets of a batch that only added to their flows
 * @now_ns: the latest of them
 * @octets: IP octets
 * @packets: how many
 */
struct added {
	u64 now_ns;
	u64 octets;
	u32 packets;
};

static __always_inline void account(struct npk_meter *m, struct npk_pkt *pkt,
				    const struct read_ahead *r, struct added *added)
{
	if (unlikely(!is_there(r)) ||
	    unlikely(!npk_meter_add(m, &r->plain, &r->slot, pkt->now_ns))) {
		npk_meter_time(m, added->now_ns);
		npk_meter_packet(m, pkt);
		return;
	}
	if ((s64)(pkt->now_ns - added->now_ns) > 0)
		added->now_ns = pkt->now_ns;
	added->octets += r->plain.ip_len;
	added->packets++;
}

void npk_meter_packets(struct npk_meter *m, struct npk_pkt *pkt, u32 n)
{
	struct read_ahead ahead[NPK_BATCH_PACKETS];
	struct added added = { .now_ns = m->now_ns };
	u8 elsewhere[NPK_BATCH_PACKETS];
	u32 i, nr = 0;

	for (i = 0; i < n; i++)
		read_frame(m, &pkt[i], &ahead[i]);
	for (i = 0; i < n; i++) {
		elsewhere[nr] = i;
		nr += look_at_home(m, &ahead[i]);
	}
	for (i = 0; i < nr; i++)
		fetch_flow(&ahead[elsewhere[i]],
			   npk_table_other(&m->table, ahead[elsewhere[i]].hash));
	for (i = 0; i < n; i++)
		account(m, &pkt[i], &ahead[i], &added);
	npk_meter_time(m, added.now_ns);
	npk_meter_count(m, added.packets, added.packets, added.octets);
}
