// SPDX-License-Identifier: GPL-2.0-only
/* A counter over one that begins anew, or cannot be read for a while. */
#include "test.h"

#include "probe/growing.h"

static void check(const uint64_t *readings, const uint64_t *want, size_t nr)
{
	struct growing g = { 0 };
	size_t i;

	for (i = 0; i < nr; i++)
		assert_int_equal(growing_add(&g, readings[i]), want[i]);
}

static void test_growing(void **state)
{
	static const uint64_t plain[] = { 0, 1, 1, 7 }, anew[] = { 5, 9, 0, 0, 2, 3, 1 };
	static const uint64_t sums[] = { 5, 9, 9, 9, 11, 12, 13 };
	static const uint64_t gap[] = { 5, 0, 5, 6, 0, 6 }, kept[] = { 5, 5, 5, 6, 6, 6 };

	(void)state;
	check(plain, plain, 4);
	check(anew, sums, 7);
	check(gap, kept, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
