/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private structures of the module.
 *
 * Locks, in the order in which they nest:
 *   rtnl           the list of devices and everything in struct npk_dev
 *   npk.join_lock  which file is which member (struct npk_member.file and below)
 *   shard->lock    one shard: its meter, its rings' producer side, its tallies;
 *                  taken in softirq by the shard's CPUs, with BH off elsewhere
 *   a stripe       some buckets of npk.frags or npk.convs (core/stripe.h); taken in
 *                  softirq while a packet is metered
 * docs/locking.md says the same by context.
 */
#ifndef NPK_H
#define NPK_H

/* Before linux/printk.h: every line of the log begins with our name. */
#undef pr_fmt
#define pr_fmt(fmt) "nprobe_k: " fmt

#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "clock.h"
#include "core/meter.h"

#define NPK_MODULE_VERSION	"0.1"

/* Groups the module can have; "default" is number 0. */
#define NPK_GROUPS_MAX		8
/* Members of all groups together. */
#define NPK_MEMBERS_MAX		64

/**
 * struct npk_ring - producer side of one ring; protected by its shard's lock
 * @head: private position; what the reader sees is a copy
 * @tail: the reader's position as last read and found good
 * @prod: page the reader may read
 * @cons: page the reader may write
 * @data: records
 */
struct npk_ring {
	u64 head;
	u64 tail;
	struct npk_prod *prod;
	struct npk_cons *cons;
	struct npk_rec *data;
};

/**
 * struct npk_output - what a group got from one shard; protected by its lock
 * @published: packets and octets in records written to a ring
 * @published_records: these records
 * @lost: packets and octets in records that found no room
 * @lost_records: these records
 */
struct npk_output {
	struct npk_tally published;
	u64 published_records;
	struct npk_tally lost;
	u64 lost_records;
};

/**
 * struct npk_shard - flow table and rings of one or more CPUs
 * @lock: protects the rest but for @index and @reaper
 * @clock: tells the time of packets
 * @meter: flow table and counters
 * @rings: one for each member, in the order of npk.members
 * @out: one for each group
 * @index: number of the shard
 * @reaper: closes due flows
 */
struct npk_shard {
	spinlock_t lock;
	struct npk_clock clock;
	struct npk_meter meter;
	struct npk_ring rings[NPK_MEMBERS_MAX];
	struct npk_output out[NPK_GROUPS_MAX];
	u32 index;
	struct delayed_work reaper;
} ____cacheline_aligned;

/**
 * struct npk_group - readers among whom conversations are split
 * @name: NUL terminated
 * @first: index of its first member in npk.members
 * @nr_members: fixed when the group is made
 */
struct npk_group {
	char name[NPK_GROUP_NAME_MAX];
	u32 first;
	u32 nr_members;
};

/**
 * struct npk_member - one place for a reader
 * @group: its group
 * @index: number within the group
 * @info: page mapped by the reader
 * @file: who has joined, or NULL; protected by npk.join_lock
 * @left_ns: when the last reader left, monotonic; protected by npk.join_lock
 * @complained: "no reader" was said; only the reaper of shard 0 and joins write it
 * @watermark: records in one ring that wake the reader
 * @woken: the reader was woken and has not polled since; a hint
 * @aged: records have waited for a round of the reaper; a hint
 * @wait: the reader's poll()
 */
struct npk_member {
	struct npk_group *group;
	u32 index;
	struct npk_info *info;
	struct file *file;
	u64 left_ns;
	bool complained;
	u32 watermark;
	bool woken;
	bool aged;
	wait_queue_head_t wait;
};

/** enum npk_hook - where in the receive path a device is metered */
enum npk_hook { NPK_HOOK_INGRESS, NPK_HOOK_TAP, NPK_HOOK_RX };

/**
 * struct npk_config - parameters after checking; constant from load on
 * @hook: where to attach
 * @passive: consume what is metered
 * @promisc: switch promiscuous mode on
 * @force: passive even on a device that is in use
 * @flows: slots of all shards together
 * @ring_slots: records in one ring
 * @leave_out: enum npk_key_part
 * @frag_zero: later fragments have ports 0
 * @limits: timeouts
 */
struct npk_config {
	enum npk_hook hook;
	bool passive;
	bool promisc;
	bool force;
	u64 flows;
	u32 ring_slots;
	u32 leave_out;
	bool frag_zero;
	struct npk_limits limits;
};

/**
 * struct npk_dev - a device to meter; protected by rtnl
 * @list: in npk.devices
 * @name: name it was configured by
 * @dev: the device while attached, else NULL; held
 * @nf_ops: NPK_HOOK_INGRESS
 * @tap: NPK_HOOK_TAP
 * @promisc: promiscuous mode was switched on by us
 * @base: the device's counters when it was attached
 * @softnet_drops: the system's backlog drops when it was attached
 */
struct npk_dev {
	struct list_head list;
	char name[IFNAMSIZ];
	struct net_device *dev;
	struct nf_hook_ops nf_ops;
	struct packet_type tap;
	bool promisc;
	struct rtnl_link_stats64 base;
	u64 softnet_drops;
};

/**
 * struct npk - the module's state
 * @cfg: parameters
 * @devices: struct npk_dev; protected by rtnl
 * @shards: @nr_shards of them
 * @nr_shards: fixed at load
 * @frags: what the meters know of fragments, NULL with @cfg.frag_zero; its own locks
 * @convs: what they know of conversations; its own locks
 * @groups: @nr_groups of them
 * @nr_groups: fixed at load
 * @members: @nr_members of them
 * @nr_members: fixed at load
 * @join_lock: protects who is a member
 * @wq: the reapers' work queue
 * @stopping: no device is attached any more: shutdown or unload
 * @load_id: random number of this load
 */
struct npk {
	struct npk_config cfg;
	struct list_head devices;
	struct npk_shard *shards;
	u32 nr_shards;
	struct npk_frags *frags;
	struct npk_convs *convs;
	struct npk_group groups[NPK_GROUPS_MAX];
	u32 nr_groups;
	struct npk_member members[NPK_MEMBERS_MAX];
	u32 nr_members;
	struct mutex join_lock;
	struct workqueue_struct *wq;
	bool stopping;
	u64 load_id;
};

extern struct npk npk;

/* The shard of each CPU; set at load before any device is attached. */
DECLARE_PER_CPU(struct npk_shard *, npk_cpu_shard);

/* param.c */
int npk_param_parse(struct npk_config *cfg, struct cpumask *cpus);
const char *npk_hook_name(enum npk_hook hook);
extern char *npk_param_devices;

/* shard.c */
int npk_shards_create(const struct cpumask *cpus);
void npk_shards_destroy(void);
void npk_shards_flush(u32 ifindex);
bool npk_shards_empty(void);

/* ring.c */
int npk_groups_create(void);
void npk_groups_destroy(void);
u64 npk_shard_rings_size(void);
int npk_shard_rings_create(struct npk_shard *s);
void npk_shard_rings_destroy(struct npk_shard *s);
bool npk_ring_emit(void *ctx, const struct npk_flow *flow, u8 reason, bool must);
u32 npk_ring_unread(const struct npk_ring *r);
void npk_ring_adopt(struct npk_ring *r);
u32 npk_ring_discard(struct npk_shard *s, u32 member, u32 max);
u64 npk_member_unread(u32 member);
void npk_member_wake(struct npk_member *m);

/* reap.c */
int npk_reap_start(void);
void npk_reap_hurry(void);
void npk_reap_stop(void);

/* hook.c */
int npk_hook_attach(struct npk_dev *d, struct net_device *dev);
void npk_hook_detach(struct npk_dev *d);

/* device.c */
int npk_devices_start(void);
void npk_devices_detach_all(const char *why);
void npk_devices_stop(void);

/* chardev.c */
int npk_chardev_start(void);
void npk_chardev_stop(void);

/* proc.c */
int npk_proc_start(void);
void npk_proc_stop(void);

#endif /* NPK_H */
