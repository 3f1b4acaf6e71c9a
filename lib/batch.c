// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "batch.h"

/**
 * struct read_ahead - a frame on its way
 * @plain: what it says
 * @hash: of its key
 * @is_plain: else it is npk_meter_packet()'s
 */
struct read_ahead {
	struct npk_plain plain;
	u64 hash;
	bool is_plain;
};

/* First the line of signatures. */
static void read_frame(const struct npk_meter *m, const struct npk_pkt *pkt, struct read_ahead *r)
{
	r->is_plain = npk_plain_pkt(&r->plain, pkt);
	if (!r->is_plain)
		return;
	r->hash = npk_words_hash(&r->plain.words, r->plain.is_ip6, &m->table.secret);
	__builtin_prefetch(npk_table_home(&m->table, r->hash), 1);
}

/* Then the lines of the flow, which that one tells. */
static void fetch_flow(const struct npk_meter *m, const struct read_ahead *r)
{
	struct npk_bucket *home = npk_table_home(&m->table, r->hash);
	u16 sig = npk_sig_of(r->hash);
	u32 ways, way = npk_way_of(r->hash);

	if (home->sig[way] != sig) {
		ways = npk_bucket_ways(home, sig);
		if (!ways)
			return;
		way = __builtin_ctz(ways);
	}
	__builtin_prefetch(&home->flow[way], 1);
	if (r->plain.is_ip6 || r->plain.is_tcp)
		__builtin_prefetch(home->flow[way].tail, 1);
}

static void account(struct npk_meter *m, struct npk_pkt *pkt, const struct read_ahead *r)
{
	bool known;

	if (unlikely(!r->is_plain)) {
		npk_meter_packet(m, pkt);
		return;
	}
	if (unlikely(!npk_meter_plain(m, &r->plain, r->hash, pkt->now_ns, &known)))
		npk_meter_rest(m, &r->plain, r->hash, known, pkt->now_ns);
	else if ((s64)(pkt->now_ns - m->now_ns) > 0)
		m->now_ns = pkt->now_ns;
}

void npk_meter_packets(struct npk_meter *m, struct npk_pkt *pkt, u32 n)
{
	struct read_ahead ahead[NPK_BATCH_PACKETS];
	u32 i;

	for (i = 0; i < n; i++)
		read_frame(m, &pkt[i], &ahead[i]);
	for (i = 0; i < n; i++) {
		if (ahead[i].is_plain)
			fetch_flow(m, &ahead[i]);
	}
	for (i = 0; i < n; i++)
		account(m, &pkt[i], &ahead[i]);
}
