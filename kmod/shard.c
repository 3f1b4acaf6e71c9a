// SPDX-License-Identifier: GPL-2.0-only
/* Shards: one flow table for each of the chosen CPUs. */
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "npk.h"

DEFINE_PER_CPU(struct npk_shard *, npk_cpu_shard);

static int table_create(struct npk_table *t, u64 flows, const struct npk_secret *secret)
{
	u32 i;

	t->nr_buckets = npk_table_buckets(flows);
	if (!t->nr_buckets)
		return -EINVAL;
	t->secret = *secret;
	for (i = 0; i < npk_table_segments(t->nr_buckets); i++) {
		t->seg[i] = npk_alloc_large(npk_table_segment_size(t->nr_buckets, i));
		if (!t->seg[i])
			return -ENOMEM;
		cond_resched();
	}
	t->occupied = npk_alloc_large(npk_table_bitmap_size(t->nr_buckets));
	return t->occupied ? 0 : -ENOMEM;
}

static void table_destroy(struct npk_table *t)
{
	u32 i;

	for (i = 0; i < NPK_SEGS_MAX; i++)
		vfree(t->seg[i]);
	vfree(t->occupied);
}

/* What all meters share. */
static int shared_create(void)
{
	npk.convs = npk_alloc_large(sizeof(*npk.convs));
	if (!npk.convs)
		return -ENOMEM;
	npk_convs_init(npk.convs);
	if (npk.cfg.frag_zero)
		return 0;
	npk.frags = npk_alloc_large(sizeof(*npk.frags));
	if (!npk.frags)
		return -ENOMEM;
	npk_frags_init(npk.frags);
	return 0;
}

static int shard_create(struct npk_shard *s, u32 index, const struct npk_secret *secret)
{
	int err;

	spin_lock_init(&s->lock);
	s->index = index;
	s->meter.limits = npk.cfg.limits;
	s->meter.leave_out = npk.cfg.leave_out;
	s->meter.frags = npk.frags;
	s->meter.convs = npk.convs;
	s->meter.emit = npk_ring_emit;
	s->meter.emit_ctx = s;
	s->meter.now_ns = ktime_get_mono_fast_ns();
	s->meter.swept_ns = s->meter.now_ns;
	err = table_create(&s->meter.table, DIV_ROUND_UP_ULL(npk.cfg.flows, npk.nr_shards), secret);
	if (err) {
		pr_err("no memory for a table of %llu flows\n", npk.cfg.flows);
		return err;
	}
	return npk_shard_rings_create(s);
}

/* CPUs that have no shard of their own share: CPU number modulo shards. */
static void assign_cpus(const struct cpumask *cpus)
{
	u32 next = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		if (cpumask_test_cpu(cpu, cpus))
			per_cpu(npk_cpu_shard, cpu) = &npk.shards[next++];
		else
			per_cpu(npk_cpu_shard, cpu) = &npk.shards[cpu % npk.nr_shards];
	}
}

/**
 * npk_shards_create() - allocate all tables and rings
 * @cpus: CPUs that get a shard of their own
 *
 * Context: Process, at load. May sleep.
 * Return: 0 or -errno after a sentence in the log; then npk_shards_destroy().
 */
int npk_shards_create(const struct cpumask *cpus)
{
	struct npk_secret secret;
	u32 i;
	int err = shared_create();

	if (err) {
		pr_err("no memory for fragments and conversations\n");
		return err;
	}
	npk.shards = kvcalloc(cpumask_weight(cpus), sizeof(*npk.shards), GFP_KERNEL);
	if (!npk.shards)
		return -ENOMEM;
	npk.nr_shards = cpumask_weight(cpus);
	/* one secret: both directions get the same conversation hash on any CPU */
	get_random_bytes(&secret, sizeof(secret));
	for (i = 0; i < npk.nr_shards; i++) {
		err = shard_create(&npk.shards[i], i, &secret);
		if (err)
			break;
	}
	memzero_explicit(&secret, sizeof(secret));
	if (!err)
		assign_cpus(cpus);
	return err;
}

/**
 * npk_shards_destroy() - free all tables and rings
 *
 * Context: Process; no hook and no reaper runs any more. May sleep.
 */
void npk_shards_destroy(void)
{
	u32 i;

	for (i = 0; i < npk.nr_shards; i++) {
		npk_shard_rings_destroy(&npk.shards[i]);
		table_destroy(&npk.shards[i].meter.table);
	}
	vfree(npk.frags);
	npk.frags = NULL;
	vfree(npk.convs);
	npk.convs = NULL;
	kvfree(npk.shards);
	npk.shards = NULL;
	npk.nr_shards = 0;
}

/**
 * npk_shards_flush() - mark flows as due, end reason "forced"
 * @ifindex: flows of this device, 0 = all
 *
 * Context: Process or BH. Returns at once; the reapers do the work.
 */
void npk_shards_flush(u32 ifindex)
{
	u64 now = ktime_get_mono_fast_ns();
	u32 i;

	for (i = 0; i < npk.nr_shards; i++) {
		spin_lock_bh(&npk.shards[i].lock);
		npk_meter_flush(&npk.shards[i].meter, now, ifindex);
		spin_unlock_bh(&npk.shards[i].lock);
	}
	npk_reap_hurry();
}

/**
 * npk_shards_empty() - is no flow in any table
 *
 * Context: Process or BH.
 * Return: true when all tables are empty.
 */
bool npk_shards_empty(void)
{
	bool empty = true;
	u32 i;

	for (i = 0; i < npk.nr_shards && empty; i++) {
		spin_lock_bh(&npk.shards[i].lock);
		empty = !npk.shards[i].meter.table.nr_flows;
		spin_unlock_bh(&npk.shards[i].lock);
	}
	return empty;
}
