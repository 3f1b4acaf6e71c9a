// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/nprobe_k/: counters of one moment per shard, one "name value" a line.
 */
#include <linux/cpumask.h>
#include <linux/if_vlan.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/proc_fs.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "npk.h"

/**
 * struct totals - all shards added up, each read under one hold of its lock
 * @count: what the meters saw
 * @out: what the groups got
 * @flows: open flows
 * @walked: packets and octets found by walking the tables (debug builds)
 */
struct totals {
	struct npk_meter_count count;
	struct npk_output out[NPK_GROUPS_MAX];
	u64 flows;
	struct npk_tally walked;
};

static void add_tally(struct npk_tally *sum, const struct npk_tally *t)
{
	sum->packets += t->packets;
	sum->octets += t->octets;
}

static void add_count(struct npk_meter_count *sum, const struct npk_meter_count *c)
{
	u32 i;

	sum->frames += c->frames;
	sum->seen += c->seen;
	sum->early += c->early;
	sum->split += c->split;
	sum->held += c->held;
	if (c->late_max_ns > sum->late_max_ns)
		sum->late_max_ns = c->late_max_ns;
	add_tally(&sum->accounted, &c->accounted);
	add_tally(&sum->live, &c->live);
	add_tally(&sum->unparsed, &c->unparsed);
	for (i = 0; i < __NPK_IGN_MAX; i++)
		sum->ignored[i] += c->ignored[i];
	for (i = 0; i < __NPK_NOTE_MAX; i++)
		sum->note[i] += c->note[i];
	for (i = 0; i < NPK_LATE_CLASSES; i++)
		sum->late[i] += c->late[i];
}

#ifdef NPK_DEBUG
static void walk(const struct npk_table *t, struct npk_tally *sum)
{
	u32 b, way;

	for (b = 0; b < t->nr_buckets; b++) {
		const struct npk_bucket *k = npk_table_bucket(t, b);

		for (way = 0; way < NPK_WAYS; way++) {
			if (!k->sig[way])
				continue;
			sum->packets += k->flow[way].packets;
			sum->octets += k->flow[way].octets;
		}
	}
}
#else
static void walk(const struct npk_table *t, struct npk_tally *sum)
{
}
#endif

static void add_shard(struct totals *t, struct npk_shard *s)
{
	u32 g;

	spin_lock_bh(&s->lock);
	add_count(&t->count, &s->meter.count);
	t->flows += npk_meter_flows(&s->meter);
	for (g = 0; g < npk.nr_groups; g++) {
		add_tally(&t->out[g].published, &s->out[g].published);
		add_tally(&t->out[g].lost, &s->out[g].lost);
		t->out[g].published_records += s->out[g].published_records;
		t->out[g].lost_records += s->out[g].lost_records;
	}
	walk(&s->meter.table, &t->walked);
	spin_unlock_bh(&s->lock);
}

static void show_tally(struct seq_file *f, const char *name, const struct npk_tally *t)
{
	seq_printf(f, "%s.packets %llu\n%s.octets %llu\n", name, t->packets, name, t->octets);
}

static void show_meter(struct seq_file *f, const struct totals *t)
{
	const struct npk_meter_count *c = &t->count;
	u64 ignored = 0;
	u32 i;

	seq_printf(f, "frames %llu\nseen.packets %llu\n", c->frames, c->seen);
	for (i = 1; i < __NPK_IGN_MAX; i++) {
		seq_printf(f, "ignored.%s.packets %llu\n", npk_ignored_name(i), c->ignored[i]);
		ignored += c->ignored[i];
	}
	show_tally(f, "unparsed", &c->unparsed);
	show_tally(f, "accounted", &c->accounted);
	show_tally(f, "live", &c->live);
	seq_printf(f, "difference.seen.packets %lld\n",
		   (s64)(c->seen - ignored - c->accounted.packets));
#ifdef NPK_DEBUG
	seq_printf(f, "difference.walk.packets %lld\ndifference.walk.octets %lld\n",
		   (s64)(c->live.packets - t->walked.packets),
		   (s64)(c->live.octets - t->walked.octets));
#endif
}

static void show_group(struct seq_file *f, const struct npk_group *g, const struct npk_output *o,
		       const struct npk_meter_count *c)
{
	seq_printf(f, "published.%s.records %llu\n", g->name, o->published_records);
	seq_printf(f, "published.%s.packets %llu\n", g->name, o->published.packets);
	seq_printf(f, "published.%s.octets %llu\n", g->name, o->published.octets);
	seq_printf(f, "lost.%s.records %llu\n", g->name, o->lost_records);
	seq_printf(f, "lost.%s.packets %llu\n", g->name, o->lost.packets);
	seq_printf(f, "lost.%s.octets %llu\n", g->name, o->lost.octets);
	seq_printf(f, "difference.%s.packets %lld\n", g->name,
		   (s64)(c->accounted.packets - c->live.packets - o->published.packets -
			 o->lost.packets));
	seq_printf(f, "difference.%s.octets %lld\n", g->name,
		   (s64)(c->accounted.octets - c->live.octets - o->published.octets -
			 o->lost.octets));
}

/* How long after its time a record was made, in classes that double. */
static void show_late(struct seq_file *f, const struct npk_meter_count *c)
{
	u32 i;

	for (i = 0; i < NPK_LATE_CLASSES - 1; i++)
		seq_printf(f, "late.below_%ums.records %llu\n", 1U << i, c->late[i]);
	seq_printf(f, "late.more.records %llu\nlate.max_ms %llu\nheld.records %llu\n", c->late[i],
		   div_u64(c->late_max_ns, NSEC_PER_MSEC), c->held);
}

/* Both sides of each sum and their difference, which is always 0. */
static int show_stats(struct seq_file *f, void *v)
{
	struct totals *t = kzalloc(sizeof(*t), GFP_KERNEL);
	u32 i;

	if (!t)
		return -ENOMEM;
	for (i = 0; i < npk.nr_shards; i++)
		add_shard(t, &npk.shards[i]);
	show_meter(f, t);
	for (i = 0; i < npk.nr_groups; i++)
		show_group(f, &npk.groups[i], &t->out[i], &t->count);
	for (i = 0; i < __NPK_NOTE_MAX; i++)
		seq_printf(f, "%s.packets %llu\n", npk_note_name(i), t->count.note[i]);
	seq_printf(f, "flows %llu\nsplit.flows %llu\nslots %llu\nearly.flows %llu\n", t->flows,
		   t->count.split,
		   (u64)npk.nr_shards * npk.shards[0].meter.table.nr_buckets * NPK_WAYS,
		   t->count.early);
	show_late(f, &t->count);
	kfree(t);
	return 0;
}

static void show_shard_cpus(struct seq_file *f, const struct npk_shard *s)
{
	const char *comma = "";
	int cpu;

	for_each_possible_cpu(cpu) {
		if (per_cpu(npk_cpu_shard, cpu) != s)
			continue;
		seq_printf(f, "%s%d", comma, cpu);
		comma = ",";
	}
}

static int show_cpu(struct seq_file *f, void *v)
{
	u32 i;

	seq_puts(f, "shard cpus packets flows slots early\n");
	for (i = 0; i < npk.nr_shards; i++) {
		struct npk_shard *s = &npk.shards[i];
		u64 seen, flows, early;

		spin_lock_bh(&s->lock);
		seen = s->meter.count.seen;
		flows = npk_meter_flows(&s->meter);
		early = s->meter.count.early;
		spin_unlock_bh(&s->lock);
		seq_printf(f, "%u ", i);
		show_shard_cpus(f, s);
		seq_printf(f, " %llu %llu %u %llu\n", seen, flows,
			   s->meter.table.nr_buckets * NPK_WAYS, early);
	}
	return 0;
}

/* What the hook cannot see, because it is handled before. */
static void show_blind(struct seq_file *f, struct net_device *dev)
{
	bool xdp = npk_dev_has_xdp(dev);
	bool tc = npk.cfg.hook != NPK_HOOK_TAP && npk_dev_has_tc(dev);
	bool vlan = npk.cfg.hook == NPK_HOOK_RX && vlan_uses_dev(dev);

	seq_printf(f, "%s%s%s%s", xdp ? " xdp" : "", tc ? " tc" : "", vlan ? " vlan-subdevice" : "",
		   xdp || tc || vlan ? "" : " -");
}

static void show_device(struct seq_file *f, const struct npk_dev *d)
{
	struct rtnl_link_stats64 now;

	if (!d->dev) {
		seq_printf(f, "%s absent\n", d->name);
		return;
	}
	dev_get_stats(d->dev, &now);
	seq_printf(f, "%s %s ifindex %d hook %s passive %d promisc %d", d->dev->name,
		   netif_running(d->dev) ? "up" : "down", d->dev->ifindex,
		   npk_hook_name(npk.cfg.hook), npk.cfg.passive, d->promisc);
	seq_printf(f, " rx_dropped %llu rx_missed %llu rx_fifo %llu softnet_dropped %llu blind",
		   now.rx_dropped - d->base.rx_dropped,
		   now.rx_missed_errors - d->base.rx_missed_errors,
		   now.rx_fifo_errors - d->base.rx_fifo_errors,
		   npk_softnet_drops() - d->softnet_drops);
	show_blind(f, d->dev);
	seq_putc(f, '\n');
}

static int show_devices(struct seq_file *f, void *v)
{
	struct npk_dev *d;

	rtnl_lock();
	list_for_each_entry(d, &npk.devices, list)
		show_device(f, d);
	rtnl_unlock();
	return 0;
}

static int show_groups(struct seq_file *f, void *v)
{
	u32 i, m;

	seq_puts(f, "group/member reader ring unread slots bad_tail\n");
	for (m = 0; m < npk.nr_members; m++) {
		struct npk_member *p = &npk.members[m];

		for (i = 0; i < npk.nr_shards; i++) {
			struct npk_ring *r = &npk.shards[i].rings[m];
			u32 unread;

			spin_lock_bh(&npk.shards[i].lock);
			unread = npk_ring_unread(r);
			spin_unlock_bh(&npk.shards[i].lock);
			seq_printf(f, "%s/%u %s %u %u %u %llu\n", p->group->name, p->index,
				   READ_ONCE(p->file) ? "joined" : "none", i, unread,
				   npk.cfg.ring_slots, READ_ONCE(r->prod->bad_tail));
		}
	}
	return 0;
}

static int show_config(struct seq_file *f, void *v)
{
	seq_printf(f, "version %s\nabi %u.%u\nhook %s\npassive %d\npromisc %d\nforce %d\n",
		   NPK_MODULE_VERSION, NPK_ABI_MAJOR, NPK_ABI_MINOR, npk_hook_name(npk.cfg.hook),
		   npk.cfg.passive, npk.cfg.promisc, npk.cfg.force);
	seq_printf(f, "flows %llu\nshards %u\nactive %llu\nidle %llu\nring_slots %u\n",
		   npk.cfg.flows, npk.nr_shards,
		   div64_u64(npk.cfg.limits.active_ns, NPK_NSEC_PER_SEC),
		   div64_u64(npk.cfg.limits.idle_ns, NPK_NSEC_PER_SEC), npk.cfg.ring_slots);
	seq_printf(f, "key.tos %d\nkey.vlan %d\nkey.mpls %d\nkey.ifindex %d\nfrag %s\n",
		   !(npk.cfg.leave_out & NPK_KEY_TOS), !(npk.cfg.leave_out & NPK_KEY_VLAN),
		   !(npk.cfg.leave_out & NPK_KEY_MPLS), !(npk.cfg.leave_out & NPK_KEY_IFINDEX),
		   npk.cfg.frag_zero ? "zero" : "join");
	return 0;
}

/*
 * flows: one bucket at a time is copied under the lock and printed without it.
 * The position counts buckets over all shards.
 */
static struct npk_bucket *copy_bucket(struct seq_file *f, loff_t pos)
{
	u32 nr = npk.shards[0].meter.table.nr_buckets;
	struct npk_bucket *copy = f->private;
	struct npk_shard *s;
	u32 b;
	u64 shard = div_u64_rem(pos, nr, &b);

	if (shard >= npk.nr_shards)
		return NULL;
	s = &npk.shards[shard];
	spin_lock_bh(&s->lock);
	memcpy(copy, npk_table_bucket(&s->meter.table, b), sizeof(*copy));
	spin_unlock_bh(&s->lock);
	return copy;
}

static void *flows_start(struct seq_file *f, loff_t *pos)
{
	f->private = kmalloc(sizeof(struct npk_bucket), GFP_KERNEL);
	if (!f->private)
		return ERR_PTR(-ENOMEM);
	if (!*pos)
		seq_puts(f,
			 "src dst proto sport dport vlan in_if packets octets tcp_flags age_ms\n");
	return copy_bucket(f, *pos);
}

static void *flows_next(struct seq_file *f, void *v, loff_t *pos)
{
	++*pos;
	return copy_bucket(f, *pos);
}

static void flows_stop(struct seq_file *f, void *v)
{
	kfree(f->private);
	f->private = NULL;
}

static void show_flow(struct seq_file *f, const struct npk_flow *flow, u64 now)
{
	/* packets' times may be ahead of the kernel's clock by what clock.h says */
	s64 age_ns = now - flow->first_ns;
	struct npk_key key;

	npk_flow_key(flow, &key);
	if (key.ip_version == 6)
		seq_printf(f, "%pI6c %pI6c", key.addr, key.addr + 16);
	else
		seq_printf(f, "%pI4 %pI4", key.addr, key.addr + 4);
	seq_printf(f, " %u %u %u", key.proto, ntohs(key.sport), ntohs(key.dport));
	if (key.vlan == NPK_VLAN_NONE)
		seq_puts(f, " -");
	else
		seq_printf(f, " %u", key.vlan);
	seq_printf(f, " %u %llu %llu 0x%03x %llu\n", key.ifindex, flow->packets, flow->octets,
		   flow->tcp_flags, div_u64(max_t(s64, age_ns, 0), NSEC_PER_MSEC));
}

static int flows_show(struct seq_file *f, void *v)
{
	const struct npk_bucket *b = v;
	u64 now = ktime_get_mono_fast_ns();
	u32 way;

	for (way = 0; way < NPK_WAYS; way++) {
		if (b->sig[way] && b->flow[way].packets)
			show_flow(f, &b->flow[way], now);
	}
	return 0;
}

static const struct seq_operations flows_ops = {
	.start = flows_start,
	.next = flows_next,
	.stop = flows_stop,
	.show = flows_show,
};

static const struct {
	const char *name;
	int (*show)(struct seq_file *f, void *v);
} files[] = {
	{ "stats", show_stats },
	{ "cpu", show_cpu },
	{ "devices", show_devices },
	{ "groups", show_groups },
	{ "config", show_config },
};

/**
 * npk_proc_start() - make /proc/net/nprobe_k
 *
 * Return: 0 or -ENOMEM, with nothing left behind.
 */
int npk_proc_start(void)
{
	struct proc_dir_entry *dir = proc_mkdir("nprobe_k", init_net.proc_net);
	bool ok = dir;
	size_t i;

	for (i = 0; ok && i < ARRAY_SIZE(files); i++)
		ok = proc_create_single(files[i].name, 0444, dir, files[i].show);
	/* who talks to whom is personal data: root only */
	ok = ok && proc_create_seq("flows", 0400, dir, &flows_ops);
	if (ok)
		return 0;
	if (dir)
		npk_proc_stop();
	return -ENOMEM;
}

/**
 * npk_proc_stop() - remove it and wait for its readers
 */
void npk_proc_stop(void)
{
	remove_proc_subtree("nprobe_k", init_net.proc_net);
}
