// SPDX-License-Identifier: GPL-2.0-only
/* The reapers: each shard's due flows, a few buckets at a time, and the log. */
#include <linux/module.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "npk.h"

/*
 * What is spent under one hold of the lock, see npk_meter_sweep(): 120 looks, or 60
 * records of about 0.2 us each.
 */
#define BUDGET		120
/* Every state change is said at most once in so long. */
#define SAY_NS		(60 * NPK_NSEC_PER_SEC)
#define NO_READER_NS	(60 * NPK_NSEC_PER_SEC)

/**
 * struct said - what the log was told; only the reaper of shard 0 uses it
 * @lost: records, packets and octets lost when that was last said
 * @lost_records: likewise
 * @lost_ns: when
 * @early: flows closed early by the last round
 * @early_ns: when the last of them was
 * @early_on: "began" was said and "ended" was not
 */
static struct said {
	struct npk_tally lost;
	u64 lost_records;
	u64 lost_ns;
	u64 early;
	u64 early_ns;
	bool early_on;
} said;

static void say_no_reader(struct npk_member *m, u32 index, u64 now)
{
	u64 left = READ_ONCE(m->left_ns);

	if (READ_ONCE(m->file) || m->complained || now - left < NO_READER_NS)
		return;
	if (!npk_member_unread(index))
		return;
	m->complained = true;
	pr_warn("group %s: no reader for 60 s, %llu records wait\n", m->group->name,
		npk_member_unread(index));
}

static void say_lost(u64 now)
{
	struct npk_tally lost = {};
	u64 records = 0;
	u32 i, g;

	for (i = 0; i < npk.nr_shards; i++) {
		spin_lock_bh(&npk.shards[i].lock);
		for (g = 0; g < npk.nr_groups; g++) {
			lost.packets += npk.shards[i].out[g].lost.packets;
			lost.octets += npk.shards[i].out[g].lost.octets;
			records += npk.shards[i].out[g].lost_records;
		}
		spin_unlock_bh(&npk.shards[i].lock);
	}
	if (records == said.lost_records || (said.lost_ns && now - said.lost_ns < SAY_NS))
		return;
	pr_warn("lost %llu records, %llu packets, %llu octets: the reader is too slow or gone\n",
		records - said.lost_records, lost.packets - said.lost.packets,
		lost.octets - said.lost.octets);
	said.lost_records = records;
	said.lost = lost;
	said.lost_ns = now;
}

static void say_early(u64 now)
{
	u64 early = 0;
	u32 i;

	for (i = 0; i < npk.nr_shards; i++) {
		spin_lock_bh(&npk.shards[i].lock);
		early += npk.shards[i].meter.count.early;
		spin_unlock_bh(&npk.shards[i].lock);
	}
	if (early != said.early) {
		said.early_ns = now;
		if (!said.early_on)
			pr_warn("early expiry began: the table of %llu flows is full\n",
				npk.cfg.flows);
		said.early_on = true;
	} else if (said.early_on && now - said.early_ns >= SAY_NS) {
		pr_info("early expiry ended: %llu flows were closed early since load\n", early);
		said.early_on = false;
	}
	said.early = early;
}

static void say(u64 now)
{
	u32 m;

	for (m = 0; m < npk.nr_members; m++)
		say_no_reader(&npk.members[m], m, now);
	say_lost(now);
	say_early(now);
}

/* Records wait: let the readers have them even below the watermark. */
static void wake_readers(struct npk_shard *s)
{
	bool waiting[NPK_MEMBERS_MAX];
	u32 m;

	spin_lock_bh(&s->lock);
	for (m = 0; m < npk.nr_members; m++)
		waiting[m] = npk_ring_unread(&s->rings[m]);
	spin_unlock_bh(&s->lock);
	for (m = 0; m < npk.nr_members; m++) {
		if (!waiting[m] && !READ_ONCE(npk.stopping))
			continue;
		WRITE_ONCE(npk.members[m].aged, true);
		/* the hint "woken" may be stale: a round later it does not count */
		WRITE_ONCE(npk.members[m].woken, false);
		npk_member_wake(&npk.members[m]);
	}
}

/* Between two rounds; also how long a record may wait for its reader to be woken. */
static unsigned long step_of(const struct npk_shard *s)
{
	return nsecs_to_jiffies(npk_meter_step_ns(&s->meter));
}

static void reap(struct work_struct *work)
{
	struct npk_shard *s = container_of(work, struct npk_shard, reaper.work);
	u64 now = ktime_get_mono_fast_ns(), until = now + npk_meter_step_ns(&s->meter);
	u32 spent;

	spin_lock_bh(&s->lock);
	npk_clock_set(&s->clock);
	spin_unlock_bh(&s->lock);
	do {
		spin_lock_bh(&s->lock);
		spent = npk_meter_sweep(&s->meter, now, BUDGET);
		spin_unlock_bh(&s->lock);
		cond_resched();
		now = ktime_get_mono_fast_ns();
	/* more may become due than can be closed: readers are to be woken all the same */
	} while (spent >= BUDGET && now < until);
	wake_readers(s);
	if (!s->index)
		say(now);
	queue_delayed_work(npk.wq, &s->reaper, spent >= BUDGET ? 0 : step_of(s));
}

/**
 * npk_reap_start() - start the reapers
 *
 * Return: 0 or -ENOMEM.
 */
int npk_reap_start(void)
{
	u32 i;

	npk.wq = alloc_workqueue("nprobe_k", WQ_UNBOUND, 0);
	if (!npk.wq)
		return -ENOMEM;
	for (i = 0; i < npk.nr_shards; i++) {
		INIT_DELAYED_WORK(&npk.shards[i].reaper, reap);
		queue_delayed_work(npk.wq, &npk.shards[i].reaper, step_of(&npk.shards[i]));
	}
	return 0;
}

/**
 * npk_reap_hurry() - have every reaper run now
 *
 * Context: Any.
 */
void npk_reap_hurry(void)
{
	u32 i;

	for (i = 0; npk.wq && i < npk.nr_shards; i++)
		mod_delayed_work(npk.wq, &npk.shards[i].reaper, 0);
}

/**
 * npk_reap_stop() - stop the reapers and wait for them
 */
void npk_reap_stop(void)
{
	u32 i;

	for (i = 0; i < npk.nr_shards; i++)
		cancel_delayed_work_sync(&npk.shards[i].reaper);
	destroy_workqueue(npk.wq);
	npk.wq = NULL;
}
