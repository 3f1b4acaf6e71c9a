// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table against a naive oracle: an array that says which keys are in it.
 *
 * NPK_ORACLE_STEPS in the environment runs the oracle alone, for so many steps,
 * with the seed NPK_ORACLE_SEED or, without it, another one every time.
 */
#include "test.h"

#include <time.h>

#include "kmod/core/table.h"

#define STEPS		1000000
#define UNIVERSE	8192

/**
 * struct oracle - what the table should hold
 * @in: key is in the table
 * @value: packets of its entry
 * @nr: keys in the table
 */
struct oracle {
	bool in[UNIVERSE];
	uint64_t value[UNIVERSE];
	uint64_t nr;
};

static struct npk_table *make_table(uint32_t nr_buckets, uint64_t seed)
{
	struct npk_table *t = calloc(1, sizeof(*t));
	uint32_t i;

	assert_non_null(t);
	t->nr_buckets = nr_buckets;
	for (i = 0; i < npk_table_segments(nr_buckets); i++) {
		t->seg[i] = aligned_alloc(NPK_CACHE_LINE, npk_table_segment_size(nr_buckets, i));
		assert_non_null(t->seg[i]);
		memset(t->seg[i], 0, npk_table_segment_size(nr_buckets, i));
	}
	t->occupied = calloc(1, npk_table_bitmap_size(nr_buckets));
	assert_non_null(t->occupied);
	for (i = 0; i < NPK_KEY_WORDS6 + 1; i++)
		t->secret.word[i] = test_random(&seed);
	return t;
}

static void free_table(struct npk_table *t)
{
	uint32_t i;

	for (i = 0; i < npk_table_segments(t->nr_buckets); i++)
		free(t->seg[i]);
	free(t->occupied);
	free(t);
}

/* Key number @id: half of them IPv6 that differ only in their last address word. */
static void make_pkt(struct npk_pkt *pkt, uint32_t id)
{
	static const u8 mac[12];

	memset(pkt, 0, sizeof(*pkt));
	pkt->data = mac;
	pkt->key.proto = NPK_PROTO_UDP;
	pkt->key.ip_version = id & 1 ? 6 : 4;
	memcpy(pkt->key.addr + (id & 1 ? 28 : 4), &id, sizeof(id));
}

static uint32_t id_of(const struct npk_flow *flow)
{
	struct npk_key key;
	uint32_t id;

	npk_flow_key(flow, &key);
	memcpy(&id, key.addr + (key.ip_version == 6 ? 28 : 4), sizeof(id));
	return id;
}

static void remove_slot(struct npk_table *t, struct oracle *o, const struct npk_slot *s)
{
	uint32_t id = id_of(s->flow);

	assert_true(o->in[id]);
	assert_int_equal(s->flow->packets, o->value[id]);
	o->in[id] = false;
	o->nr--;
	npk_table_remove(t, s);
}

static void insert(struct npk_table *t, struct oracle *o, const struct npk_pkt *pkt, uint32_t id,
		   uint64_t hash, uint64_t step)
{
	struct npk_slot s;

	if (!npk_table_claim(t, hash, npk_tick(step << 20), &s)) {
		/* only a full home and a full other bucket may evict */
		assert_true(o->nr >= NPK_WAYS);
		remove_slot(t, o, &s);
	}
	npk_table_occupy(t, &s, hash, npk_tick(step << 20));
	npk_flow_start(s.flow, pkt);
	s.flow->packets = step;
	s.flow->last_ns = step;
	o->in[id] = true;
	o->value[id] = step;
	o->nr++;
}

/* Counters of the table and of every bucket, from the table itself. */
static void check_whole(const struct npk_table *t, const struct oracle *o)
{
	uint64_t nr = 0;
	uint32_t *moved = calloc(t->nr_buckets, sizeof(*moved));
	uint32_t b, way;

	assert_non_null(moved);
	for (b = 0; b < t->nr_buckets; b++) {
		for (way = 0; way < NPK_WAYS; way++) {
			const struct npk_flow *f = &npk_table_bucket(t, b)->flow[way];
			struct npk_key key;
			uint64_t hash;

			if (!npk_table_bucket(t, b)->sig[way])
				continue;
			nr++;
			npk_flow_key(f, &key);
			hash = npk_key_hash(&key, &t->secret);
			if (npk_table_home(t, hash) != npk_table_bucket(t, b))
				moved[(uint64_t)(uint32_t)hash * t->nr_buckets >> 32]++;
			assert_true(o->in[id_of(f)]);
			assert_int_equal(npk_table_next(t, b, b + 1), b);
		}
	}
	for (b = 0; b < t->nr_buckets; b++)
		assert_int_equal(npk_bucket_moved(npk_table_bucket(t, b)), moved[b]);
	assert_int_equal(nr, o->nr);
	assert_int_equal(nr, t->nr_flows);
	free(moved);
}

/* One step: a key is put in, found, or taken out. */
static void oracle_step(struct npk_table *t, struct oracle *o, uint32_t universe, uint64_t step,
			uint64_t *seed)
{
	uint64_t r = test_random(seed), hash;
	uint32_t id = (uint32_t)(r % universe);
	struct npk_slot s;
	struct npk_pkt pkt;
	bool found;

	make_pkt(&pkt, id);
	hash = npk_key_hash(&pkt.key, &t->secret);
	found = npk_table_find(t, &pkt.key.words, pkt.key.ip_version == 6, hash, &s);
	assert_int_equal(found, o->in[id]);
	if (!found) {
		insert(t, o, &pkt, id, hash, step);
		return;
	}
	assert_int_equal(id_of(s.flow), id);
	assert_int_equal(s.flow->packets, o->value[id]);
	if (r >> 60 < 6)
		remove_slot(t, o, &s);
	else
		s.bucket->due[s.way] |= NPK_DUE_REPEATED;
}

static void run_against_oracle(uint32_t nr_buckets, uint32_t universe, uint64_t steps,
			       uint64_t seed)
{
	struct npk_table *t = make_table(nr_buckets, nr_buckets + seed);
	struct oracle *o = calloc(1, sizeof(*o));
	uint64_t random = nr_buckets * 77 + seed, step;
	clock_t start = clock();

	random += !random;	/* the generator would stay at 0 */
	assert_non_null(o);
	for (step = 1; step <= steps; step++) {
		oracle_step(t, o, universe, step, &random);
		if (step % (steps / 4 + 1) == 0)
			check_whole(t, o);
	}
	check_whole(t, o);
	print_message("%4u buckets, %4u keys: %llu steps in %.1f s\n", nr_buckets, universe,
		      (unsigned long long)steps, (double)(clock() - start) / CLOCKS_PER_SEC);
	free(o);
	free_table(t);
}

static uint64_t oracle_seed(const char *steps, const char *seed)
{
	struct timespec now;

	if (seed && *seed)
		return strtoull(seed, NULL, 0);
	if (!steps)
		return 1;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* One million steps in all; tables from one bucket to one that never fills. */
static void test_oracle(void **state)
{
	static const uint32_t sizes[][2] = {
		{ 1, 40 }, { 2, 64 }, { 7, 200 }, { 64, 2000 }, { 600, UNIVERSE },
	};
	const char *wanted = getenv("NPK_ORACLE_STEPS");
	uint64_t steps = wanted ? strtoull(wanted, NULL, 0) : STEPS;
	uint64_t seed = oracle_seed(wanted, getenv("NPK_ORACLE_SEED"));
	size_t i, nr = sizeof(sizes) / sizeof(sizes[0]);

	(void)state;
	assert_true(steps >= nr);
	print_message("%llu steps, seed %llu\n", (unsigned long long)steps,
		      (unsigned long long)seed);
	for (i = 0; i < nr; i++)
		run_against_oracle(sizes[i][0], sizes[i][1], steps / nr, seed);
}

/* Signatures that are all alike: the key decides. */
static void test_equal_signatures(void **state)
{
	struct npk_table *t = make_table(1, 1);
	uint64_t hash = 0x1234000000000000ULL;
	struct npk_pkt pkt;
	struct npk_slot s;
	uint32_t i;

	(void)state;
	for (i = 0; i < NPK_WAYS; i++) {
		make_pkt(&pkt, i);
		assert_false(npk_table_find(t, &pkt.key.words, pkt.key.ip_version == 6, hash, &s));
		assert_true(npk_table_claim(t, hash, 0, &s));
		npk_table_occupy(t, &s, hash, 0);
		npk_flow_start(s.flow, &pkt);
	}
	for (i = 0; i < NPK_WAYS; i++) {
		make_pkt(&pkt, i);
		assert_true(npk_table_find(t, &pkt.key.words, pkt.key.ip_version == 6, hash, &s));
		assert_int_equal(id_of(s.flow), i);
	}
	make_pkt(&pkt, NPK_WAYS);
	assert_false(npk_table_find(t, &pkt.key.words, pkt.key.ip_version == 6, hash, &s));
	assert_false(npk_table_claim(t, hash, 0, &s));
	free_table(t);
}

static void fill_one(struct npk_table *t, uint16_t due_repeated, uint64_t last_ns, uint32_t id)
{
	struct npk_pkt pkt;
	struct npk_slot s;

	make_pkt(&pkt, id);
	assert_true(npk_table_claim(t, 1, 100, &s));
	npk_table_occupy(t, &s, 1, due_repeated);
	npk_flow_start(s.flow, &pkt);
	s.flow->last_ns = last_ns;
}

/* A flood of single packets leaves the flows alone that have more. */
static void test_singles_go_first(void **state)
{
	struct npk_table *t = make_table(1, 1);
	struct npk_slot s;
	uint32_t i;

	(void)state;
	for (i = 0; i < NPK_WAYS; i++)
		fill_one(t, (uint16_t)(i == 4 || i == 9 ? 200 + i : 90 | NPK_DUE_REPEATED), i, i);
	assert_false(npk_table_claim(t, 1, 100, &s));
	assert_int_equal(id_of(s.flow), 4);
	s.bucket->due[4] |= NPK_DUE_REPEATED;
	assert_false(npk_table_claim(t, 1, 100, &s));
	assert_int_equal(id_of(s.flow), 9);
	free_table(t);
}

static void test_then_the_longest_silent(void **state)
{
	struct npk_table *t = make_table(1, 1);
	struct npk_slot s;
	uint32_t i;

	(void)state;
	for (i = 0; i < NPK_WAYS; i++)
		fill_one(t, 90 | NPK_DUE_REPEATED, i == 11 ? 5 : 1000 + i, i);
	assert_false(npk_table_claim(t, 1, 100, &s));
	assert_int_equal(id_of(s.flow), 11);
	free_table(t);
}

/* With two places for every flow the table fills to nearly all of its slots. */
static void test_fill_before_first_eviction(void **state)
{
	struct npk_table *t = make_table(512, 3);
	struct npk_pkt pkt;
	struct npk_slot s;
	uint32_t id = 0;
	uint64_t hash;

	(void)state;
	for (;; id++) {
		make_pkt(&pkt, id);
		hash = npk_key_hash(&pkt.key, &t->secret);
		if (!npk_table_claim(t, hash, 0, &s))
			break;
		npk_table_occupy(t, &s, hash, 0);
		npk_flow_start(s.flow, &pkt);
	}
	print_message("first eviction at %.1f %% of %u slots\n", 100.0 * id / (512 * NPK_WAYS),
		      512 * NPK_WAYS);
	assert_true(id > 512 * NPK_WAYS * 80 / 100);
	free_table(t);
}

/* The bitmap against a plain array, with ends in the middle of its words. */
static void test_next_occupied(void **state)
{
	struct npk_table *t = make_table(300, 1);
	uint64_t seed = 5;
	uint32_t from, end, i, want, round;
	bool set[300];

	(void)state;
	for (round = 0; round < 2000; round++) {
		for (i = 0; i < 300; i++) {
			set[i] = test_random(&seed) % (round % 2 ? 3 : 150) == 0;
			t->occupied[i / 64] &= ~(1ULL << i % 64);
			t->occupied[i / 64] |= (uint64_t)set[i] << i % 64;
		}
		from = (uint32_t)(test_random(&seed) % 301);
		end = (uint32_t)(test_random(&seed) % 301);
		for (want = from; want < end && !set[want]; want++)
			;
		assert_int_equal(npk_table_next(t, from, end), from < end ? want : end);
	}
	free_table(t);
}

static void test_tidy(void **state)
{
	struct npk_table *t = make_table(1, 1);
	struct npk_slot s;
	struct npk_pkt pkt;

	(void)state;
	make_pkt(&pkt, 3);
	assert_true(npk_table_claim(t, 1, 0, &s));
	npk_table_occupy(t, &s, 1, 0);
	npk_flow_start(s.flow, &pkt);
	npk_table_tidy(t, 0);
	assert_int_equal(npk_table_next(t, 0, 1), 0);
	npk_table_bucket(t, 0)->nr += 7 * NPK_ONE_MOVED;	/* others' flows do not count */
	npk_table_remove(t, &s);
	npk_table_tidy(t, 0);
	assert_int_equal(npk_table_next(t, 0, 1), 1);
	free_table(t);
}

static void test_sizes(void **state)
{
	(void)state;
	assert_int_equal(npk_table_buckets(0), 1);
	assert_int_equal(npk_table_buckets(1), 1);
	assert_int_equal(npk_table_buckets(15), 1);
	assert_int_equal(npk_table_buckets(16), 2);
	assert_int_equal(npk_table_buckets(1 << 20), 69906);
	assert_int_equal(npk_table_buckets(1ULL << 40), 0);
	assert_int_equal(npk_table_segments(65536), 1);
	assert_int_equal(npk_table_segments(65537), 2);
	assert_int_equal(npk_table_segment_size(65537, 0), 65536ULL * sizeof(struct npk_bucket));
	assert_int_equal(npk_table_segment_size(65537, 1), sizeof(struct npk_bucket));
	assert_true(sizeof(struct npk_bucket) / NPK_WAYS <= 208);
}

/* The same for a flow at any place of a bucket, and for no other place. */
static bool tick_passed(uint32_t due, uint32_t now)
{
	uint32_t way, nr = 0;
	struct npk_bucket b;
	uint64_t found;

	for (way = 0; way < NPK_WAYS; way++) {
		memset(&b, 0, NPK_CACHE_LINE);
		b.nr = 0xffff;
		b.sig[way] = 1;
		b.due[way] = (uint16_t)due;
		found = npk_bucket_passed(&b, way / 4, now * NPK_LANES);
		nr += !!found;
		if (found)
			assert_int_equal(npk_lane_index((uint32_t)__builtin_ctzll(found)), way % 4);
		assert_true(!(found & (found - 1)));
	}
	assert_true(!nr || nr == NPK_WAYS);
	return nr;
}

static void test_ticks_wrap(void **state)
{
	(void)state;
	assert_true(tick_passed(5, 5));
	assert_true(tick_passed(5, 6));
	assert_false(tick_passed(6, 5));
	assert_true(tick_passed(NPK_TICK_MASK, 0));
	assert_false(tick_passed(0, NPK_TICK_MASK));
	assert_true(tick_passed(5 | NPK_DUE_REPEATED, 6));
	assert_false(tick_passed(6 | NPK_DUE_REPEATED, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oracle),
		cmocka_unit_test(test_equal_signatures),
		cmocka_unit_test(test_singles_go_first),
		cmocka_unit_test(test_then_the_longest_silent),
		cmocka_unit_test(test_fill_before_first_eviction),
		cmocka_unit_test(test_next_occupied),
		cmocka_unit_test(test_tidy),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_ticks_wrap),
	};

	if (getenv("NPK_ORACLE_STEPS"))
		cmocka_set_test_filter("test_oracle");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
