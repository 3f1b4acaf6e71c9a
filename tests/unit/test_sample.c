// SPDX-License-Identifier: GPL-2.0-only
/* Samplers: which frames, exactly where that is defined, and how evenly where it is not. */
#include "test.h"

#include "lib/sample.h"

static struct npk_sample start(uint32_t interval, bool random, uint64_t seed)
{
	struct npk_sampling sampling = { interval, random };
	struct npk_sample s;

	npk_sample_init(&s, &sampling, seed);
	return s;
}

static void test_all(void **state)
{
	static const uint32_t intervals[] = { 0, 1 };
	unsigned int i, n;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct npk_sample s = start(intervals[i / 2], i % 2, 1);

		for (n = 0; n < 1000; n++)
			assert_true(npk_sample_takes(&s));
	}
}

/* The middle one of each group, whatever the number of frames: never off by more than half. */
static void test_systematic(void **state)
{
	uint32_t interval;
	int64_t frames, taken;

	(void)state;
	for (interval = 2; interval < 200; interval++) {
		struct npk_sample s = start(interval, false, interval);

		for (frames = 0, taken = 0; frames < 2000; frames++) {
			bool takes = npk_sample_takes(&s);

			assert_int_equal(takes, frames % interval == interval / 2);
			taken += takes;
			assert_true(llabs(taken * interval - (frames + 1)) <= (interval + 1) / 2);
		}
	}
}

/* One of each group; where in it, every place about as often. */
static void test_random_groups(void **state)
{
	static const uint32_t intervals[] = { 2, 3, 7, 10, 100 };
	enum { EACH = 10000 };
	unsigned int i, at, taken;
	uint32_t group;

	(void)state;
	for (i = 0; i < 5; i++) {
		uint32_t n = intervals[i], nr[100] = { 0 };
		struct npk_sample s = start(n, true, 42);

		for (group = 0; group < EACH * n; group++) {
			for (at = 0, taken = 0; at < n; at++) {
				if (!npk_sample_takes(&s))
					continue;
				taken++;
				nr[at]++;
			}
			assert_int_equal(taken, 1);
		}
		/* of a binomial distribution with deviation 100 or less: five of them */
		for (at = 0; at < n; at++)
			assert_in_range(nr[at], EACH - 500, EACH + 500);
	}
}

/* A remainder or a product alone would take a third of the places twice as often as the rest. */
static void test_random_is_unbiased(void **state)
{
	struct npk_sample s = start(3U << 30, true, 7);
	uint32_t i, low = 0, third = 0;
	enum { DRAWN = 90000 };

	(void)state;
	for (i = 0; i < DRAWN; i++) {
		uint32_t at;

		npk_sample_begin(&s);
		assert_in_range(s.take_at, 1, s.interval);
		at = s.interval - s.take_at;
		low += at < 1U << 30;
		third += at % 3 == 0;
	}
	/* deviation 141 */
	assert_in_range(low, DRAWN / 3 - 700, DRAWN / 3 + 700);
	assert_in_range(third, DRAWN / 3 - 700, DRAWN / 3 + 700);
}

static void test_seed(void **state)
{
	struct npk_sample a = start(100, true, 5), b = a, c = start(100, true, 6);
	unsigned int i, differ = 0;

	(void)state;
	for (i = 0; i < 10000; i++) {
		bool takes = npk_sample_takes(&a);

		assert_int_equal(takes, npk_sample_takes(&b));
		differ += takes != npk_sample_takes(&c);
	}
	assert_true(differ > 100);
}

static void test_largest(void **state)
{
	struct npk_sample s = start(UINT32_MAX, false, 0);
	unsigned int i;

	(void)state;
	for (i = 0; i < 100000; i++)
		assert_false(npk_sample_takes(&s));
	s.left = s.take_at;
	assert_true(npk_sample_takes(&s));
	assert_false(npk_sample_takes(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_systematic),
		cmocka_unit_test(test_random_groups),
		cmocka_unit_test(test_random_is_unbiased),
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
