// SPDX-License-Identifier: GPL-2.0-only
/* Groups, members and their rings: the producer's side. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "core/record.h"
#include "core/ring.h"
#include "npk.h"

static unsigned long data_size(void)
{
	return PAGE_ALIGN((unsigned long)npk.cfg.ring_slots * sizeof(struct npk_rec));
}

static int ring_create(struct npk_ring *r)
{
	r->prod = vmalloc_user(PAGE_SIZE);
	r->cons = vmalloc_user(PAGE_SIZE);
	r->data = vmalloc_user(data_size());
	return r->prod && r->cons && r->data ? 0 : -ENOMEM;
}

static void ring_destroy(struct npk_ring *r)
{
	vfree(r->prod);
	vfree(r->cons);
	vfree(r->data);
}

/**
 * npk_shard_rings_size() - memory of what npk_shard_rings_create() makes
 *
 * Return: octets.
 */
u64 npk_shard_rings_size(void)
{
	return (u64)npk.nr_members * (data_size() + 2 * PAGE_SIZE);
}

/**
 * npk_shard_rings_create() - a ring for every member
 * @s: shard
 *
 * Return: 0 or -ENOMEM after a sentence in the log; then npk_shard_rings_destroy().
 */
int npk_shard_rings_create(struct npk_shard *s)
{
	u32 m;

	for (m = 0; m < npk.nr_members; m++) {
		if (ring_create(&s->rings[m])) {
			pr_err("ring_slots=%u: no memory for %lu KB a ring\n", npk.cfg.ring_slots,
			       data_size() >> 10);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * npk_shard_rings_destroy() - free the rings of a shard
 * @s: shard; nobody has them mapped, because open files keep the module loaded
 */
void npk_shard_rings_destroy(struct npk_shard *s)
{
	u32 m;

	for (m = 0; m < npk.nr_members; m++)
		ring_destroy(&s->rings[m]);
}

static void fill_info(struct npk_member *m)
{
	struct npk_info *info = m->info;

	info->magic = NPK_INFO_MAGIC;
	info->abi_major = NPK_ABI_MAJOR;
	info->abi_minor = NPK_ABI_MINOR;
	info->info_size = sizeof(*info);
	info->rec_size = sizeof(struct npk_rec);
	info->slots = npk.cfg.ring_slots;
	info->nr_rings = npk.nr_shards;
	info->load_id = npk.load_id;
	strscpy(info->group, m->group->name, sizeof(info->group));
	info->member = m->index;
	info->nr_members = m->group->nr_members;
}

static int member_create(struct npk_member *m, struct npk_group *group, u32 index)
{
	m->group = group;
	m->index = index;
	m->left_ns = ktime_get_mono_fast_ns();
	m->watermark = npk.cfg.ring_slots / 4;
	init_waitqueue_head(&m->wait);
	m->info = vmalloc_user(PAGE_SIZE);
	if (!m->info)
		return -ENOMEM;
	fill_info(m);
	return 0;
}

/**
 * npk_groups_create() - make group "default" with its one member
 *
 * Context: Process, at load, after the number of shards is known.
 * Return: 0 or -ENOMEM; then npk_groups_destroy().
 */
int npk_groups_create(void)
{
	struct npk_group *g = &npk.groups[0];

	get_random_bytes(&npk.load_id, sizeof(npk.load_id));
	strscpy(g->name, "default", sizeof(g->name));
	g->nr_members = 1;
	npk.nr_groups = 1;
	npk.nr_members = 1;
	return member_create(&npk.members[0], g, 0);
}

/**
 * npk_groups_destroy() - free what npk_groups_create() made
 */
void npk_groups_destroy(void)
{
	u32 m;

	for (m = 0; m < npk.nr_members; m++)
		vfree(npk.members[m].info);
	npk.nr_members = 0;
	npk.nr_groups = 0;
}

/*
 * Read the reader's position once.  It is hostile: one that makes no sense is
 * counted, and the ring is full until it does again.
 */
static u32 ring_used(struct npk_ring *r)
{
	/* B: pairs with the reader's store-release of tail */
	u64 tail = smp_load_acquire(&r->cons->tail);
	u32 used;

	if (!npk_ring_used(r->head, tail, npk.cfg.ring_slots, &used)) {
		WRITE_ONCE(r->prod->bad_tail, r->prod->bad_tail + 1);
		return npk.cfg.ring_slots;
	}
	r->tail = tail;
	return used;
}

/* The cached position first: the reader's line is touched only when that says full. */
static bool ring_has_room(struct npk_ring *r)
{
	if (likely(r->head - r->tail < npk.cfg.ring_slots))
		return true;
	return ring_used(r) < npk.cfg.ring_slots;
}

/*
 * Wake the reader when so many records wait for it.  The cached position alone would wake it for
 * every record once the ring has gone round that far, only to find that it has read them all.
 */
static void wake_at_watermark(struct npk_ring *r, struct npk_member *m)
{
	u32 watermark = READ_ONCE(m->watermark);

	if (r->head - r->tail >= watermark && !READ_ONCE(m->woken) && ring_used(r) >= watermark)
		npk_member_wake(m);
}

static void ring_publish(struct npk_ring *r, const struct npk_flow *flow, u8 reason, u64 conv)
{
	u32 slot = npk_ring_slot(r->head, npk.cfg.ring_slots);

	npk_record_fill(&r->data[slot], flow, reason, conv, r->head);
	r->head++;
	/* A: pairs with the reader's load-acquire of head */
	smp_store_release(&r->prod->head, r->head);
}

static void ring_lose(struct npk_ring *r, u64 records, u64 packets, u64 octets)
{
	WRITE_ONCE(r->prod->lost_records, r->prod->lost_records + records);
	WRITE_ONCE(r->prod->lost_packets, r->prod->lost_packets + packets);
	WRITE_ONCE(r->prod->lost_octets, r->prod->lost_octets + octets);
}

static u32 pick_member(const struct npk_group *g, u64 conv)
{
	return g->first + (u32)((conv >> 32) * g->nr_members >> 32);
}

/* False when there is no room and the flow may stay: nothing was done. */
static __always_inline bool output_one(struct npk_shard *s, u32 group, const struct npk_flow *flow,
				       u8 reason, u64 conv, bool must)
{
	u32 m = pick_member(&npk.groups[group], conv);
	struct npk_output *o = &s->out[group];
	struct npk_ring *r = &s->rings[m];

	if (unlikely(!ring_has_room(r))) {
		if (!must)
			return false;
		o->lost.packets += flow->packets;
		o->lost.octets += flow->octets;
		o->lost_records++;
		ring_lose(r, 1, flow->packets, flow->octets);
		return true;
	}
	ring_publish(r, flow, reason, conv);
	o->published.packets += flow->packets;
	o->published.octets += flow->octets;
	o->published_records++;
	wake_at_watermark(r, &npk.members[m]);
	return true;
}

static noinline bool all_have_room(struct npk_shard *s, u64 conv)
{
	u32 g;

	for (g = 0; g < npk.nr_groups; g++) {
		if (!ring_has_room(&s->rings[pick_member(&npk.groups[g], conv)]))
			return false;
	}
	return true;
}

/**
 * npk_ring_emit() - publish a record to every group; an npk_emit_fn
 * @ctx: shard
 * @flow: closed flow
 * @reason: enum npk_end_reason
 * @must: the flow leaves the table whatever happens
 *
 * Lossless groups get a record at once or it stays in the table; a flow that
 * must leave is written where there is room and counted as lost elsewhere.
 *
 * Context: BH disabled, the shard's lock held. Never sleeps.
 * Return: false when a ring has no room and the flow may stay.
 */
bool npk_ring_emit(void *ctx, const struct npk_flow *flow, u8 reason, bool must)
{
	struct npk_shard *s = ctx;
	u64 conv;
	u32 g;

	lockdep_assert_held(&s->lock);
	conv = npk_flow_conv(flow, &s->meter.table.secret);
	/* one group finds out by itself; of several, a reader may have spoiled one by then */
	if (unlikely(npk.nr_groups > 1 && !must)) {
		if (!all_have_room(s, conv))
			return false;
		must = true;
	}
	for (g = 0; g < npk.nr_groups; g++) {
		if (!output_one(s, g, flow, reason, conv, must))
			return false;
	}
	return true;
}

/**
 * npk_ring_unread() - records that wait in a ring
 * @r: ring; its shard's lock is held
 *
 * Return: number of records; since the last position that made sense, when the
 * present one makes none.
 */
u32 npk_ring_unread(const struct npk_ring *r)
{
	/* B: as in ring_used(), but a look that counts nothing */
	u64 tail = smp_load_acquire(&r->cons->tail);
	u32 used;

	return npk_ring_used(r->head, tail, npk.cfg.ring_slots, &used) ? used : r->head - r->tail;
}

/**
 * npk_ring_adopt() - ready a ring for a new reader
 * @r: ring; its shard's lock is held
 *
 * A reader that died may have left nonsense behind: then the new one starts at
 * the last position that made sense.
 */
void npk_ring_adopt(struct npk_ring *r)
{
	u64 tail = r->head - npk_ring_unread(r);

	r->tail = tail;
	/* nobody has this page mapped: no reader is there to pair with */
	smp_store_release(&r->cons->tail, tail);
}

/**
 * npk_member_unread() - records that wait for a member, all shards
 * @member: index in npk.members
 *
 * Context: Process or BH; takes each shard's lock once.
 * Return: number of records.
 */
u64 npk_member_unread(u32 member)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < npk.nr_shards; i++) {
		spin_lock_bh(&npk.shards[i].lock);
		sum += npk_ring_unread(&npk.shards[i].rings[member]);
		spin_unlock_bh(&npk.shards[i].lock);
	}
	return sum;
}

/**
 * npk_ring_discard() - drop the oldest records that wait in a ring, counted as lost
 * @s: shard, its lock held
 * @member: index in npk.members
 * @max: no more than this many: each is read, and packets wait for the lock
 *
 * The reader is just joining: nobody has the ring mapped.
 *
 * Return: how many were dropped.
 */
u32 npk_ring_discard(struct npk_shard *s, u32 member, u32 max)
{
	struct npk_output *o = &s->out[npk.members[member].group - npk.groups];
	struct npk_ring *r = &s->rings[member];
	u32 i, unread = npk_ring_unread(r), n = min(unread, max);
	u64 pos = r->head - unread;
	struct npk_tally sum = {};

	lockdep_assert_held(&s->lock);
	for (i = 0; i < n; i++, pos++) {
		const struct npk_rec *rec = &r->data[npk_ring_slot(pos, npk.cfg.ring_slots)];

		sum.packets += rec->packets;
		sum.octets += rec->octets;
	}
	o->published.packets -= sum.packets;
	o->published.octets -= sum.octets;
	o->published_records -= n;
	o->lost.packets += sum.packets;
	o->lost.octets += sum.octets;
	o->lost_records += n;
	ring_lose(r, n, sum.packets, sum.octets);
	r->tail = pos;
	/* as in npk_ring_adopt() */
	smp_store_release(&r->cons->tail, pos);
	return n;
}

/**
 * npk_member_wake() - wake a reader that sleeps in poll(), once until it polls
 * @m: member
 *
 * Context: BH disabled or process.
 */
void npk_member_wake(struct npk_member *m)
{
	if (READ_ONCE(m->woken) || !wq_has_sleeper(&m->wait))
		return;
	WRITE_ONCE(m->woken, true);
	wake_up_interruptible(&m->wait);
}
