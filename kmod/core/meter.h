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
#include "plain.h"
#include "table.h"
#include "tcp.h"

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
 * @accounted: added to flows: @live + what went through the emit function
 * @live: in flows that are in the table
 * @ignored: packets by enum npk_ignored
 * @unparsed: of @ignored, those that are nobody's choice; octets of their frames behind the
 *	Ethernet header, for the length of the IP packet is not to be had
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
	struct npk_tally accounted;
	struct npk_tally live;
	u64 ignored[__NPK_IGN_MAX];
	struct npk_tally unparsed;
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
 * @now_ns: latest time seen; npk_meter_plain() leaves it as it is
 * @limits: timeouts; change only with the lock held
 * @leave_out: enum npk_key_part, parts that the key shall not have
 * @cursor: next bucket of the sweep, and of npk_meter_expire_all()
 * @count: counters
 * @table: flows
 * @emit: where records go
 * @emit_ctx: for @emit
 * @frags: shared with other meters, or NULL: later fragments have ports 0
 * @convs: shared with other meters, or NULL: no delays
 * @swept_ns: up to when the reaper's sweep is on time, at most a round behind
 * @round_ns: when the sweep last began with the first bucket
 * @flush_ns: flows that began by then are to be closed, 0 = none
 * @flush_left: buckets the sweep has not looked at since npk_meter_flush()
 * @flush_ifindex: only those of this device, 0 = all
 * @look_at_all: so many buckets are still to be looked at in full, deadlines or not
 *
 * What every packet touches comes first.
 */
struct npk_meter {
	u64 now_ns;
	struct npk_limits limits;
	u32 leave_out;
	u32 cursor;
	struct npk_meter_count count;
	struct npk_table table;
	npk_emit_fn emit;
	void *emit_ctx;
	struct npk_frags *frags;
	struct npk_convs *convs;
	u64 swept_ns;
	u64 round_ns;
	u64 flush_ns;
	u32 flush_left;
	u32 flush_ifindex;
	u32 look_at_all;
};

/**
 * npk_meter_packet() - account one frame
 * @m: meter
 * @pkt: frame, the caller's fields set; its results are undefined afterwards
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

/* @frames frames, @packets on the wire, were added to flows. */
static __always_inline void npk_meter_count(struct npk_meter *m, u32 frames, u32 packets,
					    u64 octets)
{
	m->count.frames += frames;
	m->count.seen += packets;
	m->count.accounted.packets += packets;
	m->count.accounted.octets += octets;
	m->count.live.packets += packets;
	m->count.live.octets += octets;
}

/*
 * A packet that only adds to the flow at @slot; false, and nothing is done, when it does more.
 * npk_meter_count() is the caller's.
 */
static __always_inline bool npk_meter_add(const struct npk_meter *m, const struct npk_plain *p,
					  const struct npk_slot *slot, u64 now_ns)
{
	struct npk_flow *flow = slot->flow;

	/* also when the time went backwards */
	if (unlikely(now_ns - flow->last_ns >= m->limits.idle_ns) || unlikely(!flow->packets))
		return false;
	if (unlikely(p->ttl < flow->min_ttl || p->ttl > flow->max_ttl ||
		     p->ip_len < flow->min_len || p->ip_len > flow->max_len))
		return false;
	if (p->is_tcp && unlikely(!npk_tcp_goes_on(flow, p, now_ns)))
		return false;
	flow->packets++;
	flow->octets += p->ip_len;
	flow->last_ns = now_ns;
	if (unlikely(flow->packets == 2))
		slot->bucket->due[slot->way] |= NPK_DUE_REPEATED;
	return true;
}

/**
 * npk_meter_plain() - account one plain frame, if it only adds to its flow
 * @m: meter
 * @p: frame; its address is not taken, so that it may live in registers
 * @hash: npk_words_hash() of its words
 * @now_ns: time of reception, nanoseconds of the source's clock
 * @known: out: its flow is in the table
 *
 * The same as npk_meter_packet(), and nearly always all of it, but that @m->now_ns
 * stays as it is.
 *
 * Context: As npk_meter_packet().
 * Return: true; false, and nothing was done, when npk_meter_rest() has to do it.
 */
static __always_inline bool npk_meter_plain(struct npk_meter *m, const struct npk_plain *p,
					    u64 hash, u64 now_ns, bool *known)
{
	struct npk_slot slot NPK_UNINITIALIZED;

	/*
	 * What m->leave_out leaves out is not left out here: a key that is found as it
	 * stands has nothing to leave out, because all keys in the table are without it.
	 */
	*known = likely(npk_table_find(&m->table, &p->words, p->is_ip6, hash, &slot));
	if (unlikely(!*known) || unlikely(!npk_meter_add(m, p, &slot, now_ns)))
		return false;
	npk_meter_count(m, 1, 1, p->ip_len);
	return true;
}

/* Time never goes back. */
static inline void npk_meter_time(struct npk_meter *m, u64 now_ns)
{
	if ((s64)(now_ns - m->now_ns) > 0)
		m->now_ns = now_ns;
}

/* How npk_meter_again() is to read: the flow is known; IPv6. */
#define NPK_AGAIN_KNOWN	1
#define NPK_AGAIN_IP6	2

/* npk_meter_rest() with all it needs in registers. */
void npk_meter_again(struct npk_meter *m, const u8 *frame, u64 link, u64 hash, u64 now_ns,
		     u32 linear, u32 how);

/* The same for the first packet of a flow, UDP over IPv4. */
void npk_meter_first(struct npk_meter *m, const u8 *frame, u64 link, u64 hash, u64 now_ns);

/**
 * npk_meter_rest() - account a plain frame that does more than add to its flow
 * @m: meter
 * @p: as for npk_meter_plain()
 * @hash: likewise
 * @known: as npk_meter_plain() said
 * @now_ns: as for npk_meter_plain()
 *
 * Context: As npk_meter_packet().
 */
static __always_inline void npk_meter_rest(struct npk_meter *m, const struct npk_plain *p,
					   u64 hash, bool known, u64 now_ns)
{
	if (likely(!known && !p->is_ip6 && !p->is_tcp))
		npk_meter_first(m, p->frame, p->words.link, hash, now_ns);
	else
		npk_meter_again(m, p->frame, p->words.link, hash, now_ns, p->linear,
				(known ? NPK_AGAIN_KNOWN : 0) |
				(p->is_ip6 ? NPK_AGAIN_IP6 : 0));
}

/* npk_meter_packet() of a frame of which is known that it is not plain; right for any. */
void npk_meter_any(struct npk_meter *m, struct npk_pkt *pkt);

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

/** NPK_SWEEP_ALL - budget of a sweep that does all there is to do */
#define NPK_SWEEP_ALL	~0U

/**
 * npk_meter_step_ns() - how often npk_meter_sweep() is to be called at least
 * @m: meter
 *
 * Return: nanoseconds, at most a tenth of a second.
 */
u64 npk_meter_step_ns(const struct npk_meter *m);

/**
 * npk_meter_sweep() - close what is due in the next buckets
 * @m: meter
 * @now_ns: present time
 * @budget: stop when so much was spent: 1 for a bucket that is looked at, 2 for each flow
 *	that was due; the last bucket may take more. Buckets without a flow cost next
 *	to nothing.
 *
 * Keeps pace with time: every bucket is looked at once in a fifth of the shorter
 * timeout (60 seconds at most; less when the timeout is below 4 seconds), so that,
 * called every npk_meter_step_ns(), nothing stays longer than a quarter of it past its time.
 *
 * Context: As npk_meter_packet().
 * Return: what was spent; @budget or more when there may be more to do now.
 */
u32 npk_meter_sweep(struct npk_meter *m, u64 now_ns, u32 budget);

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
