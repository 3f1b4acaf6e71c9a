// SPDX-License-Identifier: GPL-2.0-only
#include "test.h"

#include "kmod/core/parse.h"

static struct npk_secret make_secret(uint64_t seed)
{
	struct npk_secret s;
	size_t i;

	for (i = 0; i < sizeof(s.word) / sizeof(s.word[0]); i++)
		s.word[i] = test_random(&seed);
	return s;
}

static struct npk_key make_key(unsigned int version, uint64_t seed)
{
	struct npk_key key = { .proto = NPK_PROTO_TCP, .ip_version = (u8)version,
			       .vlan = NPK_VLAN_NONE, .vlan2 = NPK_VLAN_NONE,
			       .mpls = NPK_MPLS_NONE };
	unsigned int i;

	for (i = 0; i < (version == 6 ? 32 : 8); i++)
		key.addr[i] = (u8)test_random(&seed);
	key.sport = (uint16_t)test_random(&seed);
	key.dport = (uint16_t)test_random(&seed);
	return key;
}

/* Every bit of the key changes the hash. */
static uint64_t conv_hash(const struct npk_key *key, const struct npk_secret *secret)
{
	return npk_key_conv(key, secret).hash;
}

static void test_every_bit_counts(void **state)
{
	struct npk_secret secret = make_secret(1);
	unsigned int version, bit;
	struct npk_key key, other;
	uint64_t hash;

	(void)state;
	for (version = 4; version <= 6; version += 2) {
		key = make_key(version, 7);
		hash = npk_key_hash(&key, &secret);
		for (bit = 0; bit < (version == 6 ? 56 : 32) * 8; bit++) {
			other = key;
			((uint8_t *)&other)[bit / 8] ^= 1 << (bit % 8);
			if (other.ip_version == key.ip_version)
				assert_true(npk_key_hash(&other, &secret) != hash);
		}
	}
}

static void test_secret_counts(void **state)
{
	struct npk_secret a = make_secret(1), b = make_secret(2);
	struct npk_key key = make_key(4, 3);

	(void)state;
	assert_true(npk_key_hash(&key, &a) != npk_key_hash(&key, &b));
	assert_true(conv_hash(&key, &a) != conv_hash(&key, &b));
}

/* Neighbouring keys, as a scan makes them, spread evenly over buckets. */
static void test_spread(void **state)
{
	struct npk_secret secret = make_secret(9);
	static unsigned int count[1024];
	struct npk_key key = make_key(4, 3);
	unsigned int i;

	(void)state;
	memset(count, 0, sizeof(count));
	for (i = 0; i < 1024 * 100; i++) {
		key.addr[6] = (u8)(i >> 8);
		key.addr[7] = (u8)i;
		key.dport = (uint16_t)(i >> 16);
		count[(uint64_t)(uint32_t)npk_key_hash(&key, &secret) * 1024 >> 32]++;
	}
	for (i = 0; i < 1024; i++) {	/* 100 expected, deviation 10: six deviations */
		assert_in_range(count[i], 40, 160);
	}
}

static void swap_direction(struct npk_key *key)
{
	unsigned int alen = key->ip_version == 6 ? 16 : 4;
	__be16 port = key->sport;
	u8 tmp[16];

	memcpy(tmp, key->addr, alen);
	memcpy(key->addr, key->addr + alen, alen);
	memcpy(key->addr + alen, tmp, alen);
	key->sport = key->dport;
	key->dport = port;
}

static void test_conversation_has_no_direction(void **state)
{
	struct npk_secret secret = make_secret(5);
	unsigned int version, i;
	struct npk_key key, back;

	(void)state;
	for (version = 4; version <= 6; version += 2) {
		for (i = 0; i < 1000; i++) {
			key = make_key(version, i + 1);
			back = key;
			swap_direction(&back);
			assert_true(conv_hash(&key, &secret) == conv_hash(&back, &secret));
			/* what is not part of a conversation does not matter */
			back.tos = 4;
			back.vlan = 5;
			back.ifindex = 6;
			assert_true(conv_hash(&key, &secret) == conv_hash(&back, &secret));
			back.sport ^= 1;
			assert_true(conv_hash(&key, &secret) != conv_hash(&back, &secret));
		}
	}
}

/* An echo request and its reply have different "ports" but meet. */
static void test_conversation_of_icmp(void **state)
{
	struct npk_secret secret = make_secret(5);
	struct npk_key key = make_key(4, 8), back;

	(void)state;
	key.proto = NPK_PROTO_ICMP;
	back = key;
	swap_direction(&back);
	back.sport = 0;
	back.dport = cpu_to_be16(8 * 256);
	assert_true(conv_hash(&key, &secret) == conv_hash(&back, &secret));
}

/* The multiply of machines without 128-bit integers, against the other one. */
static void test_multiply_by_parts(void **state)
{
	uint64_t seed = 3, a, b;
	unsigned int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		a = test_random(&seed);
		b = i % 7 ? test_random(&seed) : ~0ULL;
		assert_true(npk_mul_fold(a, b) == npk_mul_fold_parts(a, b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_secret_counts),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_conversation_has_no_direction),
		cmocka_unit_test(test_conversation_of_icmp),
		cmocka_unit_test(test_multiply_by_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
