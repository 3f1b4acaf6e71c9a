// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring between two threads: the producer does what kmod/ring.c does for a record
 * of a group with one member, but for waking the reader; the consumer is libnpk's.
 * Then what a record costs that a sweep makes.
 */
#include <pthread.h>
#include <unistd.h>

#include <npk/npk.h>

#include "shard.h"
#include "kmod/core/record.h"
#include "kmod/core/ring.h"
#include "lib/rings.h"

/* The module's ring_slots, and the watermark of a reader that names none. */
#define SLOTS		8192
#define WATERMARK	(SLOTS / 4)
/* Records the daemon takes at a time. */
#define WINDOW		4096
#define RECORDS		(1U << 20)
/* A few microseconds of pause instructions. */
#define PAUSES		256
/* Times a cache line goes to the other processor and back before a round. */
#define ROUNDTRIPS	1000
#define ROUNDS		15
/* Flows whose records go through the pair, again and again; a power of two. */
#define FLOWS		1024
#define REC_WORDS	(sizeof(struct npk_rec) / 8)

#define EXPIRE_FLOWS	1000000U
#define EXPIRE_FILL	75
#define EXPIRE_ROUNDS	9
/* Spent under one hold of the lock by the module's reaper. */
#define EXPIRE_BUDGET	120

/**
 * struct ring - producer's side
 * @head: private position; what the reader sees is a copy
 * @tail: the reader's position as last read
 * @prod: page the reader may read
 * @cons: page the reader may write
 * @data: records
 * @secret: for the hash of the conversation
 * @sum: packets and octets in records
 * @records: these records
 */
struct ring {
	u64 head;
	u64 tail;
	struct npk_prod *prod;
	struct npk_cons *cons;
	struct npk_rec *data;
	const struct npk_secret *secret;
	struct npk_tally sum;
	u64 records;
};

/**
 * struct pair - a ring, its two threads, and what goes through it
 * @ring: producer's side
 * @map: the consumer's ring
 * @reader: consumer's side
 * @flow: entries that records are made of
 * @expect: sum of the words of each one's record, without its number
 * @first: number of the round's first record
 * @start: both begin together
 * @line: goes to and fro
 * @roundtrip_ns: how long that takes
 * @began_ns: when the consumer began, by the clock on the wall
 * @ended_ns: when it had the last record
 * @producer_ns: CPU time of the producer without waiting
 * @consumer_ns: likewise
 */
struct pair {
	struct ring ring;
	struct npk_ring_map map;
	struct npk_rings reader;
	struct npk_flow flow[FLOWS];
	u64 expect[FLOWS];
	u64 first;
	pthread_barrier_t start;
	u64 line __attribute__((aligned(2 * NPK_CACHE_LINE)));
	u64 roundtrip_ns __attribute__((aligned(2 * NPK_CACHE_LINE)));
	u64 began_ns;
	u64 ended_ns;
	u64 producer_ns;
	u64 consumer_ns;
};

static void *pages(size_t size)
{
	void *p = aligned_alloc(4096, (size + 4095) & ~4095UL);

	if (!p)
		bench_die(1, "no memory");
	return memset(p, 0, size);
}

static void ring_make(struct ring *r, const struct npk_secret *secret)
{
	r->prod = pages(sizeof(*r->prod));
	r->cons = pages(sizeof(*r->cons));
	r->data = pages(SLOTS * sizeof(*r->data));
	r->secret = secret;
}

static bool ring_has_room(struct ring *r)
{
	u64 tail;
	u32 used;

	if (likely(r->head - r->tail < SLOTS))
		return true;
	tail = __atomic_load_n(&r->cons->tail, __ATOMIC_ACQUIRE);
	if (!npk_ring_used(r->head, tail, SLOTS, &used))
		bench_die(1, "the reader's position makes no sense");
	r->tail = tail;
	return used < SLOTS;
}

/* An npk_emit_fn. */
static bool ring_emit(void *ctx, const struct npk_flow *flow, u8 reason, bool must)
{
	struct ring *r = ctx;

	if (!ring_has_room(r))
		return false;
	npk_record_fill(&r->data[npk_ring_slot(r->head, SLOTS)], flow, reason,
			npk_flow_conv(flow, r->secret), r->head);
	r->head++;
	__atomic_store_n(&r->prod->head, r->head, __ATOMIC_RELEASE);
	r->sum.packets += flow->packets;
	r->sum.octets += flow->octets;
	r->records++;
	return true;
}

/* The same with a reader that is always done. */
static bool ring_emit_read(void *ctx, const struct npk_flow *flow, u8 reason, bool must)
{
	struct ring *r = ctx;

	if (r->head - r->tail == SLOTS)
		__atomic_store_n(&r->cons->tail, r->head, __ATOMIC_RELEASE);
	return ring_emit(r, flow, reason, must);
}

/* A record is counted and made nowhere. */
static bool ring_emit_bare(void *ctx, const struct npk_flow *flow, u8 reason, bool must)
{
	struct ring *r = ctx;

	r->sum.packets += flow->packets;
	r->sum.octets += flow->octets;
	r->records++;
	return true;
}

/* A reader in poll() does not touch the producer's line, so one that waits looks seldom. */
static void pause_a_little(void)
{
	u32 i;

	for (i = 0; i < PAUSES; i++)
		__builtin_ia32_pause();
}

/* Until the ring holds no more, or no less, than half or the watermark; returns the CPU time. */
static u64 wait_for_room(const struct ring *r)
{
	u64 ns = bench_cpu_ns();

	while (r->head - __atomic_load_n(&r->cons->tail, __ATOMIC_ACQUIRE) > SLOTS / 2)
		pause_a_little();
	return bench_cpu_ns() - ns;
}

static u64 wait_for_records(const struct pair *p, u64 last)
{
	u64 ns = bench_cpu_ns(), enough = p->map.tail + WATERMARK;

	if (enough > last)
		enough = last;
	while (__atomic_load_n(&p->ring.prod->head, __ATOMIC_ACQUIRE) < enough)
		pause_a_little();
	return bench_cpu_ns() - ns;
}

/* The two threads hand a line to each other; nanoseconds there and back. */
static u64 hand_over(u64 *line, u64 mine)
{
	u64 i, ns = bench_clock(CLOCK_MONOTONIC);

	for (i = mine; i < 2 * ROUNDTRIPS; i += 2) {
		while (__atomic_load_n(line, __ATOMIC_ACQUIRE) != i)
			__builtin_ia32_pause();
		__atomic_store_n(line, i + 1, __ATOMIC_RELEASE);
	}
	return (bench_clock(CLOCK_MONOTONIC) - ns) / ROUNDTRIPS;
}

static void *produce(void *arg)
{
	struct pair *p = arg;
	u64 i, ns, waited = 0;

	bench_pin(0);
	pthread_barrier_wait(&p->start);
	hand_over(&p->line, 0);
	ns = bench_cpu_ns();
	for (i = p->first; i < p->first + RECORDS; i++) {
		while (!ring_emit(&p->ring, &p->flow[i % FLOWS], NPK_END_IDLE, false))
			waited += wait_for_room(&p->ring);
	}
	p->producer_ns = bench_cpu_ns() - ns - waited;
	return NULL;
}

static u64 rec_sum(const struct npk_rec *rec)
{
	const u64 *word = (const u64 *)rec;
	u64 sum = 0;
	size_t i;

	for (i = 0; i < REC_WORDS; i++)
		sum += word[i];
	return sum - rec->seq;
}

static void check(const struct pair *p, const struct npk_rec *rec, u64 seq)
{
	if (rec->seq != seq || rec_sum(rec) != p->expect[seq % FLOWS])
		bench_die(1, "record %llu: number %llu, its octets %s", (unsigned long long)seq,
			  (unsigned long long)rec->seq,
			  rec_sum(rec) == p->expect[seq % FLOWS] ? "right" : "wrong");
}

static void *consume(void *arg)
{
	struct pair *p = arg;
	const struct npk_rec *recs[WINDOW];
	u64 seq = p->first, last = p->first + RECORDS, ns, waited = 0;
	size_t i, n;

	bench_pin(1);
	pthread_barrier_wait(&p->start);
	p->roundtrip_ns = hand_over(&p->line, 1);
	p->began_ns = bench_clock(CLOCK_MONOTONIC);
	ns = bench_cpu_ns();
	while (seq < last) {
		npk_rings_look(&p->reader);
		n = npk_rings_peek(&p->reader, recs, WINDOW);
		for (i = 0; i < n; i++)
			check(p, recs[i], seq++);
		npk_rings_release(&p->reader, n);
		if (!n)
			waited += wait_for_records(p, last);
	}
	p->consumer_ns = bench_cpu_ns() - ns - waited;
	p->ended_ns = bench_clock(CLOCK_MONOTONIC);
	return NULL;
}

/* Records a second by the clock on the wall. */
static double run_pair(struct pair *p)
{
	pthread_t producer, consumer;

	p->line = 0;
	pthread_barrier_init(&p->start, NULL, 2);
	if (pthread_create(&producer, NULL, produce, p) ||
	    pthread_create(&consumer, NULL, consume, p))
		bench_die(1, "no thread");
	pthread_join(producer, NULL);
	pthread_join(consumer, NULL);
	pthread_barrier_destroy(&p->start);
	p->first += RECORDS;
	return RECORDS * 1e9 / (double)(p->ended_ns - p->began_ns);
}

/* Flows as a meter makes them, both IP versions; what their records have to look like. */
static void pair_make(struct pair *p, struct npk_secret *secret)
{
	static struct feed feed;
	struct npk_rec rec;
	u32 i, j;

	ring_make(&p->ring, secret);
	p->map = (struct npk_ring_map){ p->ring.prod, p->ring.cons, (uint8_t *)p->ring.data };
	npk_ring_begin(&p->map);
	p->reader.ring = &p->map;
	p->reader.nr = 1;
	p->reader.slots = SLOTS;
	p->reader.rec_size = sizeof(struct npk_rec);
	for (i = 0; i < FLOWS; i += BATCH) {
		feed_init(&feed, i >= FLOWS / 2);
		feed.at = i;
		feed_next(&feed);
		for (j = i; j < i + BATCH; j++) {
			if (npk_parse(&feed.pkt[j - i]))
				bench_die(1, "a frame was not parsed");
			npk_flow_start(&p->flow[j], &feed.pkt[j - i]);
			npk_flow_account(&p->flow[j], &feed.pkt[j - i]);
			npk_record_fill(&rec, &p->flow[j], NPK_END_IDLE,
					npk_flow_conv(&p->flow[j], secret), 0);
			p->expect[j] = rec_sum(&rec);
		}
	}
}

static void measure_pair(struct pair *p)
{
	double speed[ROUNDS], producer[ROUNDS], consumer[ROUNDS], roundtrip[ROUNDS];
	u32 i;

	run_pair(p);	/* the first one warms up */
	for (i = 0; i < ROUNDS; i++) {
		speed[i] = run_pair(p);
		producer[i] = (double)p->producer_ns / RECORDS;
		consumer[i] = (double)p->consumer_ns / RECORDS;
		roundtrip[i] = (double)p->roundtrip_ns;
	}
	bench_print("ring", ".records_per_second", "records/s", speed, ROUNDS);
	bench_print("ring", ".producer.ns", "ns", producer, ROUNDS);
	bench_print("ring", ".consumer.ns", "ns", consumer, ROUNDS);
	bench_print("ring", ".roundtrip.ns", "ns", roundtrip, ROUNDS);
}

/* Fill the table with flows of one packet, let time pass, sweep: nanoseconds a record. */
static double expire(struct npk_meter *m, struct feed *feed, npk_emit_fn emit)
{
	struct ring *r = m->emit_ctx;
	u64 ns, records = r->records;

	m->emit = emit;
	for (feed->at = 0; feed->at < EXPIRE_FLOWS; ) {
		feed_next(feed);
		shard_packets(m, feed->pkt, BATCH);
	}
	if (m->table.nr_flows != EXPIRE_FLOWS)
		bench_die(1, "%llu flows", (unsigned long long)m->table.nr_flows);
	feed->now_ns += m->limits.idle_ns + NPK_NSEC_PER_SEC;
	ns = bench_cpu_ns();
	while (npk_meter_sweep(m, feed->now_ns, EXPIRE_BUDGET) >= EXPIRE_BUDGET)
		;
	ns = bench_cpu_ns() - ns;
	if (m->table.nr_flows || r->records - records != EXPIRE_FLOWS ||
	    r->sum.packets != m->count.accounted.packets ||
	    r->sum.octets != m->count.accounted.octets)
		bench_die(1, "%llu flows are left, %llu records were made",
			  (unsigned long long)m->table.nr_flows,
			  (unsigned long long)(r->records - records));
	return (double)ns / EXPIRE_FLOWS;
}

static void measure_expire(void)
{
	struct npk_meter *m = bench_map(sizeof(*m));
	double full[EXPIRE_ROUNDS], bare[EXPIRE_ROUNDS];
	static struct feed feed;
	static struct ring ring;
	u32 i;

	shard_meter(m, (u64)EXPIRE_FLOWS * 100 / EXPIRE_FILL, ring_emit_read, &ring);
	m->limits.idle_ns = 15 * NPK_NSEC_PER_SEC;
	m->limits.active_ns = 60 * NPK_NSEC_PER_SEC;
	ring_make(&ring, &m->table.secret);
	feed_init(&feed, false);
	for (i = 0; i < EXPIRE_ROUNDS; i++) {
		full[i] = expire(m, &feed, ring_emit_read);
		bare[i] = expire(m, &feed, ring_emit_bare);
	}
	bench_print("ring", ".expire.ns", "ns", full, EXPIRE_ROUNDS);
	bench_print("ring", ".expire.ns_bare", "ns", bare, EXPIRE_ROUNDS);
}

int main(void)
{
	struct pair *p = bench_map(sizeof(*p));
	struct npk_secret secret;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		bench_die(BENCH_SKIP, "ring: two threads need two processors");
	if (getrandom(&secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		bench_die(1, "getrandom failed");
	pair_make(p, &secret);
	measure_pair(p);
	measure_expire();
	return 0;
}
