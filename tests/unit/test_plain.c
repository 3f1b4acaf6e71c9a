// SPDX-License-Identifier: GPL-2.0-only
/*
 * The short way for plain frames against the long one: two meters with the same secret get the
 * same frames, one of them through pull(), which no plain frame needs.  Records and counters
 * are the same to the last octet.
 */
#include "lib/batch.h"
#include "shard.h"

#define RECORDS_MAX	4096

/**
 * struct log - every record a meter made
 * @rec: records since the last look
 * @nr: how many
 * @total: of all
 */
struct log {
	struct npk_rec rec[RECORDS_MAX];
	uint32_t nr;
	uint64_t total;
};

/**
 * struct pair - two meters
 * @m: both
 * @log: theirs
 * @convs: likewise
 * @frags: likewise
 * @unused: sinks that make_meter() wants
 * @seed: of the frames
 * @now_ns: time
 * @plain: frames that were plain
 * @next_seq: of TCP, by ports
 */
struct pair {
	struct npk_meter *m[2];
	struct log *log[2];
	struct npk_convs *convs[2];
	struct npk_frags *frags[2];
	struct sink unused;
	uint64_t seed;
	uint64_t now_ns;
	uint64_t plain;
	uint32_t next_seq[16];
};

static bool log_take(void *ctx, const struct npk_flow *flow, u8 reason, bool must)
{
	struct log *l = ctx;

	(void)must;
	assert_true(l->nr < RECORDS_MAX);
	npk_record_fill(&l->rec[l->nr++], flow, reason, 0, l->total++);
	return true;
}

static void *zeroed(size_t size)
{
	void *p = aligned_alloc(NPK_CACHE_LINE, (size + 63) / 64 * 64);

	assert_non_null(p);
	memset(p, 0, size);
	return p;
}

static struct pair *make_pair(uint64_t seed, uint32_t nr_buckets, uint32_t leave_out)
{
	struct pair *p = zeroed(sizeof(*p));
	int i;

	p->seed = seed;
	p->now_ns = 1000 * S;
	for (i = 0; i < 2; i++) {
		p->log[i] = zeroed(sizeof(*p->log[i]));
		p->convs[i] = zeroed(sizeof(*p->convs[i]));
		npk_convs_init(p->convs[i]);
		p->frags[i] = zeroed(sizeof(*p->frags[i]));
		npk_frags_init(p->frags[i]);
		p->m[i] = make_meter(nr_buckets, &p->unused);
		p->m[i]->emit = log_take;
		p->m[i]->emit_ctx = p->log[i];
		p->m[i]->convs = p->convs[i];
		p->m[i]->frags = p->frags[i];
		p->m[i]->leave_out = leave_out;
		p->m[i]->now_ns = p->now_ns;
		p->m[i]->swept_ns = p->now_ns;
	}
	return p;
}

static void free_pair(struct pair *p)
{
	int i;

	for (i = 0; i < 2; i++) {
		free_meter(p->m[i]);
		free(p->log[i]);
		free(p->convs[i]);
		free(p->frags[i]);
	}
	free(p);
}

/* A number below @n; @often of 16 times it is 0. */
static uint32_t draw(struct pair *p, uint32_t n, uint32_t often)
{
	uint64_t r = test_random(&p->seed) >> 16;

	return (r & 15) < often ? 0 : (uint32_t)(r >> 4) % n;
}

static void put_payload(struct frame *f, struct pair *p)
{
	uint32_t i;

	for (i = draw(p, 3, 8) * 250; i; i--)
		put8(f, 0);
}

/* Mostly the one that is next. */
static void put_segment(struct frame *f, struct pair *p, uint32_t ports)
{
	static const uint16_t flags[] = { 0x10, 0x18, 0x11, 0x14, 0x02, 0x12, 0x04, 0x1ff };
	static const uint8_t doff[] = { 5, 8, 6, 15, 4, 0 };
	uint32_t words = doff[draw(p, 6, 12)], flag = flags[draw(p, 8, 12)], len, i;
	uint32_t jump = draw(p, 3, 13) * 250 + draw(p, 3, 15) * 0x70000000;

	put32(f, p->next_seq[ports] + jump);
	put32(f, draw(p, 3, 8) * 1000);
	put16(f, (uint16_t)(words << 12 | flag));
	put16(f, draw(p, 20, 0) ? 65535 : 0);
	put32(f, 0);
	for (i = 5; i < words; i++)
		put32(f, i == 5 ? 0x020405b4 : 0x01030307);
	len = f->len;
	put_payload(f, p);
	if (draw(p, 2, 8))	/* those in between are late, or sent again */
		p->next_seq[ports] += jump;
	p->next_seq[ports] += f->len - len + !!(flag & NPK_TCP_SYN) + !!(flag & NPK_TCP_FIN);
}

static void put_transport(struct frame *f, struct pair *p, uint8_t proto)
{
	uint32_t sport = draw(p, 4, 0), dport = draw(p, 4, 4);

	put16(f, (uint16_t)(1000 + sport));
	put16(f, (uint16_t)(1000 + dport));
	if (proto == NPK_PROTO_TCP) {
		put_segment(f, p, sport * 4 + dport);
		return;
	}
	put32(f, 0);
	put32(f, draw(p, 2, 8) ? 0 : 7);
	put_payload(f, p);
}

/* Half of the packets go the other way. */
static void draw_direction(struct frame *f, struct pair *p, uint32_t off, uint32_t len)
{
	uint8_t tmp[16];

	if (draw(p, 2, 0))
		return;
	memcpy(tmp, f->data + off, len);
	memcpy(f->data + off, f->data + off + len, len);
	memcpy(f->data + off + len, tmp, len);
}

static void set16(struct frame *f, uint32_t off, uint32_t v)
{
	f->data[off] = (uint8_t)(v >> 8);
	f->data[off + 1] = (uint8_t)v;
}

static uint8_t draw_proto(struct pair *p)
{
	static const uint8_t proto[] = { NPK_PROTO_UDP, NPK_PROTO_TCP, NPK_PROTO_ICMP, 50, 44, 0 };

	return proto[draw(p, 3, 0) ? draw(p, 2, 0) : draw(p, 6, 0)];
}

/* The length field may be short, or say more than there is. */
static uint32_t draw_len(struct pair *p, uint32_t right)
{
	static const int off[] = { 0, -1, 1, 100, -1000, 6 };
	uint32_t len = right + (uint32_t)off[draw(p, 6, 14)];

	return len > 0xffff ? 0 : len;
}

static void make_ip4(struct frame *f, struct pair *p)
{
	uint8_t proto = draw_proto(p);
	static const uint16_t frag[] = { 0, 0x4000, 0x2000, 0x0010, 0x2010, 0x8000 };

	put_eth(f, 0x0800);
	put_ip4_frag(f, proto, 0, frag[draw(p, 6, 10)]);
	f->data[14] = draw(p, 40, 8) ? 0x45 : (uint8_t)(0x44 + draw(p, 3, 0) + draw(p, 2, 15) * 16);
	f->data[15] = (uint8_t)draw(p, 2, 12);
	f->data[22] = (uint8_t)(64 - draw(p, 3, 13));
	f->data[29] = (uint8_t)draw(p, 4, 12);
	f->data[33] = (uint8_t)draw(p, 4, 12);
	draw_direction(f, p, 26, 4);
	put_transport(f, p, proto);
	set16(f, 16, draw_len(p, f->len - 14));
}

static void make_ip6(struct frame *f, struct pair *p)
{
	uint8_t proto = draw_proto(p);

	put_eth(f, 0x86dd);
	put_ip6(f, proto, 0);
	f->data[14] = (uint8_t)(0x60 + draw(p, 2, 14) * 0x10);
	f->data[15] = (uint8_t)draw(p, 256, 12);
	f->data[21] = (uint8_t)(64 - draw(p, 3, 13));
	f->data[37] = (uint8_t)draw(p, 3, 12);
	f->data[30] = (uint8_t)draw(p, 2, 12);
	f->data[53] = (uint8_t)draw(p, 3, 12);
	draw_direction(f, p, 22, 16);
	put_transport(f, p, proto);
	set16(f, 18, draw_len(p, f->len - 54));
}

static bool pull_copy(const struct npk_pkt *pkt, u32 off, u32 len, u8 *buf)
{
	memcpy(buf, (const u8 *)pkt->priv + off, len);
	return true;
}

/* The results are what npk_parse() has to write: here is what it shall not rely on. */
static struct npk_pkt soiled(const struct pair *p, const struct frame *f)
{
	struct npk_pkt clean = frame_pkt(f, p->now_ns), pkt;

	memset(&pkt, 0x5a, sizeof(pkt));
	memcpy(&pkt, &clean, offsetof(struct npk_pkt, key));
	return pkt;
}

static struct npk_pkt draw_pkt(struct pair *p, struct frame *f)
{
	struct npk_pkt pkt;

	if (draw(p, 3, 0))
		make_ip4(f, p);
	else
		make_ip6(f, p);
	pkt = soiled(p, f);
	pkt.captured -= draw(p, f->len - 14, 13);
	pkt.linear = pkt.captured;
	if (pkt.linear > 60)
		pkt.linear -= draw(p, pkt.linear - 54, 8);
	pkt.pull = pull_copy;
	pkt.priv = f->data;
	pkt.has_tag = draw(p, 2, 12);
	pkt.vlan_tci = (uint16_t)(0x3005 + draw(p, 2, 4));
	return pkt;
}

static void send_both(struct pair *p)
{
	struct npk_pkt pkt[2];
	struct npk_plain plain;
	struct frame f;

	pkt[0] = draw_pkt(p, &f);
	pkt[1] = pkt[0];
	pkt[1].linear = 14;
	assert_false(npk_plain_pkt(&plain, &pkt[1]));
	p->plain += npk_plain_pkt(&plain, &pkt[0]);
	npk_meter_packet(p->m[0], &pkt[0]);
	npk_meter_packet(p->m[1], &pkt[1]);
}

static void time_passes(struct pair *p)
{
	static const int64_t step[] = { MS, 50 * MS, 3 * S, -20 * (int64_t)MS, 15 * S, 0 };

	p->now_ns += (uint64_t)step[draw(p, 200, 0) ? draw(p, 4, 15) : draw(p, 6, 0)];
	if (draw(p, 10, 0))
		return;
	sweep(p->m[0], p->now_ns);
	sweep(p->m[1], p->now_ns);
}

static void compare(struct pair *p)
{
	uint32_t i;

	assert_memory_equal(&p->m[0]->count, &p->m[1]->count, sizeof(p->m[0]->count));
	assert_int_equal(p->log[0]->nr, p->log[1]->nr);
	for (i = 0; i < p->log[0]->nr; i++)
		assert_memory_equal(&p->log[0]->rec[i], &p->log[1]->rec[i], sizeof(struct npk_rec));
	p->log[0]->nr = 0;
	p->log[1]->nr = 0;
	assert_memory_equal(p->convs[0]->bucket, p->convs[1]->bucket, sizeof(p->convs[0]->bucket));
}

static void run(uint64_t seed, uint32_t nr_buckets, uint32_t leave_out)
{
	const uint32_t frames = 40000;
	struct pair *p = make_pair(seed, nr_buckets, leave_out);
	uint32_t i;

	for (i = 0; i < frames; i++) {
		send_both(p);
		time_passes(p);
		if (i % 1024 == 1023)
			compare(p);
	}
	assert_true(npk_meter_expire_all(p->m[0], ~0U));
	assert_true(npk_meter_expire_all(p->m[1], ~0U));
	compare(p);
	assert_in_range(p->plain, frames / 4, frames * 9 / 10);
	assert_in_range(p->log[0]->total, 1000, frames);
	free_pair(p);
}

static void test_same_records(void **state)
{
	(void)state;
	run(1, 64, 0);
}

static void test_same_records_when_full(void **state)
{
	(void)state;
	run(2, 3, 0);
}

static void test_same_records_with_parts_left_out(void **state)
{
	uint32_t parts;

	(void)state;
	for (parts = 1; parts < 16; parts++)
		run(2 + parts, 32, parts);
}

/* Several at a time, of which some are new flows, some of them the same; and one by one. */
static void test_batches(void **state)
{
	struct frame *f = zeroed(NPK_BATCH_PACKETS * sizeof(*f));
	struct npk_pkt pkt[2][NPK_BATCH_PACKETS];
	struct pair *p = make_pair(99, 5, 0);
	uint32_t i, j, n;

	(void)state;
	for (i = 0; i < 4000; i++) {
		n = draw(p, NPK_BATCH_PACKETS + 1, 0);
		for (j = 0; j < n; j++) {
			pkt[0][j] = draw_pkt(p, &f[j]);
			pkt[1][j] = pkt[0][j];
			p->now_ns += draw(p, 2, 14) * 5 * S;
		}
		npk_meter_packets(p->m[0], pkt[0], n);
		for (j = 0; j < n; j++)
			npk_meter_packet(p->m[1], &pkt[1][j]);
		assert_int_equal(p->m[0]->now_ns, p->m[1]->now_ns);
		time_passes(p);
		compare(p);
	}
	free(f);
	free_pair(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_records),
		cmocka_unit_test(test_same_records_when_full),
		cmocka_unit_test(test_same_records_with_parts_left_out),
		cmocka_unit_test(test_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
