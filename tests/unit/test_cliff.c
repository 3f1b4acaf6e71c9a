// SPDX-License-Identifier: GPL-2.0-only
/* No traffic makes the counts of established flows wrong, or refuses a flow. */
#include "test.h"

#include "flood.h"

/* 15360 slots; a flood of ten times as many flows, and 150 established ones. */
#define BUCKETS		1024
#define SLOTS		(BUCKETS * NPK_WAYS)
#define ESTABLISHED	150
#define BETWEEN		10

static struct flood *make(uint32_t nr_buckets, uint32_t nr)
{
	struct flood *f = flood_make(nr_buckets, nr);

	assert_non_null(f);
	return f;
}

/* Closes what is left, and everything adds up. */
static void finish(struct flood *f)
{
	assert_int_equal(f->m.count.seen, f->m.count.accounted.packets);
	assert_int_equal(f->m.count.accounted.packets, f->m.count.live.packets + f->sum.packets);
	assert_true(npk_meter_expire_all(&f->m, ~0U));
	assert_true(flood_is_exact(f));
}

/* No established flow made room: all of its packets are in its only record. */
static void nobody_made_room(struct flood *f)
{
	finish(f);
	assert_int_equal(flood_in_one(f), ESTABLISHED);
	flood_free(f);
}

static void test_flood_of_single_packets(void **state)
{
	struct flood *f = make(BUCKETS, ESTABLISHED);

	(void)state;
	flood_run(f, 10 * SLOTS, 1, BETWEEN);
	assert_int_equal(f->m.count.seen, 2 * ESTABLISHED + 11 * SLOTS);
	assert_true(f->m.count.early > 8 * SLOTS);
	nobody_made_room(f);
}

/* Flows of two packets are as good as established ones: then who is silent longest makes room. */
static void test_flood_of_pairs(void **state)
{
	struct flood *f = make(BUCKETS, ESTABLISHED);

	(void)state;
	flood_run(f, 5 * SLOTS, 2, BETWEEN);
	assert_int_equal(f->m.count.seen, 2 * ESTABLISHED + 11 * SLOTS);
	nobody_made_room(f);
}

/* The flood lasts for longer than the idle timeout: flows of it leave in both ways. */
static void test_flood_that_expires_too(void **state)
{
	struct flood *f = make(BUCKETS, ESTABLISHED);

	(void)state;
	f->m.limits.idle_ns = 20000000;
	flood_run(f, 10 * SLOTS, 1, BETWEEN);
	nobody_made_room(f);
}

static void aimed(uint32_t nr_buckets, enum flood_aim aim, uint32_t nr)
{
	struct flood *f = make(nr_buckets, 0);
	uint32_t *addr = calloc(nr, sizeof(*addr));
	uint32_t i, round;

	assert_non_null(addr);
	flood_find(f, aim, addr, nr);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < nr; i++)
			flood_send(f, addr[i]);
	}
	assert_int_equal(f->m.count.seen, 20 * nr);
	/* never more flows than the buckets they can be in hold */
	if (aim != FLOOD_HOME)
		assert_int_equal(f->m.table.nr_flows, NPK_WAYS);
	finish(f);
	free(addr);
	flood_free(f);
}

static void test_one_home_bucket(void **state)
{
	(void)state;
	aimed(BUCKETS, FLOOD_HOME, 200);
}

static void test_both_buckets_the_same(void **state)
{
	(void)state;
	aimed(64, FLOOD_BOTH, 60);
}

static void test_one_signature(void **state)
{
	(void)state;
	aimed(1, FLOOD_SIGNATURE, 20);
}

/* Full by a tenth more flows than there are places: hits are hits, new flows find room. */
static void test_full_table(void **state)
{
	struct flood *f = make(BUCKETS, ESTABLISHED);

	(void)state;
	flood_run(f, SLOTS + SLOTS / 10, 1, BETWEEN);
	assert_true(f->m.table.nr_flows > SLOTS * 95 / 100);
	assert_true(f->m.table.nr_flows <= SLOTS);
	assert_int_equal(f->m.table.nr_flows + f->m.count.early,
			 ESTABLISHED + SLOTS + SLOTS / 10);
	finish(f);
	assert_int_equal(flood_in_one(f), ESTABLISHED);
	flood_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flood_of_single_packets),
		cmocka_unit_test(test_flood_of_pairs),
		cmocka_unit_test(test_flood_that_expires_too),
		cmocka_unit_test(test_one_home_bucket),
		cmocka_unit_test(test_both_buckets_the_same),
		cmocka_unit_test(test_one_signature),
		cmocka_unit_test(test_full_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
