// SPDX-License-Identifier: GPL-2.0-only
/* Names of interfaces: what becomes of their octets, and that each is asked for once. */
#include "test.h"

#include <net/if.h>

#include "probe/ifnames.c"

static void check_text(const char *text, size_t size, const char *want)
{
	char *out = malloc(size);	/* so that ASan guards its end */
	size_t i;

	assert_non_null(out);
	memset(out, 'x', size);
	copy_text(out, size, text);
	assert_string_equal(out, want);
	for (i = strlen(want); i < size; i++)
		assert_int_equal(out[i], 0);
	free(out);
}

static void test_text(void **state)
{
	(void)state;
	check_text("", 4, "");
	check_text("eth0", 16, "eth0");
	check_text("abcd", 4, "abc");
	check_text("aB\u00fcro", 4, "aB");		/* two octets would fit, but no zero */
	check_text("aB\u00fcro", 5, "aB\u00fc");
	check_text("\u20ac\U0001f600z", 16, "\u20ac\U0001f600z");
	check_text("\u20ac\U0001f600z", 7, "\u20ac");
	check_text("a\xff\xfe", 16, "a??");
	check_text("\xc3", 16, "?");			/* cut */
	check_text("\xe2\x82", 16, "??");
	check_text("\xc0\xaf\xe0\x80\xaf", 16, "?????");	/* too long forms of a slash */
	check_text("\xed\xa0\x80", 16, "???");		/* a surrogate */
	check_text("\xf4\x90\x80\x80", 16, "????");	/* beyond the last character */
}

/* What is good UTF-8 stays as it is, whatever comes before and behind it. */
static void test_noise(void **state)
{
	static const char *const good[] = { "a", "\u00fc", "\u20ac", "\U0001f600", "\U0010ffff" };
	char text[64], out[64];
	unsigned int i, j;
	uint64_t rng = 3;

	(void)state;
	for (i = 0; i < 20000; i++) {
		const char *c = good[test_random(&rng) % 5];
		size_t before = test_random(&rng) % 3;

		memset(text, 0, sizeof(text));
		for (j = 0; j < before; j++)
			text[j] = (char)(test_random(&rng) % 128 + 128);
		/* the end of a character that was begun could belong to it */
		text[before] = '-';
		strcpy(text + before + 1, c);
		text[before + 1 + strlen(c)] = (char)(test_random(&rng) % 255 + 1);
		copy_text(out, sizeof(out), text);
		assert_non_null(strstr(out, c));
		for (j = 0; out[j]; j += (unsigned int)character((unsigned char *)out + j))
			assert_true(character((unsigned char *)out + j));
	}
}

/* The loopback device is everywhere; nobody has the last index. */
static void test_kernel(void **state)
{
	uint32_t lo = if_nametoindex("lo"), asked;
	struct ifnames n;

	(void)state;
	if (!lo)
		skip();
	ifnames_open(&n);
	ifnames_meet(&n, 0, 7);
	ifnames_meet(&n, lo, 0);
	ifnames_meet(&n, INT32_MAX, 5);
	assert_int_equal(n.nr, 0);
	ifnames_meet(&n, lo, 100);
	assert_int_equal(n.nr, 1);
	assert_int_equal(n.list[0].index, 100);
	assert_string_equal(n.list[0].name, "lo");
	assert_true(*n.list[0].description);
	asked = n.sequence;
	ifnames_meet(&n, lo, 100);
	ifnames_meet(&n, INT32_MAX, 5);
	ifnames_meet(&n, lo, 100 + IFNAMES_CACHE);	/* in its place in the cache */
	ifnames_meet(&n, lo, 100);
	assert_int_equal(n.nr, 2);
	assert_int_equal(n.sequence, asked + 1);
	ifnames_refresh(&n);
	assert_int_equal(n.sequence, asked + 3);
	assert_string_equal(n.list[1].name, "lo");
	ifnames_close(&n);
}

static void test_many(void **state)
{
	uint32_t lo = if_nametoindex("lo"), i;
	struct ifnames n;

	(void)state;
	if (!lo)
		skip();
	ifnames_open(&n);
	for (i = 1; i <= 1000; i++)
		ifnames_meet(&n, lo, i);
	assert_int_equal(n.nr, 1000);
	for (i = 1; i <= 1000; i++)
		assert_int_equal(n.list[i - 1].index, i);
	ifnames_close(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
