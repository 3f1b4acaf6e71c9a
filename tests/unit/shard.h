/* SPDX-License-Identifier: GPL-2.0-only */
/* A meter of its own for a test, and where its records go. */
#ifndef TESTS_UNIT_SHARD_H
#define TESTS_UNIT_SHARD_H

#include "test.h"

#include "frame.h"

#include "kmod/core/meter.h"
#include "kmod/core/record.h"
#include "kmod/core/tcp.h"

#define S	NPK_NSEC_PER_SEC
#define MS	1000000ULL
#define US	1000ULL

#define SINK_PORTS	3000
#define SINK_RECORDS	64

/**
 * struct sink - where the records of a test go
 * @room: records it takes before it has no room
 * @nr: records taken
 * @sum: what they carried
 * @last: the latest record
 * @reasons: by end reason
 * @key: per source port, what the records carried
 * @rec: the first SINK_RECORDS records
 */
struct sink {
	uint64_t room;
	uint64_t nr;
	struct npk_tally sum;
	struct npk_rec last;
	uint64_t reasons[8];
	struct npk_tally key[SINK_PORTS];
	struct npk_rec rec[SINK_RECORDS];
};

static inline bool sink_take(void *ctx, const struct npk_flow *flow, u8 reason, bool must)
{
	struct sink *k = ctx;
	uint16_t port;

	if (!must && !k->room)
		return false;
	k->room -= k->room ? 1 : 0;
	npk_record_fill(&k->last, flow, reason, 0, k->nr);
	if (k->nr < SINK_RECORDS)
		k->rec[k->nr] = k->last;
	k->nr++;
	k->sum.packets += k->last.packets;
	k->sum.octets += k->last.octets;
	k->reasons[reason]++;
	port = be16_to_cpu(k->last.sport);
	if (port < SINK_PORTS) {
		k->key[port].packets += k->last.packets;
		k->key[port].octets += k->last.octets;
	}
	return true;
}

/* The record number @n, from 0, of those with this source port. */
static inline const struct npk_rec *sink_record(const struct sink *k, uint16_t sport, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < k->nr && i < SINK_RECORDS; i++) {
		if (be16_to_cpu(k->rec[i].sport) == sport && !n--)
			return &k->rec[i];
	}
	fail_msg("no such record of port %u", sport);
	return NULL;
}

static inline struct npk_meter *make_meter(uint32_t nr_buckets, struct sink *k)
{
	struct npk_meter *m = calloc(1, sizeof(*m));
	size_t size = npk_table_segment_size(nr_buckets, 0);
	uint64_t seed = nr_buckets + 1;
	uint32_t i;

	assert_non_null(m);
	memset(k, 0, sizeof(*k));
	k->room = ~0ULL;
	m->table.nr_buckets = nr_buckets;
	m->table.seg[0] = aligned_alloc(NPK_CACHE_LINE, size);
	assert_non_null(m->table.seg[0]);
	memset(m->table.seg[0], 0, size);
	m->table.occupied = calloc(1, npk_table_bitmap_size(nr_buckets));
	assert_non_null(m->table.occupied);
	for (i = 0; i < NPK_KEY_WORDS6 + 1; i++)
		m->table.secret.word[i] = test_random(&seed);
	m->limits.idle_ns = 15 * S;
	m->limits.active_ns = 60 * S;
	m->emit = sink_take;
	m->emit_ctx = k;
	return m;
}

static inline void free_meter(struct npk_meter *m)
{
	free(m->table.seg[0]);
	free(m->table.occupied);
	free(m);
}

/* The sums of the counters, and the live part by walking the table. */
static inline void check_sums(const struct npk_meter *m, const struct sink *k)
{
	const struct npk_meter_count *c = &m->count;
	uint64_t ignored = 0, split = 0, flows = 0;
	struct npk_tally live = {};
	const struct npk_bucket *b;
	uint32_t i, way;

	for (i = 0; i < __NPK_IGN_MAX; i++)
		ignored += c->ignored[i];
	for (i = 0; i < m->table.nr_buckets; i++) {
		b = npk_table_bucket(&m->table, i);
		for (way = 0; way < NPK_WAYS; way++) {
			if (!b->sig[way])
				continue;
			flows++;
			split += !b->flow[way].packets;
			live.packets += b->flow[way].packets;
			live.octets += b->flow[way].octets;
		}
	}
	assert_int_equal(c->seen, ignored + c->accounted.packets);
	assert_int_equal(c->live.packets, live.packets);
	assert_int_equal(c->live.octets, live.octets);
	assert_int_equal(c->split, split);
	assert_int_equal(m->table.nr_flows, flows);
	assert_int_equal(npk_meter_flows(m), flows - split);
	assert_int_equal(c->accounted.packets, c->live.packets + k->sum.packets);
	assert_int_equal(c->accounted.octets, c->live.octets + k->sum.octets);
}

static inline void send_udp(struct npk_meter *m, uint16_t sport, uint64_t now_ns)
{
	struct npk_pkt pkt;
	struct frame f;

	frame_udp4(&f, sport, 53);
	pkt = frame_pkt(&f, now_ns);
	npk_meter_packet(m, &pkt);
}

static inline void send_tcp(struct npk_meter *m, uint16_t sport, uint16_t flags, uint64_t now_ns)
{
	struct npk_pkt pkt;
	struct frame f;

	frame_tcp4(&f, sport, 80, flags);
	pkt = frame_pkt(&f, now_ns);
	npk_meter_packet(m, &pkt);
}

static inline void sweep(struct npk_meter *m, uint64_t now_ns)
{
	npk_meter_sweep(m, now_ns, NPK_SWEEP_ALL);
}

/* Sweep in small steps, as a timer would. */
static inline void sweep_until(struct npk_meter *m, uint64_t from_ns, uint64_t to_ns)
{
	for (; from_ns <= to_ns; from_ns += 10 * MS)
		sweep(m, from_ns);
}

#endif /* TESTS_UNIT_SHARD_H */
