/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Established flows while others flood the table: what the test asserts in small and the
 * benchmark measures in large.
 */
#ifndef TESTS_UNIT_FLOOD_H
#define TESTS_UNIT_FLOOD_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

#include "kmod/core/meter.h"
#include "kmod/core/record.h"

/* Numbers of flows become source addresses: established ones are 10.x.x.x, others 16.0.0.0 on. */
#define FLOOD_ESTABLISHED	0x0a000000U
#define FLOOD_OTHERS		0x10000000U
/* A packet a microsecond, the reaper ten times a second with the module's budget. */
#define FLOOD_STEP_NS		1000ULL
#define FLOOD_REAP_NS		100000000ULL
#define FLOOD_REAP_BUDGET	120

/**
 * struct flood - a meter, what it was sent and what its records say
 * @m: meter
 * @now_ns: present time
 * @reap_ns: when the reaper comes next
 * @nr: established flows
 * @sent: packets of each of them
 * @got: packets of each in records
 * @records: records of each
 * @sum: all records
 * @frame: the next packet
 */
struct flood {
	struct npk_meter m;
	uint64_t now_ns;
	uint64_t reap_ns;
	uint32_t nr;
	uint64_t *sent;
	uint64_t *got;
	uint32_t *records;
	struct npk_tally sum;
	struct frame frame;
};

static inline uint32_t flood_addr(const struct npk_rec *rec)
{
	return (uint32_t)rec->saddr[0] << 24 | (uint32_t)rec->saddr[1] << 16 |
	       (uint32_t)rec->saddr[2] << 8 | rec->saddr[3];
}

static inline bool flood_take(void *ctx, const struct npk_flow *flow, u8 reason, bool must)
{
	struct flood *f = ctx;
	struct npk_rec rec;
	uint32_t i;

	(void)must;
	npk_record_fill(&rec, flow, reason, 0, 0);
	f->sum.packets += rec.packets;
	f->sum.octets += rec.octets;
	i = flood_addr(&rec) - FLOOD_ESTABLISHED;
	if (i < f->nr) {
		f->got[i] += rec.packets;
		f->records[i]++;
	}
	return true;
}

static inline void flood_free(struct flood *f)
{
	uint32_t i;

	for (i = 0; i < NPK_SEGS_MAX; i++)
		free(f->m.table.seg[i]);
	free(f->m.table.occupied);
	free(f->m.convs);
	free(f->sent);
	free(f->got);
	free(f->records);
	free(f);
}

/* A table of so many buckets, its memory touched: it is not the system that is to be slow. */
static inline bool flood_table(struct npk_table *t, uint32_t nr_buckets, uint64_t seed)
{
	uint64_t size;
	uint32_t i;

	t->nr_buckets = nr_buckets;
	for (i = 0; i < sizeof(t->secret.word) / sizeof(t->secret.word[0]); i++) {
		seed = (seed ^ seed >> 29) * 0xbf58476d1ce4e5b9ULL + 0x9e3779b97f4a7c15ULL;
		t->secret.word[i] = seed;
	}
	for (i = 0; i < npk_table_segments(nr_buckets); i++) {
		size = npk_table_segment_size(nr_buckets, i);
		t->seg[i] = aligned_alloc(NPK_CACHE_LINE, size);
		if (!t->seg[i])
			return false;
		memset(t->seg[i], 0, size);
	}
	t->occupied = calloc(1, npk_table_bitmap_size(nr_buckets));
	return t->occupied;
}

static inline struct flood *flood_make(uint32_t nr_buckets, uint32_t nr_established)
{
	struct flood *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->nr = nr_established;
	f->sent = calloc(nr_established + 1, sizeof(*f->sent));
	f->got = calloc(nr_established + 1, sizeof(*f->got));
	f->records = calloc(nr_established + 1, sizeof(*f->records));
	f->m.convs = aligned_alloc(NPK_CACHE_LINE, sizeof(*f->m.convs));
	if (!f->sent || !f->got || !f->records || !f->m.convs ||
	    !flood_table(&f->m.table, nr_buckets, nr_buckets + 1)) {
		flood_free(f);
		return NULL;
	}
	memset(f->m.convs, 0, sizeof(*f->m.convs));
	npk_convs_init(f->m.convs);
	f->m.limits.idle_ns = 15 * NPK_NSEC_PER_SEC;
	f->m.limits.active_ns = 3600 * NPK_NSEC_PER_SEC;
	f->m.emit = flood_take;
	f->m.emit_ctx = f;
	f->now_ns = NPK_NSEC_PER_SEC;
	f->m.now_ns = f->now_ns;
	f->m.swept_ns = f->now_ns;
	f->reap_ns = f->now_ns + FLOOD_REAP_NS;
	frame_udp4(&f->frame, 1024, 53);
	return f;
}

/* The frame of flow number @addr; nothing else of it changes. */
static inline struct npk_pkt flood_pkt(struct flood *f, uint32_t addr)
{
	uint8_t *p = f->frame.data + 26;

	p[0] = (uint8_t)(addr >> 24);
	p[1] = (uint8_t)(addr >> 16);
	p[2] = (uint8_t)(addr >> 8);
	p[3] = (uint8_t)addr;
	return frame_pkt(&f->frame, f->now_ns);
}

/* The time goes on by a packet, and the reaper does what it has to. */
static inline void flood_tick(struct flood *f)
{
	f->now_ns += FLOOD_STEP_NS;
	if (f->now_ns < f->reap_ns)
		return;
	f->reap_ns += FLOOD_REAP_NS;
	while (npk_meter_sweep(&f->m, f->now_ns, FLOOD_REAP_BUDGET) >= FLOOD_REAP_BUDGET)
		;
}

static inline void flood_send(struct flood *f, uint32_t addr)
{
	struct npk_pkt pkt = flood_pkt(f, addr);

	npk_meter_packet(&f->m, &pkt);
	flood_tick(f);
}

static inline void flood_established(struct flood *f, uint32_t i)
{
	flood_send(f, FLOOD_ESTABLISHED + i);
	f->sent[i]++;
}

/**
 * flood_run() - flood the table while the established flows go on
 * @f: flood
 * @others: flows of the flood
 * @each: packets of each of them, one after the other
 * @between: packets of the flood between two of an established flow
 */
static inline void flood_run(struct flood *f, uint32_t others, uint32_t each, uint32_t between)
{
	uint32_t i, k, next = 0, n = 0;

	for (i = 0; i < 2 * f->nr; i++)
		flood_established(f, i % f->nr);
	for (i = 0; i < others; i++) {
		for (k = 0; k < each; k++, n++) {
			if (f->nr && !(n % between))
				flood_established(f, next++ % f->nr);
			flood_send(f, FLOOD_OTHERS + i);
		}
	}
}

/* The sums are right, and every established flow's packets are in its records. */
static inline bool flood_is_exact(const struct flood *f)
{
	const struct npk_meter_count *c = &f->m.count;
	uint32_t i;

	for (i = 0; i < f->nr; i++) {
		if (f->sent[i] != f->got[i])
			return false;
	}
	return c->seen == c->accounted.packets && !c->live.packets && !f->m.table.nr_flows &&
	       f->sum.packets == c->accounted.packets && f->sum.octets == c->accounted.octets;
}

/* Established flows that are in one record. */
static inline uint32_t flood_in_one(const struct flood *f)
{
	uint32_t i, n = 0;

	for (i = 0; i < f->nr; i++)
		n += f->records[i] == 1;
	return n;
}

/* The hash the table knows flow number @addr by. */
static inline uint64_t flood_hash(struct flood *f, uint32_t addr)
{
	struct npk_pkt pkt = flood_pkt(f, addr);

	npk_parse(&pkt);
	return npk_key_hash(&pkt.key, &f->m.table.secret);
}

/**
 * enum flood_aim - what flows of an attacker who knew the secret have in common
 * @FLOOD_HOME: their home bucket
 * @FLOOD_BOTH: both buckets, the same one
 * @FLOOD_SIGNATURE: the signature (and both buckets, in a table of one)
 */
enum flood_aim { FLOOD_HOME, FLOOD_BOTH, FLOOD_SIGNATURE };

/* Numbers of @nr such flows. */
static inline void flood_find(struct flood *f, enum flood_aim aim, uint32_t *addr, uint32_t nr)
{
	uint32_t n = 0, i;
	uint64_t hash;
	bool hit;

	for (i = FLOOD_OTHERS; n < nr; i++) {
		hash = flood_hash(f, i);
		hit = npk_table_home(&f->m.table, hash) == npk_table_bucket(&f->m.table, 0);
		if (aim == FLOOD_BOTH)
			hit = hit && npk_table_other(&f->m.table, hash) ==
				     npk_table_bucket(&f->m.table, 0);
		if (aim == FLOOD_SIGNATURE)
			hit = hit && npk_sig_of(hash) == 0x1235;
		if (hit)
			addr[n++] = i;
	}
}

#endif /* TESTS_UNIT_FLOOD_H */
