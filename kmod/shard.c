// SPDX-License-Identifier: GPL-2.0-only
/* Shards: one flow table for each of the chosen CPUs. */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "npk.h"

DEFINE_PER_CPU(struct npk_shard *, npk_cpu_shard);

/*
 * What loading leaves of the memory that is available: a machine needs some for its packets while
 * it meters, and what is available is an estimate of the kernel's.  A sixteenth of it, 256 MiB at
 * most.
 */
#define SPARE_SHIFT	4
#define SPARE_MAX	(256ULL << 20)
/* Page tables and vmalloc's list of pages: 16 octets for each page of 4096. */
#define MAPPING_SHIFT	8

/* What npk_alloc_large() takes for so much: whole pages, huge ones where it can. */
static u64 large_size(u64 size)
{
	return size < PMD_SIZE ? PAGE_ALIGN(size) : ALIGN(size, PMD_SIZE);
}

static u64 per_shard(u64 flows)
{
	return DIV_ROUND_UP_ULL(flows, npk.nr_shards);
}

/* All tables for so many flows, at most what one can hold. */
static u64 tables_size(u64 flows)
{
	u32 i, nr = npk_table_buckets(per_shard(flows));
	u64 size = large_size(npk_table_bitmap_size(nr));

	for (i = 0; i < npk_table_segments(nr); i++)
		size += large_size(npk_table_segment_size(nr, i));
	size *= npk.nr_shards;
	return size + (size >> MAPPING_SHIFT);
}

/* The rings, and what all shards share. */
static u64 other_size(void)
{
	u64 size = (npk_shard_rings_size() + sizeof(*npk.shards)) * npk.nr_shards +
		   large_size(sizeof(*npk.convs));

	if (!npk.cfg.frag_zero)
		size += large_size(sizeof(*npk.frags));
	return size + (size >> MAPPING_SHIFT);
}

/* The flows that fit into so much, in whole buckets; rounding to huge pages is why it tries. */
static u64 flows_for(u64 room, u64 most)
{
	u64 flows = div64_u64(room, sizeof(struct npk_bucket)) * NPK_WAYS;

	flows = min(flows, most);
	while (flows >= NPK_WAYS && tables_size(flows) > room)
		flows -= flows / 64 + 1;
	return flows >= NPK_WAYS ? flows : 0;
}

/*
 * Nothing is allocated before it is known to fit: an attempt that fails has driven the machine
 * to its last page by then, and others were killed for it.
 */
static int check_memory(void)
{
	u64 most = ((u64)NPK_SEGS_MAX << NPK_SEG_SHIFT) * NPK_WAYS * npk.nr_shards;
	u64 available = (u64)si_mem_available() << PAGE_SHIFT;
	u64 room = available - min(available >> SPARE_SHIFT, SPARE_MAX);
	u64 flows = npk.cfg.flows, other = other_size(), need;

	if (other > room) {
		pr_err("ring_slots=%u: %u rings need %llu MiB, %llu MiB are available\n",
		       npk.cfg.ring_slots, npk.nr_shards * npk.nr_members, other >> 20,
		       available >> 20);
		return -ENOMEM;
	}
	/* of more than tables can hold only the figure matters */
	need = flows <= most ? tables_size(flows) :
			       div64_u64(flows, NPK_WAYS) * sizeof(struct npk_bucket);
	if (other + need > room) {
		pr_err("flows=%llu: needs %llu MiB, %llu MiB are available, enough for %llu\n",
		       flows, (other + need) >> 20, available >> 20,
		       flows_for(room - other, most));
		return -ENOMEM;
	}
	if (flows > most) {
		pr_err("flows=%llu: %u tables hold %llu at most\n", flows, npk.nr_shards, most);
		return -EINVAL;
	}
	return 0;
}

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
	err = table_create(&s->meter.table, per_shard(npk.cfg.flows), secret);
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
 * @cpus: CPUs that get a shard of their own, npk.nr_shards of them
 *
 * Refused before anything is allocated when the machine has not the memory.
 *
 * Context: Process, at load, when the members are known. May sleep.
 * Return: 0 or -errno after a sentence in the log; then npk_shards_destroy().
 */
int npk_shards_create(const struct cpumask *cpus)
{
	struct npk_secret secret;
	u32 i;
	int err = check_memory();

	if (err)
		return err;
	err = shared_create();
	if (err) {
		pr_err("no memory for fragments and conversations\n");
		return err;
	}
	npk.shards = kvcalloc(npk.nr_shards, sizeof(*npk.shards), GFP_KERNEL);
	if (!npk.shards)
		return -ENOMEM;
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

	for (i = 0; npk.shards && i < npk.nr_shards; i++) {
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
