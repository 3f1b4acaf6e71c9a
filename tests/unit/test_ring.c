// SPDX-License-Identifier: GPL-2.0-only
/* Positions of a ring; the reader's may be anything. */
#include "test.h"

#include "kmod/core/ring.h"

#define SLOTS	8

static void test_used(void **state)
{
	u32 used = 99;

	(void)state;
	assert_true(npk_ring_used(0, 0, SLOTS, &used));
	assert_int_equal(used, 0);
	assert_true(npk_ring_used(20, 17, SLOTS, &used));
	assert_int_equal(used, 3);
	assert_true(npk_ring_used(20, 12, SLOTS, &used));
	assert_int_equal(used, SLOTS);
}

static void test_positions_that_make_no_sense(void **state)
{
	u32 used = 99;

	(void)state;
	assert_false(npk_ring_used(20, 11, SLOTS, &used));	/* more than the slots behind */
	assert_false(npk_ring_used(20, 21, SLOTS, &used));	/* ahead */
	assert_false(npk_ring_used(20, ~0ULL, SLOTS, &used));
	assert_false(npk_ring_used(20, 20 + (1ULL << 32), SLOTS, &used));
	assert_int_equal(used, 99);
}

/* Counts are not expected to wrap, but nothing would happen. */
static void test_wrap(void **state)
{
	u32 used;

	(void)state;
	assert_true(npk_ring_used(2, ~0ULL, SLOTS, &used));
	assert_int_equal(used, 3);
}

static void test_slot(void **state)
{
	(void)state;
	assert_int_equal(npk_ring_slot(0, SLOTS), 0);
	assert_int_equal(npk_ring_slot(7, SLOTS), 7);
	assert_int_equal(npk_ring_slot(8, SLOTS), 0);
	assert_int_equal(npk_ring_slot(~0ULL, SLOTS), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_used),
		cmocka_unit_test(test_positions_that_make_no_sense),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
