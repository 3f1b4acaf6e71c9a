/* SPDX-License-Identifier: GPL-2.0-only */
/* A meter as lib/capture.c makes one, but in huge pages, and the frames it is fed with. */
#ifndef TESTS_BENCH_SHARD_H
#define TESTS_BENCH_SHARD_H

#include <sys/random.h>

#include "bench.h"

#include "kmod/core/meter.h"
#include "tests/unit/frame.h"

/* Frames prepared ahead: what a driver hands over in one go. */
#define BATCH		32
/* Between two packets; timeouts are far away. */
#define STEP_NS		50
#define TIMEOUT_NS	(600 * NPK_NSEC_PER_SEC)

/**
 * struct feed - frames of many flows
 * @frame: one for each place of a batch; addresses and ports are patched in
 * @pkt: as the meter gets them; the fields of the caller are set
 * @v6: IPv6
 * @order: flow of each packet, or NULL: 0, 1, 2, ...
 * @len: entries of @order
 * @at: next packet
 * @now_ns: its time
 *
 * A flow costs four octets of @order, read one behind the other, so that frames
 * are no cache miss and cost next to nothing.
 */
struct feed {
	uint8_t frame[BATCH][64] __attribute__((aligned(64)));
	struct npk_pkt pkt[BATCH];
	bool v6;
	const uint32_t *order;
	size_t len;
	size_t at;
	uint64_t now_ns;
};

static inline void feed_init(struct feed *f, bool v6)
{
	static struct frame t;
	uint32_t i;

	put_eth(&t, v6 ? 0x86dd : 0x0800);
	if (v6)
		put_ip6(&t, NPK_PROTO_UDP, 8);
	else
		put_ip4(&t, NPK_PROTO_UDP, 26);
	put_udp(&t, 0, 0);
	if (!v6)
		t.len = 60;
	f->v6 = v6;
	f->now_ns = NPK_NSEC_PER_SEC;
	for (i = 0; i < BATCH; i++) {
		memcpy(f->frame[i], t.data, t.len);
		f->pkt[i] = frame_pkt(&t, 0);
		f->pkt[i].data = f->frame[i];
	}
}

/* Both addresses of IPv4, half of the source of IPv6; both ports. */
static inline void feed_patch(uint8_t *frame, bool v6, uint32_t flow)
{
	uint64_t addr = (uint64_t)flow << 32 | 0x0100000a;
	uint32_t ports = (flow * 40503U & 0xffff) | 0x35000000;

	memcpy(frame + (v6 ? 30 : 26), &addr, sizeof(addr));
	memcpy(frame + (v6 ? 54 : 34), &ports, sizeof(ports));
}

static inline void feed_next(struct feed *f)
{
	const uint32_t *order = f->order;
	uint32_t i;

	if (order && f->at + BATCH > f->len)
		f->at = 0;
	for (i = 0; i < BATCH; i++) {
		feed_patch(f->frame[i], f->v6, order ? order[f->at + i] : (uint32_t)f->at + i);
		f->pkt[i].now_ns = f->now_ns += STEP_NS;
	}
	f->at += BATCH;
}

static inline void shard_table(struct npk_table *t, uint64_t slots)
{
	uint32_t i;

	t->nr_buckets = npk_table_buckets(slots);
	for (i = 0; i < npk_table_segments(t->nr_buckets); i++)
		t->seg[i] = bench_map(npk_table_segment_size(t->nr_buckets, i));
	t->occupied = bench_map(npk_table_bitmap_size(t->nr_buckets));
	if (getrandom(&t->secret, sizeof(t->secret), 0) != (ssize_t)sizeof(t->secret))
		bench_die(1, "getrandom failed");
}

static inline void shard_meter(struct npk_meter *m, uint64_t slots, npk_emit_fn emit, void *ctx)
{
	shard_table(&m->table, slots);
	m->convs = bench_map(sizeof(*m->convs));
	npk_convs_init(m->convs);
	m->frags = bench_map(sizeof(*m->frags));
	npk_frags_init(m->frags);
	m->limits.idle_ns = TIMEOUT_NS;
	m->limits.active_ns = TIMEOUT_NS;
	m->emit = emit;
	m->emit_ctx = ctx;
}

/* A batch of packets that were fed in, one after the other. */
static inline void shard_packets(struct npk_meter *m, struct npk_pkt *pkt, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		npk_meter_packet(m, &pkt[i]);
}

#endif /* TESTS_BENCH_SHARD_H */
