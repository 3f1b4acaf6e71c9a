// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: frames, time, sweeps and flushes through one meter of a few buckets.
 *
 * After every operation the sums have to hold, the table has to be what it says
 * it is, and at the end every packet has to have been in exactly one record.
 */
#include "kmod/core/meter.h"
#include "kmod/core/record.h"
#include "tests/fuzz/ledger.h"

#define S		NPK_NSEC_PER_SEC
#define MS		1000000ULL
#define START_NS	(1000 * S)
#define END_NS		(1ULL << 61)	/* 73 years; signed differences of times have to work */
#define PACKETS_MAX	(LEDGER_LEN / 2)
#define BUCKETS_MAX	4
#define SWEEPS_TO_SETTLE	24
#define TABLE_FRAGS	0x04	/* first octet: later fragments join */
#define TABLE_CONVS	0x08	/* first octet: delays */
#define CHECK_EVERY	4	/* operations */

/* Operations: low three bits of an octet; the others belong to the operation. */
enum op {
	OP_FRAME = 3,	/* and less: step, length (2 octets), [shape], octets */
	OP_BURST,	/* step, position, number: the last frame again, an octet counted on */
	OP_SWEEP,	/* step, buckets */
	OP_FLUSH,
	OP_CONTROL,	/* see enum control */
};

#define FRAME_SHAPE	0x08	/* a shape follows */
#define FRAME_DEVICE	0x10	/* of the other device */

enum control {
	CONTROL_ROOM,		/* number of records there is room for */
	CONTROL_UNLIMITED,
	CONTROL_EXPIRE,		/* buckets */
	CONTROL_SETTLE,
	CONTROL_LIMITS,		/* both timeouts */
	CONTROL_IGNORE,
	CONTROL_FLUSH_ALL,
};

/**
 * struct run - one input
 * @m: meter
 * @emitted: what they said
 * @now_ns: present time, which may go backwards
 * @room: records there is room for
 * @nr_records: records taken
 * @nr_packets: packets sent, at most PACKETS_MAX
 * @flush_ns: time of the latest flush
 * @flush_device: device of the flushes, 0 after one for all or for different ones
 * @expiring: npk_meter_expire_all() is at work
 * @old_deadlines: the timeouts changed while there were flows
 * @shape: of the last frame
 * @octets: the last frame
 * @len: its length
 * @device: its device
 * @first: first fragments
 * @nr_first: how many
 */
struct run {
	struct npk_meter m;
	struct npk_tally emitted;
	u64 now_ns;
	u64 room;
	u64 nr_records;
	u32 nr_packets;
	u64 flush_ns;
	u32 flush_device;
	bool expiring;
	bool old_deadlines;
	struct shape shape;
	uint8_t octets[FRAME_MAX];
	u32 len;
	u32 device;
	struct npk_pkt first[PACKETS_MAX];
	u32 nr_first;
};

static struct run run;
static struct ledger ledger;	/* what the records still have to say */
static struct npk_frags frags;
static struct npk_convs convs;

static bool is_flushed(const struct run *r, const struct npk_flow *flow)
{
	if (!r->flush_ns || flow->first_ns > r->flush_ns)
		return false;
	return !r->flush_device || npk_flow_ifindex(flow) == r->flush_device;
}

static void check_reason(const struct run *r, const struct npk_flow *flow, u8 reason, bool must)
{
	const struct npk_limits *limits = &r->m.limits;

	HOLDS(must == (reason == NPK_END_RESOURCES));
	switch (reason) {
	case NPK_END_IDLE:
		HOLDS(r->m.now_ns >= flow->last_ns + limits->idle_ns);
		break;
	case NPK_END_ACTIVE:
		HOLDS(r->m.now_ns >= flow->first_ns + limits->active_ns);
		break;
	case NPK_END_FLOW:
		HOLDS(flow->tcp_flags & (NPK_TCP_FIN | NPK_TCP_RST));
		break;
	case NPK_END_FORCED:
		HOLDS(r->expiring || is_flushed(r, flow));
		break;
	default:
		HOLDS(reason == NPK_END_RESOURCES);
	}
}

static void check_tcp(const struct npk_rec *rec)
{
	static const struct npk_syn none;

	HOLDS(rec->syn.flags || !memcmp(&rec->syn, &none, sizeof(none)));
	HOLDS(!rec->syn.flags || (rec->syn.flags & NPK_SYN_SEEN && rec->tcp_flags & NPK_TCP_SYN));
	HOLDS((u64)rec->retransmitted + rec->out_of_order <= rec->packets);
	HOLDS(rec->zero_windows <= rec->packets);
}

static void check_record(const struct run *r, const struct npk_rec *rec,
			 const struct npk_flow *flow)
{
	static const u8 zero[12];

	HOLDS(rec->packets >= 1 && rec->packets == flow->packets);
	HOLDS(rec->octets == flow->octets);
	HOLDS(rec->first_ns <= rec->last_ns);
	HOLDS(rec->min_ttl <= rec->max_ttl);
	HOLDS(rec->ip_version == 4 || rec->ip_version == 6);
	HOLDS(rec->ip_version == 6 || !memcmp(rec->saddr + 4, zero, 12));
	HOLDS(rec->ip_version == 6 || !memcmp(rec->daddr + 4, zero, 12));
	HOLDS(rec->fragments <= rec->packets);
	HOLDS((rec->tcp_flags_first & ~rec->tcp_flags) == 0);
	HOLDS(rec->nr_mpls <= NPK_MPLS_MAX);
	if (rec->proto == NPK_PROTO_TCP)
		check_tcp(rec);
	if (!r->m.convs)
		HOLDS(!rec->server_delay_us && !rec->client_delay_us && !rec->appl_delay_us);
}

static bool take(void *ctx, const struct npk_flow *flow, u8 reason, bool must)
{
	struct npk_rec rec, other;
	struct run *r = ctx;
	struct npk_key key;
	u64 conv;

	if (!must && !r->room)
		return false;
	r->room -= r->room ? 1 : 0;
	npk_flow_key(flow, &key);
	conv = npk_key_conv(&key, &r->m.table.secret).hash;
	memset(&rec, 0x55, sizeof(rec));
	memset(&other, 0xaa, sizeof(other));
	npk_record_fill(&rec, flow, reason, conv, r->nr_records);
	npk_record_fill(&other, flow, reason, conv, r->nr_records);
	HOLDS(!memcmp(&rec, &other, sizeof(rec)));
	HOLDS(rec.seq == r->nr_records && rec.conv_hash == conv && rec.end_reason == reason);
	check_record(r, &rec, flow);
	check_reason(r, flow, reason, must);
	ledger_settle(&ledger, &key, &rec);
	r->emitted.packets += rec.packets;
	r->emitted.octets += rec.octets;
	r->nr_records++;
	return true;
}

static void check_flow(const struct npk_table *t, u32 bucket, u32 way, u32 *moved)
{
	struct npk_bucket *b = npk_table_bucket(t, bucket);
	struct npk_slot slot;
	struct npk_key key;
	u64 hash;

	npk_flow_key(&b->flow[way], &key);
	hash = npk_key_hash(&key, &t->secret);
	HOLDS(npk_table_find(t, &key.words, key.ip_version == 6, hash, &slot));
	HOLDS(slot.bucket == b && slot.way == way);
	HOLDS(npk_table_next(t, bucket, bucket + 1) == bucket);
	HOLDS(b->flow[way].first_ns <= b->flow[way].last_ns);
	if (npk_table_home(t, hash) != b)
		moved[npk_table_index(t, (u32)hash)]++;
}

/* The table is what its counters say. */
static struct npk_tally walk(const struct npk_table *t, u64 *split)
{
	u32 moved[BUCKETS_MAX] = {}, bucket, way;
	struct npk_tally live = {};
	u64 nr = 0;

	for (bucket = 0; bucket < t->nr_buckets; bucket++) {
		const struct npk_bucket *b = npk_table_bucket(t, bucket);

		for (way = 0; way < NPK_WAYS; way++) {
			if (!b->sig[way])
				continue;
			nr++;
			*split += !b->flow[way].packets;
			live.packets += b->flow[way].packets;
			live.octets += b->flow[way].octets;
			check_flow(t, bucket, way, moved);
		}
	}
	for (bucket = 0; bucket < t->nr_buckets; bucket++)
		HOLDS(npk_bucket_moved(npk_table_bucket(t, bucket)) == moved[bucket]);
	HOLDS(nr == t->nr_flows);
	return live;
}

static void check_sums(const struct run *r)
{
	const struct npk_meter_count *c = &r->m.count;
	u64 ignored = 0, split = 0;
	struct npk_tally live = walk(&r->m.table, &split);
	u32 i;

	for (i = 0; i < __NPK_IGN_MAX; i++)
		ignored += c->ignored[i];
	HOLDS(c->seen == ignored + c->accounted.packets);
	HOLDS(c->split == split);
	HOLDS(c->live.packets == live.packets);
	HOLDS(c->live.octets == live.octets);
	HOLDS(c->accounted.packets == c->live.packets + r->emitted.packets);
	HOLDS(c->accounted.octets == c->live.octets + r->emitted.octets);
}

/* What the frame should add to its flow, told by a parse of its own; false: nothing. */
static bool expect(const struct run *r, const struct npk_pkt *given, struct npk_pkt *pkt)
{
	*pkt = *given;
	if (npk_parse(pkt))
		return false;
	npk_key_leave_out(&pkt->key, r->m.leave_out);
	HOLDS(pkt->segs >= 1);
	if (pkt->segs == 1)
		HOLDS(pkt->octets <= pkt->wire_len - 14);
	return true;
}

static bool same_packet(const struct npk_pkt *a, const struct npk_pkt *b)
{
	return a->frag_id == b->frag_id && a->key.proto == b->key.proto &&
	       a->key.ip_version == b->key.ip_version &&
	       !memcmp(a->key.addr, b->key.addr, sizeof(a->key.addr));
}

/*
 * A later fragment has the ports of the latest first one of its packet, or none.  What else
 * was metered leaves its key nowhere; the ledger will know it.
 */
static void check_joined(struct run *r, const struct npk_pkt *pkt, const struct npk_pkt *joined)
{
	bool joins = joined->key.sport || joined->key.dport;
	const struct npk_pkt *first = NULL;
	u32 i;

	if (pkt->fragment == NPK_FRAG_FIRST)
		r->first[r->nr_first++] = *pkt;
	if (pkt->fragment != NPK_FRAG_LATER || !r->m.frags) {
		HOLDS(!memcmp(&pkt->key, &joined->key, sizeof(pkt->key)));
		return;
	}
	for (i = 0; i < r->nr_first; i++) {
		if (same_packet(&r->first[i], pkt))
			first = &r->first[i];
	}
	HOLDS(first || !joins);
	if (!first)
		return;
	if (r->nr_first <= NPK_FRAG_WAYS)	/* none can have made room */
		joins = pkt->now_ns <= first->now_ns + NPK_FRAG_NS &&
			first->now_ns <= pkt->now_ns + NPK_FRAG_NS;
	HOLDS(joined->key.sport == (joins ? first->key.sport : 0));
	HOLDS(joined->key.dport == (joins ? first->key.dport : 0));
}

static void send(struct run *r)
{
	struct npk_tally before = r->m.count.accounted, *after = &r->m.count.accounted;
	struct npk_pkt pkt;
	struct frame f;
	bool counts;

	if (r->nr_packets == PACKETS_MAX)
		return;
	r->nr_packets++;
	frame_init(&f, &r->shape, r->octets, r->len);
	f.pkt.now_ns = r->now_ns;
	f.pkt.ifindex = r->device;
	counts = expect(r, &f.pkt, &pkt);
	f.pulls = r->shape.flags & SHAPE_FAIL ? r->shape.fail : ~0U;
	npk_meter_packet(&r->m, &f.pkt);
	HOLDS(after->packets - before.packets == (counts ? pkt.segs : 0));
	HOLDS(after->octets - before.octets == (counts ? pkt.octets : 0));
	if (counts && pkt.fragment) {
		check_joined(r, &pkt, &f.pkt);
		pkt.key = f.pkt.key;
	}
	if (counts)
		ledger_add(&ledger, &pkt);
	frame_free(&f);
}

/* Time goes on, or back a little. */
static void step(struct run *r, uint8_t code)
{
	static const s64 steps[16] = {
		0, 1, (s64)MS, 67 * (s64)MS, (s64)S / 2, (s64)S, 2 * (s64)S, 4 * (s64)S,
		15 * (s64)S, 61 * (s64)S, 280 * (s64)S, 1100 * (s64)S, 86400 * (s64)S,
		-(s64)MS, -(s64)S, -20 * (s64)S,
	};
	s64 by = steps[code & 15] * (1 + (code >> 4));

	if (by < 0 || r->now_ns < END_NS)
		r->now_ns += (u64)by;
	if (r->now_ns < START_NS)
		r->now_ns = START_NS;
}

static void op_frame(struct run *r, struct input *in, uint8_t op)
{
	size_t len;

	step(r, next8(in));
	len = next16(in);
	r->shape = op & FRAME_SHAPE ? next_shape(in) : (struct shape){};
	r->device = op & FRAME_DEVICE ? 2 : 1;
	len = len < in->len ? len : in->len;
	r->len = len < FRAME_MAX ? (u32)len : FRAME_MAX;
	memcpy(r->octets, in->data, r->len);
	in->data += len;
	in->len -= len;
	send(r);
}

static void op_burst(struct run *r, struct input *in)
{
	uint8_t code = next8(in), pos = next8(in), n = next8(in);

	for (; n && r->len; n--) {
		step(r, code);
		r->octets[pos % r->len]++;
		send(r);
	}
}

static void op_sweep(struct run *r, struct input *in)
{
	u32 budget;

	step(r, next8(in));
	budget = next8(in) % (BUCKETS_MAX + 1);
	npk_meter_sweep(&r->m, r->now_ns, budget);
}

/* Sweeps on time until a quarter of the idle timeout after the end of every flow. */
static void sweep_on_time(struct run *r)
{
	u64 late = r->m.limits.idle_ns / 4 + NPK_TICK_SLACK_NS;
	u32 i;

	for (i = 0; i < SWEEPS_TO_SETTLE; i++) {
		r->now_ns += (r->m.limits.idle_ns + late) / SWEEPS_TO_SETTLE + 1;
		npk_meter_sweep(&r->m, r->now_ns, NPK_SWEEP_ALL);
	}
}

/* Nobody sends: no record is late; what the active timeout left behind goes later. */
static void settle(struct run *r)
{
	r->room = ~0ULL;
	if (r->now_ns < r->m.now_ns)
		r->now_ns = r->m.now_ns;
	sweep_on_time(r);
	HOLDS(!npk_meter_flows(&r->m) || r->old_deadlines);
	sweep_on_time(r);
	HOLDS(!r->m.table.nr_flows || r->old_deadlines);
}

static void flush(struct run *r, u32 device)
{
	npk_meter_flush(&r->m, r->now_ns, device);
	r->flush_device = r->flush_ns && r->flush_device != device ? 0 : device;
	r->flush_ns = r->now_ns;
}

/* With room, one round of the sweep closes what a flush asks for. */
static void flush_all(struct run *r)
{
	r->room = ~0ULL;
	if (r->now_ns < r->m.now_ns)
		r->now_ns = r->m.now_ns;
	flush(r, 0);
	npk_meter_sweep(&r->m, r->now_ns, NPK_SWEEP_ALL);
	HOLDS(!npk_meter_flows(&r->m));
}

static void expire_all(struct run *r, u32 max_buckets)
{
	bool done;

	r->expiring = true;
	done = npk_meter_expire_all(&r->m, max_buckets);
	HOLDS(done == !r->m.table.nr_flows);
	r->expiring = false;
}

static void set_limits(struct run *r, uint8_t idle, uint8_t active)
{
	static const u64 seconds[8] = { 1, 2, 5, 15, 60, 300, 3600, 86400 };

	r->m.limits.idle_ns = seconds[idle % 8] * S;
	r->m.limits.active_ns = seconds[active % 8] * S;
}

static void op_control(struct run *r, struct input *in, uint8_t arg)
{
	struct npk_pkt pkt = { .segs = 1 };
	uint8_t a, b;

	switch (arg) {
	case CONTROL_ROOM:
		r->room = next8(in);
		break;
	case CONTROL_UNLIMITED:
		r->room = ~0ULL;
		break;
	case CONTROL_EXPIRE:
		expire_all(r, next8(in) % (BUCKETS_MAX + 1));
		break;
	case CONTROL_SETTLE:
		settle(r);
		break;
	case CONTROL_LIMITS:
		a = next8(in);
		b = next8(in);
		r->old_deadlines = r->m.table.nr_flows;
		set_limits(r, a, b);
		break;
	case CONTROL_IGNORE:
		npk_meter_ignore(&r->m, &pkt, NPK_IGN_FILTER);
		break;
	case CONTROL_FLUSH_ALL:
		flush_all(r);
		break;
	}
}

static void one_op(struct run *r, struct input *in)
{
	uint8_t op = next8(in);

	switch (op & 7) {
	case OP_BURST:
		op_burst(r, in);
		break;
	case OP_SWEEP:
		op_sweep(r, in);
		break;
	case OP_FLUSH:
		flush(r, op >> 3 & 3);
		break;
	case OP_CONTROL:
		op_control(r, in, op >> 3 & 7);
		break;
	default:
		op_frame(r, in, op);
	}
}

/* Buckets (two bits), shared tables, parts of the key (four bits); the timeouts; the room. */
static void start(struct run *r, struct input *in)
{
	struct npk_table *t = &r->m.table;
	uint8_t first = next8(in), timeouts = next8(in);
	size_t size;
	u32 i;

	memset(r, 0, offsetof(struct run, first));
	r->nr_first = 0;
	ledger_clear(&ledger);
	t->nr_buckets = 1 + (first & 3);
	size = npk_table_segment_size(t->nr_buckets, 0);
	t->seg[0] = aligned_alloc(NPK_CACHE_LINE, size);
	t->occupied = calloc(1, npk_table_bitmap_size(t->nr_buckets));
	HOLDS(t->seg[0] && t->occupied);
	memset(t->seg[0], 0, size);
	for (i = 0; i < NPK_KEY_WORDS6 + 1; i++)
		t->secret.word[i] = (i + 1) * 0x9e3779b97f4a7c15ULL;
	r->m.leave_out = first >> 4;
	if (first & TABLE_FRAGS) {
		memset(&frags, 0, sizeof(frags));
		npk_frags_init(&frags);
		r->m.frags = &frags;
	}
	if (first & TABLE_CONVS) {
		memset(&convs, 0, sizeof(convs));
		npk_convs_init(&convs);
		r->m.convs = &convs;
	}
	r->m.emit = take;
	r->m.emit_ctx = r;
	set_limits(r, timeouts, timeouts >> 4);
	r->room = next8(in) * 4ULL;
	r->now_ns = START_NS;
	r->device = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct run *r = &run;
	u32 i;

	start(r, &in);
	for (i = 1; in.len; i++) {
		one_op(r, &in);
		if (i % CHECK_EVERY == 0)
			check_sums(r);
	}
	check_sums(r);
	r->room = ~0ULL;
	for (i = 0; i < 2 * BUCKETS_MAX + 2 && r->m.table.nr_flows; i++)
		expire_all(r, 1);
	HOLDS(!r->m.table.nr_flows);
	check_sums(r);
	ledger_check_settled(&ledger);
	free(r->m.table.seg[0]);
	free(r->m.table.occupied);
	return 0;
}
