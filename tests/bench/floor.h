/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What no flow table can do without: parse, hash, one line of an array as large as the
 * signatures, and, which one depends on that, one line of an array as large as the entries.
 */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include "shard.h"

/**
 * struct floor - what is compared with
 * @line: first array, a line for each bucket
 * @entry: second array, NPK_WAYS of them for each bucket
 * @table: has as many buckets; for its secret
 */
struct floor {
	uint64_t (*line)[NPK_CACHE_LINE / 8];
	struct npk_flow *entry;
	const struct npk_table *table;
};

/**
 * struct floor_packet - what the floor knows of a packet
 * @bucket: its line
 * @sig: other bits of its hash
 * @octets: to count
 */
struct floor_packet {
	uint32_t bucket;
	uint16_t sig;
	uint32_t octets;
};

/* An array as large as the signatures of @t, filled, and one as large as its entries. */
static inline void floor_make(struct floor *f, const struct npk_table *t, uint64_t seed)
{
	uint32_t i;

	f->table = t;
	f->line = bench_map((size_t)t->nr_buckets * sizeof(*f->line));
	f->entry = bench_map((size_t)t->nr_buckets * NPK_WAYS * sizeof(*f->entry));
	for (i = 0; i < t->nr_buckets; i++)
		f->line[i][0] = bench_random(&seed);
	memset(f->entry, 0, (size_t)i * NPK_WAYS * sizeof(*f->entry));
}

/* Parsed and hashed, as the meter does it with such a frame. */
static __always_inline void floor_parse(const struct floor *f, const struct npk_pkt *pkt,
					struct floor_packet *p)
{
	struct npk_plain plain;
	uint64_t hash;

	if (!npk_plain_pkt(&plain, pkt))
		bench_die(1, "a frame was not parsed");
	hash = npk_words_hash(&plain.words, plain.is_ip6, &f->table->secret);
	p->bucket = npk_table_index(f->table, (u32)hash);
	p->sig = (uint16_t)(hash >> 48);
	p->octets = plain.ip_len;
}

/* Which entry is not known before the line was read. */
static __always_inline struct npk_flow *floor_entry(const struct floor *f,
						    const struct floor_packet *p)
{
	uint32_t mixed = (uint16_t)(f->line[p->bucket][0] ^ p->sig);

	return &f->entry[(size_t)p->bucket * NPK_WAYS + (mixed * NPK_WAYS >> 16)];
}

static __always_inline void floor_update(struct npk_flow *e, uint32_t octets, uint64_t now_ns)
{
	e->packets++;
	e->octets += octets;
	e->last_ns = now_ns;
}

static inline void floor_each(const struct floor *f, const struct npk_pkt *pkt, uint32_t n)
{
	struct floor_packet p;
	uint32_t i;

	for (i = 0; i < n; i++) {
		floor_parse(f, &pkt[i], &p);
		floor_update(floor_entry(f, &p), p.octets, pkt[i].now_ns);
	}
}

/* The same with prefetching. */
static inline void floor_ahead(const struct floor *f, const struct npk_pkt *pkt, uint32_t n)
{
	struct floor_packet p[BATCH];
	struct npk_flow *entry[BATCH];
	uint32_t i;

	for (i = 0; i < n; i++) {
		floor_parse(f, &pkt[i], &p[i]);
		__builtin_prefetch(&f->line[p[i].bucket]);
	}
	for (i = 0; i < n; i++) {
		entry[i] = floor_entry(f, &p[i]);
		__builtin_prefetch(entry[i], 1);
	}
	for (i = 0; i < n; i++)
		floor_update(entry[i], p[i].octets, pkt[i].now_ns);
}

#endif /* TESTS_BENCH_FLOOR_H */
