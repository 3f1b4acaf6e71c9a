// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flow core in user space: nanoseconds a packet costs when all flows are live,
 * beside the floor (floor.h).  Both are fed the same frames.
 *
 *	core run|scale NAME v4|v6 uniform|zipf FLOWS [FILL]
 *	core slot FLOWS
 */
#include <math.h>
#include <pthread.h>

#include "floor.h"
#include "lib/batch.h"

/* Packets timed in one go; before it so many that only warm the caches again. */
#define ROUND		(1U << 20)
#define REWARM		(1U << 18)
#define ROUNDS		11
#define ORDER_MIN	(4U << 20)
#define THREADS		2
/* Flows in a hundred slots, unless another fill is asked for. */
#define FILL		50

/**
 * struct shard - a meter, its floor and its frames
 * @meter: the meter
 * @floor: its floor, with the meter's number of buckets and secret
 * @feed: frames
 * @fed: packets given to @meter
 * @records: records it made of flows closed early; hardly any
 * @gone: packets in them
 */
struct shard {
	struct npk_meter meter;
	struct floor floor;
	struct feed feed;
	uint64_t fed;
	uint64_t records;
	uint64_t gone;
};

typedef void (*batch_fn)(struct shard *s, struct npk_pkt *pkt, uint32_t n);

/**
 * struct job - what one thread does
 * @shard: shards to take turns with, @nr of them
 * @nr: see @shard
 * @fn: one of the sides compared
 * @ns: out: CPU time a packet took
 * @cpu: to run on, or -1: where there is room
 * @start: all threads begin together; NULL: there is one
 */
struct job {
	struct shard *shard;
	uint32_t nr;
	batch_fn fn;
	double ns;
	int cpu;
	pthread_barrier_t *start;
};

static bool count_record(void *ctx, const struct npk_flow *flow, u8 reason, bool must)
{
	struct shard *s = ctx;

	s->records++;
	s->gone += flow->packets;
	return true;
}

static void meter_single(struct shard *s, struct npk_pkt *pkt, uint32_t n)
{
	shard_packets(&s->meter, pkt, n);
	s->fed += n;
}

static void meter_batch(struct shard *s, struct npk_pkt *pkt, uint32_t n)
{
	npk_meter_packets(&s->meter, pkt, n);
	s->fed += n;
}

static void floor_single(struct shard *s, struct npk_pkt *pkt, uint32_t n)
{
	floor_each(&s->floor, pkt, n);
}

static void floor_batch(struct shard *s, struct npk_pkt *pkt, uint32_t n)
{
	floor_ahead(&s->floor, pkt, n);
}

/* The frames alone: what both sides pay for being fed. */
static void nothing(struct shard *s, struct npk_pkt *pkt, uint32_t n)
{
	(void)s, (void)pkt, (void)n;
	__asm__ volatile("" : : "r"(pkt) : "memory");
}

/**
 * struct side - a way to do it, and what it is to be compared with
 * @name: suffix of its result
 * @fn: does a batch
 * @ratio: suffix of its ratio to the side before it, or NULL
 */
static const struct side {
	const char *name;
	batch_fn fn;
	const char *ratio;
} sides[] = {
	{ ".feed", nothing, NULL },
	{ ".floor", floor_single, NULL },
	{ "", meter_single, ".ratio" },
	{ ".batch.floor", floor_batch, NULL },
	{ ".batch", meter_batch, ".batch.ratio" },
};

#define NR_SIDES	(sizeof(sides) / sizeof(sides[0]))

static void packets(struct job *j, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i += BATCH) {
		struct shard *s = &j->shard[j->nr == 1 ? 0 : i / BATCH % j->nr];

		feed_next(&s->feed);
		j->fn(s, s->feed.pkt, BATCH);
	}
}

static void *run_job(void *arg)
{
	struct job *j = arg;
	uint64_t ns;

	if (j->cpu >= 0)
		bench_pin(j->cpu);
	packets(j, REWARM);
	if (j->start)
		pthread_barrier_wait(j->start);
	ns = bench_cpu_ns();
	packets(j, ROUND);
	j->ns = (double)(bench_cpu_ns() - ns) / ROUND;
	return NULL;
}

/* Nanoseconds a packet: the shards in turns by one thread. */
static double one_thread(struct shard *s, uint32_t nr, batch_fn fn)
{
	struct job j = { .shard = s, .nr = nr, .fn = fn, .cpu = -1 };

	run_job(&j);
	return j.ns;
}

/* Each shard by a thread of its own, at the same time: packets a nanosecond. */
static double many_threads(struct shard *s, batch_fn fn)
{
	pthread_t thread[THREADS];
	struct job job[THREADS];
	pthread_barrier_t start;
	double speed = 0;
	int i;

	pthread_barrier_init(&start, NULL, THREADS);
	for (i = 0; i < THREADS; i++) {
		job[i] = (struct job){ &s[i], 1, fn, 0, i, &start };
		if (pthread_create(&thread[i], NULL, run_job, &job[i]))
			bench_die(1, "no thread");
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		speed += 1 / job[i].ns;
	}
	pthread_barrier_destroy(&start);
	return speed;
}

/* Zipf with exponent 1 in its continuous form: the k-th flow has ln((k + 1) / k) of ln(n + 1). */
static uint32_t *make_order(bool zipf, uint32_t flows, size_t len, uint64_t seed)
{
	uint32_t *order = bench_map(len * sizeof(*order));
	double scale = log(flows + 1.0);
	size_t i;

	for (i = 0; i < len; i++) {
		uint64_t r = bench_random(&seed) >> 11;
		uint32_t flow = zipf ? (uint32_t)exp(scale * (double)r * 0x1p-53) - 1 :
				       (uint32_t)((r >> 21) * flows >> 32);

		order[i] = flow < flows ? flow : flows - 1;
	}
	return order;
}

/* Every flow twice. */
static void make_live(struct shard *s, uint32_t flows)
{
	uint32_t round;

	for (round = 0; round < 2; round++) {
		for (s->feed.at = 0; s->feed.at + BATCH <= flows; ) {
			feed_next(&s->feed);
			meter_single(s, s->feed.pkt, BATCH);
		}
	}
	s->feed.at = 0;
}

static void make_shard(struct shard *s, bool v6, bool zipf, uint32_t flows, uint32_t fill, int i)
{
	size_t len = 2UL * flows > ORDER_MIN ? 2UL * flows : ORDER_MIN;

	shard_meter(&s->meter, (u64)flows * 100 / fill, count_record, s);
	floor_make(&s->floor, &s->meter.table, 1000 + (uint64_t)i);
	feed_init(&s->feed, v6);
	make_live(s, flows);
	s->feed.order = make_order(zipf, flows, len, 1 + (uint64_t)i);
	s->feed.len = len;
}

/* Every packet that was fed is in a flow, and one flow in a thousand at most was not live. */
static void check(const struct shard *s, uint32_t flows)
{
	const struct npk_meter_count *c = &s->meter.count;

	if (c->frames != s->fed || c->seen != s->fed || c->accounted.packets != s->fed ||
	    c->live.packets + s->gone != s->fed || c->early != s->records ||
	    s->meter.table.nr_flows > flows || s->records > flows / 1000)
		bench_die(1, "%llu fed, %llu accounted, %llu in %llu flows of %u, %llu records",
			  (unsigned long long)s->fed, (unsigned long long)c->accounted.packets,
			  (unsigned long long)c->live.packets,
			  (unsigned long long)s->meter.table.nr_flows, flows,
			  (unsigned long long)s->records);
}

/* All sides of a round see the same packets. */
static void run(const char *name, struct shard *s)
{
	double ns[NR_SIDES][ROUNDS], ratio[ROUNDS];
	uint32_t i, r;
	size_t at;

	for (r = 0; r < ROUNDS; r++) {
		at = s->feed.at;
		for (i = 0; i < NR_SIDES; i++) {
			s->feed.at = at;
			ns[i][r] = one_thread(s, 1, sides[i].fn);
		}
	}
	for (i = 0; i < NR_SIDES; i++) {
		for (r = 0; sides[i].ratio && r < ROUNDS; r++)
			ratio[r] = ns[i][r] / ns[i - 1][r];
		if (sides[i].ratio)
			bench_print(name, sides[i].ratio, "ratio", ratio, ROUNDS);
	}
	for (i = 0; i < NR_SIDES; i++)
		bench_print(name, sides[i].name, "ns", ns[i], ROUNDS);
}

static void scale(const char *name, struct shard *s)
{
	double meter[ROUNDS], floor[ROUNDS], ratio[ROUNDS];
	uint32_t r;

	for (r = 0; r < ROUNDS; r++) {
		floor[r] = one_thread(s, THREADS, floor_single) * many_threads(s, floor_single);
		meter[r] = one_thread(s, THREADS, meter_single) * many_threads(s, meter_single);
		ratio[r] = meter[r] / floor[r];
	}
	bench_print(name, "", "ratio", meter, ROUNDS);
	bench_print(name, ".floor", "ratio", floor, ROUNDS);
	bench_print(name, ".ratio", "ratio", ratio, ROUNDS);
}

static uint64_t table_size(uint32_t nr_buckets)
{
	uint64_t size = npk_table_bitmap_size(nr_buckets);
	uint32_t i;

	for (i = 0; i < npk_table_segments(nr_buckets); i++)
		size += npk_table_segment_size(nr_buckets, i);
	return size;
}

static uint64_t memory_available(void)
{
	unsigned long long kb = 0;
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];

	while (f && fgets(line, sizeof(line), f) && !sscanf(line, "MemAvailable: %llu", &kb))
		;
	if (f)
		fclose(f);
	return kb << 10;
}

static void measure(bool scaling, char **arg, uint32_t fill)
{
	uint32_t i, nr = scaling ? THREADS : 1, flows = (uint32_t)strtoul(arg[3], NULL, 10) / nr;
	struct shard *s = bench_map(THREADS * sizeof(*s));
	uint32_t nr_buckets;
	uint64_t need;

	flows -= flows % BATCH;
	nr_buckets = fill ? npk_table_buckets((u64)flows * 100 / fill) : 0;
	if (!flows || !nr_buckets)
		bench_die(2, "%s: there is no table of %u flows", arg[0], flows);
	need = nr * (table_size(nr_buckets) * 2 + flows * 8ULL);
	if (need + need / 8 > memory_available())
		bench_die(BENCH_SKIP, "%s: needs %llu MB of memory", arg[0],
			  (unsigned long long)need >> 20);
	for (i = 0; i < nr; i++)
		make_shard(&s[i], !strcmp(arg[1], "v6"), !strcmp(arg[2], "zipf"), flows, fill,
			   (int)i);
	(scaling ? scale : run)(arg[0], s);
	for (i = 0; i < nr; i++)
		check(&s[i], flows);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "slot")) {
		uint32_t nr = npk_table_buckets(strtoull(argv[2], NULL, 10));

		printf("core.octets_per_slot\t%.3f\toctets\n",
		       (double)table_size(nr) / ((double)nr * NPK_WAYS));
		return 0;
	}
	if ((argc != 6 && argc != 7) || (strcmp(argv[1], "run") && strcmp(argv[1], "scale")))
		bench_die(2, "core run|scale NAME v4|v6 uniform|zipf FLOWS [FILL] | slot FLOWS");
	measure(!strcmp(argv[1], "scale"), argv + 2,
		argc == 7 ? (uint32_t)strtoul(argv[6], NULL, 10) : FILL);
	return 0;
}
