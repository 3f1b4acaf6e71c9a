// SPDX-License-Identifier: GPL-2.0-only
/* The interface indices records are exported with. */
#include "test.h"

#include <errno.h>

/* not in the library */
#include "probe/ifnames.c"
#include "probe/interfaces.c"

#define WINDOW	4

static struct npk_rec a_record(uint32_t in_if, uint16_t vlan, uint16_t vlan2)
{
	struct npk_rec rec = {
		.packets = 7, .in_if = in_if, .out_if = 9, .vlan = vlan, .vlan2 = vlan2,
		.smac = { 2, 0, 0, 0, 0x12, 0x34 }, .dmac = { 2, 0, 0, 0, 0xab, 0xcd },
	};

	return rec;
}

static void assert_indices(const struct iface_rules *rules, const struct npk_rec *rec,
			   uint32_t in_if, uint32_t out_if)
{
	struct interfaces i = {};
	const struct npk_rec *got;

	assert_int_equal(interfaces_set(&i, rules, WINDOW), 0);
	got = interfaces_apply(&i, rec, 0);
	assert_int_equal(got->in_if, in_if);
	assert_int_equal(got->out_if, out_if);
	assert_int_equal(got->packets, rec->packets);
	interfaces_close(&i);
}

static void test_no_rule_is_no_copy(void **state)
{
	struct iface_rules rules = { .in = IFACE_OWN, .out = IFACE_OWN };
	struct npk_rec rec = a_record(3, 1, 2);
	struct interfaces i = {};

	(void)state;
	assert_int_equal(interfaces_set(&i, &rules, WINDOW), 0);
	assert_ptr_equal(interfaces_apply(&i, &rec, 0), &rec);
	assert_null(i.copies);
	interfaces_close(&i);
}

static void test_numbers_and_macs(void **state)
{
	struct iface_rules rules = { .in = 0, .out = IFACE_OWN };
	struct npk_rec rec = a_record(3, NPK_VLAN_NONE, NPK_VLAN_NONE);

	(void)state;
	assert_indices(&rules, &rec, 0, 9);
	rules = (struct iface_rules){ .in = IFACE_OWN, .out = UINT32_MAX };
	assert_indices(&rules, &rec, 3, UINT32_MAX);
	rules = (struct iface_rules){ .in = IFACE_MAC, .out = IFACE_MAC };
	assert_indices(&rules, &rec, 0x1234, 0xabcd);
	assert_int_equal(rec.in_if, 3);
}

static void test_vlan_modes(void **state)
{
	struct iface_rules rules = { .in = 1, .out = 2 };
	struct npk_rec even = a_record(3, 100, 31), odd = a_record(3, 101, NPK_VLAN_NONE);
	struct npk_rec none = a_record(3, NPK_VLAN_NONE, NPK_VLAN_NONE);

	(void)state;
	rules.vlan = IFACE_VLAN_INNER;
	assert_indices(&rules, &even, 31, 31);
	assert_indices(&rules, &odd, 101, 101);
	assert_indices(&rules, &none, 0, 0);
	rules.vlan = IFACE_VLAN_OUTER;
	assert_indices(&rules, &even, 100, 100);
	rules.vlan = IFACE_VLAN_SINGLE;
	assert_indices(&rules, &even, 0, 100);
	assert_indices(&rules, &odd, 100, 0);
	rules.vlan = IFACE_VLAN_DOUBLE;
	assert_indices(&rules, &even, 101, 100);
	assert_indices(&rules, &odd, 100, 101);
	assert_indices(&rules, &none, 0, 0);
}

/* A copy stays as it is while a window of records follows it, even without rules. */
static void test_copies_last_a_window(void **state)
{
	struct iface_rules rules = { .in = 5, .out = IFACE_OWN }, off = { IFACE_OWN, IFACE_OWN };
	struct npk_rec recs[2 * WINDOW];
	const struct npk_rec *got[2 * WINDOW];
	struct interfaces i = {};
	uint64_t n, k;

	(void)state;
	assert_int_equal(interfaces_set(&i, &rules, WINDOW), 0);
	for (n = 0; n < 2 * WINDOW; n++) {
		recs[n] = a_record(3, NPK_VLAN_NONE, NPK_VLAN_NONE);
		recs[n].seq = n;
		got[n] = interfaces_apply(&i, &recs[n], n);
		for (k = n < WINDOW ? 0 : n - WINDOW + 1; k <= n; k++)
			assert_int_equal(got[k]->seq, k);
	}
	assert_int_equal(interfaces_set(&i, &off, WINDOW), 0);
	assert_ptr_equal(interfaces_apply(&i, &recs[0], n), &recs[0]);
	assert_int_equal(got[n - 1]->in_if, 5);
	assert_int_equal(got[n - 1]->seq, n - 1);
	interfaces_close(&i);
}

/* The loopback device is the one every host has. */
static void test_names(void **state)
{
	struct iface_rules rules = {
		.in = IFACE_OWN, .out = IFACE_OWN, .nr_names = 2,
		.names = { { "npk-none", 77 }, { "lo", 101 } },
	};
	struct npk_rec rec = a_record(if_nametoindex("lo"), NPK_VLAN_NONE, NPK_VLAN_NONE);
	struct interfaces i = {};

	(void)state;
	assert_int_equal(interfaces_set(&i, &rules, WINDOW), 0);
	interfaces_look(&i, 1);
	assert_int_equal(interfaces_apply(&i, &rec, 0)->in_if, 101);
	rec.in_if += 1000;
	assert_int_equal(interfaces_apply(&i, &rec, 1)->in_if, rec.in_if);
	rec.in_if = 0;		/* unknown stays unknown, also where a name has no device */
	assert_int_equal(interfaces_apply(&i, &rec, 2)->in_if, 0);
	interfaces_close(&i);
}

/* A device that went keeps its number; one that has its index now comes first. */
static void test_names_that_go(void **state)
{
	struct iface_rules rules = {
		.in = IFACE_OWN, .out = IFACE_OWN, .nr_names = 2,
		.names = { { "npk-gone", 77 }, { "lo", 101 } },
	};
	struct npk_rec rec = a_record(if_nametoindex("lo"), NPK_VLAN_NONE, NPK_VLAN_NONE);
	struct interfaces i = {};

	(void)state;
	assert_int_equal(interfaces_set(&i, &rules, WINDOW), 0);
	i.own[0] = rec.in_if;
	assert_int_equal(interfaces_apply(&i, &rec, 0)->in_if, 77);
	interfaces_look(&i, 5000);
	assert_int_equal(i.own[0], rec.in_if);
	assert_int_equal(interfaces_apply(&i, &rec, 1)->in_if, 101);
	i.there[1] = false;
	interfaces_look(&i, 5999);	/* not yet */
	assert_false(i.there[1]);
	interfaces_look(&i, 6000);
	assert_true(i.there[1]);
	interfaces_close(&i);
}

/* By the index a device is exported with; what a rule made up has no name. */
static void test_names_told(void **state)
{
	static const struct iface_rules own = { .in = IFACE_OWN, .out = IFACE_OWN };
	static const struct iface_rules in = { .in = 5, .out = IFACE_OWN };
	static const struct iface_rules vlan = {
		.in = IFACE_OWN, .out = IFACE_OWN, .vlan = IFACE_VLAN_OUTER,
	};
	static const struct {
		const struct iface_rules *rules;
		size_t nr;
		uint32_t index;
	} cases[] = {
		{ &own, 1, 101 }, { &in, 0, 0 }, { &vlan, 0, 0 },
	};
	struct npk_rec rec = a_record(if_nametoindex("lo"), 1, 2), exported = rec;
	size_t i;

	(void)state;
	if (!rec.in_if)
		skip();
	rec.out_if = exported.out_if = 0;
	exported.in_if = 101;
	for (i = 0; i < 3; i++) {
		struct interfaces it = {};
		struct ifnames names;

		ifnames_open(&names);
		assert_int_equal(interfaces_set(&it, cases[i].rules, WINDOW), 0);
		interfaces_name(&it, &rec, &exported, &names);
		assert_int_equal(names.nr, cases[i].nr);
		if (names.nr)
			assert_int_equal(names.list[0].index, cases[i].index);
		interfaces_close(&it);
		ifnames_close(&names);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_rule_is_no_copy),
		cmocka_unit_test(test_numbers_and_macs),
		cmocka_unit_test(test_vlan_modes),
		cmocka_unit_test(test_names_told),
		cmocka_unit_test(test_copies_last_a_window),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_that_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
