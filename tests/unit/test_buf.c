// SPDX-License-Identifier: GPL-2.0-only
/* lib/buf.h: byte order, bounds, and the mark that stays. */
#include "test.h"

#include "lib/buf.h"

/* Exactly @size octets of heap, so that ASan sees a write one beyond. */
static void start(struct npk_buf *b, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);

	assert_non_null(data);
	memset(data, 0xaa, size);
	npk_buf_init(b, data, size);
}

static void test_byte_order(void **state)
{
	static const uint8_t want[] = {
		0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0xf1, 0xf2, 0xf3, 0x00, 0x00,
	};
	struct npk_buf b;

	(void)state;
	start(&b, sizeof(want));
	npk_buf_u8(&b, 0x01);
	npk_buf_u16(&b, 0x0203);
	npk_buf_u32(&b, 0x04050607);
	npk_buf_bytes(&b, "\xf1\xf2\xf3", 3);
	npk_buf_align4(&b);
	assert_false(b.overflow);
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	free(b.data);
}

static void test_put(void **state)
{
	uint8_t got[8];

	(void)state;
	npk_put_be64(got, UINT64_C(0x0102030405060708));
	assert_memory_equal(got, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	npk_put_be(got, UINT64_C(0x1112131415161718), 3);
	assert_memory_equal(got, "\x16\x17\x18\x04\x05\x06\x07\x08", 8);
	npk_put_be(got, UINT64_C(0x2122232425262728), 8);
	assert_memory_equal(got, "\x21\x22\x23\x24\x25\x26\x27\x28", 8);
}

static void test_align(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i <= 8; i++) {
		struct npk_buf b;

		start(&b, 8);
		npk_buf_zero(&b, i);
		npk_buf_align4(&b);
		assert_int_equal(b.len, (i + 3) / 4 * 4);
		assert_false(b.overflow);
		free(b.data);
	}
}

static void write_kind(struct npk_buf *b, unsigned int kind)
{
	switch (kind) {
	case 0:
		npk_buf_u8(b, 0x55);
		break;
	case 1:
		npk_buf_u16(b, 0x5555);
		break;
	case 2:
		npk_buf_u32(b, 0x55555555);
		break;
	case 3:
		npk_buf_bytes(b, "UUUUUUUU", 8);
		break;
	default:
		npk_buf_zero(b, 8);
		break;
	}
}

/* A write that does not fit leaves nothing, not even its first octet. */
static void test_overflow(void **state)
{
	static const size_t need[] = { 1, 2, 4, 8, 8 };
	unsigned int kind;
	size_t size;

	(void)state;
	for (kind = 0; kind < 5; kind++) {
		for (size = 0; size <= 8; size++) {
			struct npk_buf b;
			size_t i;

			start(&b, size);
			write_kind(&b, kind);
			assert_int_equal(b.overflow, size < need[kind]);
			assert_int_equal(b.len, b.overflow ? 0 : need[kind]);
			for (i = b.len; i < size; i++)
				assert_int_equal(b.data[i], 0xaa);
			free(b.data);
		}
	}
}

static void test_overflow_is_sticky(void **state)
{
	struct npk_buf b;

	(void)state;
	start(&b, 4);
	npk_buf_u8(&b, 1);
	npk_buf_u32(&b, 2);
	assert_true(b.overflow);
	npk_buf_u8(&b, 3);
	npk_buf_zero(&b, 0);
	assert_null(npk_buf_claim(&b, 1));
	assert_true(b.overflow);
	assert_int_equal(b.len, 1);
	assert_memory_equal(b.data, "\x01\xaa\xaa\xaa", 4);
	free(b.data);
}

static void test_claim(void **state)
{
	struct npk_buf b;

	(void)state;
	start(&b, 8);
	assert_ptr_equal(npk_buf_claim(&b, 5), b.data);
	assert_ptr_equal(npk_buf_claim(&b, 3), b.data + 5);
	assert_non_null(npk_buf_claim(&b, 0));
	assert_false(b.overflow);
	/* A length that would wrap around must not look small. */
	assert_null(npk_buf_claim(&b, SIZE_MAX));
	assert_true(b.overflow);
	assert_int_equal(b.len, 8);
	free(b.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_byte_order),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_align),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_overflow_is_sticky),
		cmocka_unit_test(test_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
