// SPDX-License-Identifier: GPL-2.0-only
/* Positions of a ring; the reader's may be anything. Two rings read as one stream. */
#include "test.h"

#include "kmod/core/ring.h"
#include "lib/rings.h"

#define SLOTS		8
/* A later version's records are longer. */
#define REC_SIZE	(sizeof(struct npk_rec) + 64)

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

struct ring_memory {
	struct npk_prod prod;
	struct npk_cons cons;
	uint8_t data[SLOTS * REC_SIZE] __attribute__((aligned(8)));
};

/* As the producer would: records named by their ring and number. */
static void publish(struct ring_memory *m, u64 ring, u64 nr)
{
	struct npk_rec *rec;

	while (nr--) {
		rec = (struct npk_rec *)(m->data + m->prod.head % SLOTS * REC_SIZE);
		rec->conv_hash = ring;
		rec->seq = m->prod.head++;
	}
}

static void test_two_rings(void **state)
{
	static struct ring_memory memory[2];
	static struct npk_rings r;
	struct npk_ring_map map[2] = {
		{ &memory[0].prod, &memory[0].cons, memory[0].data },
		{ &memory[1].prod, &memory[1].cons, memory[1].data },
	};
	const struct npk_rec *recs[2 * SLOTS];
	u64 seq[2] = { 5, 5 };
	u32 round, i;

	(void)state;
	r.ring = map;
	r.nr = 2;
	r.slots = SLOTS;
	r.rec_size = REC_SIZE;
	for (i = 0; i < 2; i++) {	/* a reader before us took five */
		memory[i].prod.head = 5;
		memory[i].cons.tail = 5;
		npk_ring_begin(&map[i]);
	}
	for (round = 0; round < 20; round++) {
		publish(&memory[0], 0, 3);
		publish(&memory[1], 1, 4);
		assert_int_equal(npk_rings_peek(&r, recs, 2 * SLOTS), 0);
		npk_rings_look(&r);
		assert_int_equal(npk_rings_peek(&r, recs, 2), 2);
		assert_int_equal(npk_rings_peek(&r, recs, 2 * SLOTS), 7);
		for (i = 0; i < 7; i++) {
			assert_int_equal(recs[i]->conv_hash, i >= 3);
			assert_int_equal(recs[i]->seq, seq[i >= 3]++);
		}
		npk_rings_release(&r, 5);
		assert_int_equal(memory[0].cons.tail, memory[0].prod.head);
		assert_int_equal(memory[1].cons.tail, memory[1].prod.head - 2);
		npk_rings_release(&r, 2);
		assert_int_equal(memory[1].cons.tail, memory[1].prod.head);
	}
}

/* Found by review: who ends went on reading for as long as the module made records. */
static void test_limit(void **state)
{
	static struct ring_memory memory;
	static struct npk_rings r;
	struct npk_ring_map map = { &memory.prod, &memory.cons, memory.data };
	const struct npk_rec *recs[SLOTS];

	(void)state;
	r.ring = &map;
	r.nr = 1;
	r.slots = SLOTS;
	r.rec_size = REC_SIZE;
	publish(&memory, 0, 3);
	npk_rings_look(&r);
	publish(&memory, 0, 2);
	npk_rings_limit(&r);
	publish(&memory, 0, 1);
	npk_rings_look(&r);
	assert_int_equal(npk_rings_peek(&r, recs, SLOTS), 5);
	npk_rings_release(&r, 5);
	npk_rings_look(&r);
	assert_int_equal(npk_rings_peek(&r, recs, SLOTS), 0);
	assert_int_equal(memory.cons.tail, 5);
	npk_rings_limit(&r);
	npk_rings_look(&r);
	assert_int_equal(npk_rings_peek(&r, recs, SLOTS), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_used),
		cmocka_unit_test(test_positions_that_make_no_sense),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_slot),
		cmocka_unit_test(test_two_rings),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
