// SPDX-License-Identifier: GPL-2.0-only
/* Fields back into records: numbers that are too large, lengths that no field has. */
#include "test.h"

#include "lib/decode.h"

static const uint8_t huge[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
/* what one of the scales makes wrap to something small */
static const uint8_t wraps[8] = { 0x80, 0, 0, 0, 0, 0, 0, 1 };

static struct npk_rec decoded(uint16_t type, const uint8_t *data, size_t len)
{
	const struct npk_decode_clock clock = { .unix_ms = 1700000000000, .uptime_ms = 1000 };
	const struct npk_ie *ie = npk_ie_by_v9_type(type);
	struct npk_rec rec;

	assert_non_null(ie);
	npk_decode_init(&rec);
	npk_decode_field(&rec, ie, &clock, data, len);
	return rec;
}

static void test_no_wrap(void **state)
{
	static const uint8_t *const values[] = { huge, wraps };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_true(decoded(150, values[i], 8).first_ns == UINT64_MAX);	/* seconds */
		assert_true(decoded(151, values[i], 8).last_ns == UINT64_MAX);
		assert_true(decoded(152, values[i], 8).first_ns == UINT64_MAX);	/* milliseconds */
		assert_int_equal(decoded(57597, values[i], 8).appl_delay_us, UINT32_MAX);
		assert_int_equal(decoded(57595, values[i], 8).client_delay_us, UINT32_MAX);
		assert_int_equal(decoded(70, values[i], 8).mpls[0], UINT32_MAX);
		assert_int_equal(decoded(70, values[i], 8).nr_mpls, 1);
	}
	assert_true(decoded(150, (const uint8_t *)"\0\0\0\5", 4).first_ns == 5000000000);
	assert_int_equal(decoded(57595, (const uint8_t *)"\7", 1).client_delay_us, 14000);
}

static void test_lengths(void **state)
{
	const uint8_t none[64] = { 1 };
	struct npk_rec empty, rec;
	size_t i, len;

	(void)state;
	npk_decode_init(&empty);
	for (i = 0; i < __NPK_IE_MAX; i++) {
		for (len = 0; len <= sizeof(none); len++) {
			const struct npk_decode_clock clock = { .unix_ms = 1000, .uptime_ms = 1 };

			if (len == npk_ie_table[i].len || len == 16 || (len && len <= 8))
				continue;
			npk_decode_init(&rec);
			npk_decode_field(&rec, &npk_ie_table[i], &clock, none, len);
			assert_memory_equal(&rec, &empty, sizeof(rec));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_wrap),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
