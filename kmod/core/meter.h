/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The meter: parser, table and expiry put together, with counters that add up.
 *
 * One meter is one shard.  It has a single writer at a time: the caller's lock
 * (the shard lock in the module, one thread in user space) protects all of it.
 */
#ifndef NPK_CORE_METER_H
#define NPK_CORE_METER_H

#include "conv.h"
#include "expire.h"
#include "frag.h"
#include "table.h"

/** NPK_LATE_CLASSES - classes of npk_meter_count.late: below 1 ms, 2 ms, ... 16 s, and more */
#define NPK_LATE_CLASSES	16

/**
 * struct npk_tally - packets on the wire and their IP octets
 * @packets: packets
 * @octets: octets
 */
struct npk_tally {
	u64 packets;
	u64 octets;
};

/**
 * struct npk_meter_count - what a meter saw
 * @frames: frames given to npk_meter_packet()
 * @seen: packets on the wire in them: sum of @ignored + @accounted.packets
 * @ignored: packets by enum npk_ignored
 * @accounted: added to flows: @live + what went through the emit function
 * @live: in flows that are in the table
 * @split: flows that go on but have had no packet since their last record; they
 *	are in npk_table.nr_flows, and not in @live
 * @early: flows closed because a bucket was full
 * @late: records by how long after their time they were made: class i below
 *	2^i ms, the last one all others
 * @late_max_ns: the longest of these times
 * @held: records that had to wait for room when they were due; not in @late
 * @note: packets by enum npk_note, outside of the sums
 */
struct npk_meter_count {
	u64 frames;
	u64 seen;
	u64 ignored[__NPK_IGN_MAX];
	struct npk_tally accounted;
	struct npk_tally live;
	u64 split;
	u64 early;
	u64 late[NPK_LATE_CLASSES];
	u64 late_max_ns;
	u64 held;
	u64 note[__NPK_NOTE_MAX];
};

/**
 * typedef npk_emit_fn - take the record of a closed flow
 * @ctx: npk_meter.emit_ctx
 * @flow: entry, still with its key; not to be kept
 * @reason: enum npk_end_reason
 * @must: the flow leaves the table whatever is returned: what cannot be stored
 *	has to be counted as lost
 *
 * Return: true when taken (or lost, with @must); false when there is no room
 * and the flow shall stay in the table.
 */
typedef bool (*npk_emit_fn)(void *ctx, const struct npk_flow *flow, u8 reason, bool must);

/**
 * struct npk_meter - one shard
 * @table: flows
 * @limits: timeouts; change only with the lock held
 * @emit: where records go
 * @emit_ctx: for @emit
 * @now_ns: latest time seen
 * @swept_ns: up to when the reaper's sweep is on time
 * @cursor: next bucket of the sweep, and of npk_meter_expire_all()
 * @look_at_all: so many buckets are still to be looked at in full, deadlines or not
 * @flush_ns: flows that began by then are to be closed, 0 = none
 * @flush_left: buckets the sweep has not looked at since npk_meter_flush()
 * @flush_ifindex: only those of this device, 0 = all
 * @leave_out: enum npk_key_part, parts that the key shall not have
 * @frags: shared with other meters, or NULL: later fragments have ports 0
 * @convs: shared with other meters, or NULL: no delays
 * @count: counters
 */
struct npk_meter {
	struct npk_table table;
	struct npk_limits limits;
	npk_emit_fn emit;
	void *emit_ctx;
	u64 now_ns;
	u64 swept_ns;
	u32 cursor;
	u32 look_at_all;
	u64 flush_ns;
	u32 flush_left;
	u32 flush_ifindex;
	u32 leave_out;
	struct npk_frags *frags;
	struct npk_convs *convs;
	struct npk_meter_count count;
};

/**
 * npk_meter_packet() - account one frame
 * @m: meter
 * @pkt: frame, the caller's fields set
 *
 * A new flow always finds a place: when both its buckets are full the least
 * useful flow there is closed early.  A packet after the idle timeout, or a SYN
 * after the flow's own FIN or RST, starts a new record; while @emit has no room
 * the flow goes on in the record it has.  After the active timeout the flow stays
 * in the table without packets, so that what is known of it is not forgotten.
 *
 * Context: Softirq in the module, any thread in user space; the caller holds
 * the lock. Never sleeps.
 */
void npk_meter_packet(struct npk_meter *m, struct npk_pkt *pkt);

/**
 * npk_meter_flows() - open flows
 * @m: meter
 *
 * Return: flows that have had a packet since their last record.
 */
static inline u64 npk_meter_flows(const struct npk_meter *m)
{
	return m->table.nr_flows - m->count.split;
}

/**
 * npk_late_class() - class of npk_meter_count.late
 * @ns: how long after its time a record was made
 *
 * Return: index below NPK_LATE_CLASSES.
 */
static inline u32 npk_late_class(u64 ns)
{
	u64 ms = div64_u64(ns, 1000000);
	u32 i = ms ? 64 - __builtin_clzll(ms) : 0;

	return i < NPK_LATE_CLASSES ? i : NPK_LATE_CLASSES - 1;
}

/**
 * npk_meter_ignore() - count a frame that is not to be parsed
 * @m: meter
 * @pkt: frame
 * @reason: why, e.g. NPK_IGN_FILTER
 */
void npk_meter_ignore(struct npk_meter *m, const struct npk_pkt *pkt, enum npk_ignored reason);

/**
 * npk_meter_sweep() - close what is due in the next buckets
 * @m: meter
 * @now_ns: present time
 * @max_buckets: look at no more than this; buckets without a flow cost next to
 *	nothing and do not count
 *
 * Keeps pace with time: every bucket is looked at once in a fifth of the shorter
 * timeout (100 seconds at most; less when the timeout is below 4 seconds), so that,
 * called ten times a second, nothing stays longer than a quarter of it past its time.
 *
 * Context: As npk_meter_packet().
 * Return: buckets looked at; @max_buckets when there may be more to do now.
 */
u32 npk_meter_sweep(struct npk_meter *m, u64 now_ns, u32 max_buckets);

/**
 * npk_meter_flush() - have the sweep close all flows there are, reason "forced"
 * @m: meter
 * @now_ns: present time; flows that begin later are not meant
 * @ifindex: only flows of this device, 0 = all
 *
 * Only marks; npk_meter_sweep() does the work, and @emit may hold it up.
 */
void npk_meter_flush(struct npk_meter *m, u64 now_ns, u32 ifindex);

/**
 * npk_meter_expire_all() - close every flow, end reason "forced"
 * @m: meter
 * @max_buckets: look at no more than this in one call
 *
 * Return: true when no flow is left; false when @emit had no room or
 * @max_buckets were not enough: call again.
 */
bool npk_meter_expire_all(struct npk_meter *m, u32 max_buckets);

#endif /* NPK_CORE_METER_H */
