// SPDX-License-Identifier: GPL-2.0-only
/* Later fragments and the ports of their first one. */
#include "test.h"

#include "frame.h"
#include "shard.h"

#define T0	(1000 * S)

/* Which part of a packet; a whole one has no fragment's flags and offset. */
enum part { WHOLE, FIRST, MIDDLE, LAST };

/**
 * struct piece - a fragment
 * @v6: over IPv6
 * @part: which one
 * @proto: IP protocol
 * @id: identification
 * @host: last octet of the source address
 * @peer: last octet of the destination address
 * @cut: octets of the transport header it has, 0 = all
 * @sport: source port of a first fragment; ICMP: type and code
 * @dport: its destination port
 */
struct piece {
	bool v6;
	enum part part;
	uint8_t proto;
	uint32_t id;
	uint8_t host;
	uint8_t peer;
	uint8_t cut;
	uint16_t sport;
	uint16_t dport;
};

static const struct npk_secret secret = { .word = {
	0x0123456789abcdef, 0x1f83d9abfb41bd6b, 0x9b05688c2b3e6c1f, 0x510e527fade682d1,
	0xa54ff53a5f1d36f1, 0x3c6ef372fe94f82b, 0xbb67ae8584caa73b, 0x6a09e667f3bcc908,
} };

static int make_frags(void **state)
{
	struct npk_frags *f = aligned_alloc(NPK_CACHE_LINE, sizeof(*f));

	if (!f)
		return -1;
	memset(f, 0, sizeof(*f));
	npk_frags_init(f);
	*state = f;
	return 0;
}

static int free_frags(void **state)
{
	free(*state);
	return 0;
}

static void put_piece(struct frame *f, const struct piece *p)
{
	static const uint16_t flags4[] = { 0, 0x2000, 0x2001, 0x0002 };
	static const uint16_t flags6[] = { 0, 0x0001, 0x0009, 0x0010 };
	uint16_t size = p->cut ? p->cut : 24;
	uint32_t ip = 14;

	put_eth(f, p->v6 ? 0x86dd : 0x0800);
	if (p->v6) {
		put_ip6(f, 44, (uint16_t)(8 + size));
		f->data[ip + 23] = p->host;
		f->data[ip + 39] = p->peer;
		put16(f, (uint16_t)(p->proto << 8));
		put16(f, flags6[p->part]);
		put32(f, p->id);
	} else {
		put_ip4_frag(f, p->proto, size, flags4[p->part]);
		f->data[ip + 4] = (uint8_t)(p->id >> 8);
		f->data[ip + 5] = (uint8_t)p->id;
		f->data[ip + 15] = p->host;
		f->data[ip + 19] = p->peer;
	}
	memset(f->data + f->len, 0x55, 24);	/* what a later fragment has there is no port */
	if (p->part <= FIRST) {
		put16(f, p->sport);
		put16(f, p->dport);
		f->len -= 4;
	}
	f->len += size;
}

static struct npk_pkt join(struct npk_frags *f, const struct piece *p, uint64_t now_ns,
			   bool *unknown)
{
	struct npk_pkt pkt;
	struct frame frame;

	put_piece(&frame, p);
	pkt = frame_pkt(&frame, now_ns);
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	*unknown = npk_frags_join(f, &pkt, &secret);
	return pkt;
}

static void first(struct npk_frags *f, const struct piece *p, uint64_t now_ns)
{
	struct piece copy = *p;
	bool unknown;

	copy.part = FIRST;
	join(f, &copy, now_ns, &unknown);
	assert_false(unknown);
}

static void assert_known(struct npk_frags *f, const struct piece *p, uint64_t now_ns,
			 uint16_t sport, uint16_t dport)
{
	struct piece copy = *p;
	struct npk_pkt pkt;
	bool unknown;

	copy.part = LAST;
	pkt = join(f, &copy, now_ns, &unknown);
	assert_false(unknown);
	assert_int_equal(be16_to_cpu(pkt.key.sport), sport);
	assert_int_equal(be16_to_cpu(pkt.key.dport), dport);
}

static void assert_unknown(struct npk_frags *f, const struct piece *p, uint64_t now_ns)
{
	struct piece copy = *p;
	struct npk_pkt pkt;
	bool unknown;

	copy.part = LAST;
	pkt = join(f, &copy, now_ns, &unknown);
	assert_true(unknown);
	assert_int_equal(pkt.key.sport, 0);
	assert_int_equal(pkt.key.dport, 0);
}

static void test_later_has_the_ports_of_the_first(void **state)
{
	static const uint8_t proto[] = { NPK_PROTO_UDP, NPK_PROTO_TCP, NPK_PROTO_SCTP };
	struct npk_frags *f = *state;
	struct piece p = { .sport = 4660, .dport = 53, .host = 1, .peer = 2 };
	bool unknown;
	struct npk_pkt pkt;
	unsigned int i;

	for (i = 0; i < 6; i++) {
		p.v6 = i >= 3;
		p.proto = proto[i % 3];
		p.id = 100 + i;
		first(f, &p, T0);
		p.part = MIDDLE;
		pkt = join(f, &p, T0 + 1, &unknown);
		assert_false(unknown);
		assert_int_equal(be16_to_cpu(pkt.key.sport), 4660);
		assert_int_equal(be16_to_cpu(pkt.key.dport), 53);
		assert_known(f, &p, T0 + 2, 4660, 53);	/* and the one after it */
	}
}

static void test_icmp(void **state)
{
	struct npk_frags *f = *state;
	struct piece p4 = { .proto = NPK_PROTO_ICMP, .sport = 0x0800, .id = 7, .host = 1 };
	struct piece p6 = { .v6 = true, .proto = NPK_PROTO_ICMP6, .sport = 0x8000, .id = 7 };

	first(f, &p4, T0);
	first(f, &p6, T0);
	assert_known(f, &p4, T0, 0, 8 * 256);
	assert_known(f, &p6, T0, 0, 128 * 256);
}

/* A first fragment's own ports are those of its header, whatever is remembered. */
static void test_first_keeps_its_ports(void **state)
{
	struct npk_frags *f = *state;
	struct piece p = { .part = FIRST, .proto = NPK_PROTO_UDP, .sport = 1, .dport = 2 };
	struct npk_pkt pkt;
	bool unknown;

	join(f, &p, T0, &unknown);
	p.sport = 3;
	pkt = join(f, &p, T0, &unknown);
	assert_false(unknown);
	assert_int_equal(be16_to_cpu(pkt.key.sport), 3);
}

static void test_unknown_first(void **state)
{
	struct npk_frags *f = *state;
	struct piece p = { .proto = NPK_PROTO_UDP, .id = 5, .sport = 1, .dport = 2 };

	assert_unknown(f, &p, T0);
	p.id = 0;	/* an empty entry looks like all zeros */
	p.proto = 0;
	assert_unknown(f, &p, T0);
	first(f, &p, T0);	/* too late for the others, not for what follows */
	assert_known(f, &p, T0, 0, 0);
}

/* Whatever tells packets apart, one at a time. */
static void test_what_belongs_together(void **state)
{
	const struct piece p = { .proto = NPK_PROTO_UDP, .id = 0x1234, .sport = 1, .dport = 2,
				 .host = 9, .peer = 8 };
	const struct piece p6 = { .v6 = true, .proto = NPK_PROTO_UDP, .id = 0x12345678,
				  .sport = 3, .dport = 4, .host = 9, .peer = 8 };
	struct npk_frags *f = *state;
	struct piece other;

	first(f, &p, T0);
	first(f, &p6, T0);
	other = p, other.id = 0x1235, assert_unknown(f, &other, T0);
	other = p, other.id = 0x0234, assert_unknown(f, &other, T0);
	other = p, other.proto = NPK_PROTO_TCP, assert_unknown(f, &other, T0);
	other = p, other.host = 8, assert_unknown(f, &other, T0);
	other = p, other.peer = 9, assert_unknown(f, &other, T0);
	other = p, other.host = 8, other.peer = 9, assert_unknown(f, &other, T0);
	other = p, other.v6 = true, assert_unknown(f, &other, T0);
	other = p6, other.v6 = false, assert_unknown(f, &other, T0);
	other = p6, other.id = 0x12345679, assert_unknown(f, &other, T0);
	other = p6, other.id = 0x02345678, assert_unknown(f, &other, T0);
	other = p6, other.host = 8, assert_unknown(f, &other, T0);
	other = p6, other.peer = 9, assert_unknown(f, &other, T0);
	assert_known(f, &p, T0, 1, 2);
	assert_known(f, &p6, T0, 3, 4);
}

/* The same octets as an address, an identification and a protocol in both versions. */
static void test_versions_are_apart(void **state)
{
	struct npk_frags *f = *state;
	struct npk_pkt pkt = { .fragment = NPK_FRAG_FIRST, .frag_id = 1, .now_ns = T0 };

	pkt.key.proto = NPK_PROTO_UDP;
	pkt.key.ip_version = 4;
	pkt.key.sport = cpu_to_be16(5);
	assert_false(npk_frags_join(f, &pkt, &secret));
	pkt.fragment = NPK_FRAG_LATER;
	assert_false(npk_frags_join(f, &pkt, &secret));
	pkt.key.ip_version = 6;
	assert_true(npk_frags_join(f, &pkt, &secret));
}

static void test_latest_first_counts(void **state)
{
	struct npk_frags *f = *state;
	struct piece p = { .proto = NPK_PROTO_UDP, .id = 1, .sport = 10, .dport = 20 };
	unsigned int i;

	for (i = 0; i < 20; i++) {	/* more than a bucket has entries */
		p.sport++;
		p.dport++;
		first(f, &p, T0 + i * S);
	}
	assert_known(f, &p, T0 + 20 * S, 30, 40);
	/* it counts from the latest, and an answer does not make it younger */
	assert_known(f, &p, T0 + 19 * S + NPK_FRAG_NS, 30, 40);
	assert_unknown(f, &p, T0 + 19 * S + NPK_FRAG_NS + 1);
}

static void test_thirty_seconds(void **state)
{
	struct npk_frags *f = *state;
	struct piece p = { .proto = NPK_PROTO_UDP, .id = 1, .sport = 1, .dport = 2 };

	first(f, &p, T0);
	assert_known(f, &p, T0 + 30 * S, 1, 2);
	assert_unknown(f, &p, T0 + 30 * S + 1);
	assert_unknown(f, &p, T0 + 3600 * S);
	first(f, &p, T0 + 3600 * S);
	assert_known(f, &p, T0 + 3600 * S, 1, 2);
}

static void test_clock_goes_back(void **state)
{
	struct npk_frags *f = *state;
	struct piece p = { .proto = NPK_PROTO_UDP, .id = 1, .sport = 1, .dport = 2 };

	first(f, &p, T0);
	assert_known(f, &p, T0 - 1, 1, 2);
	assert_known(f, &p, T0 - 30 * S, 1, 2);
	assert_unknown(f, &p, T0 - 30 * S - 1);	/* of another time */
	p.sport = 3;
	first(f, &p, T0 - 100 * S);	/* the latest to come, whatever its time */
	assert_known(f, &p, T0 - 100 * S, 3, 2);
	assert_unknown(f, &p, T0);
}

/* Bucket and way where an identification is, or false. */
static bool where(const struct npk_frags *f, uint32_t id, uint32_t *bucket, uint32_t *way)
{
	for (*bucket = 0; *bucket < NPK_FRAG_BUCKETS; (*bucket)++) {
		for (*way = 0; *way < NPK_FRAG_WAYS; (*way)++) {
			if (f->bucket[*bucket][*way].id.ip_version &&
			    f->bucket[*bucket][*way].id.ident == id)
				return true;
		}
	}
	return false;
}

/* The first @n identifications, from @from, whose fragments share a bucket with @from. */
static void neighbours(struct npk_frags *f, uint32_t from, uint32_t *id, uint32_t n)
{
	struct piece p = { .proto = NPK_PROTO_UDP, .id = from, .sport = 1 };
	uint32_t bucket, b, way, nr = 0;

	first(f, &p, T0);
	assert_true(where(f, from, &bucket, &way));
	for (; nr < n; p.id++) {
		assert_true(p.id < 0xffff);
		memset(f->bucket, 0, sizeof(f->bucket));
		first(f, &p, T0);
		assert_true(where(f, p.id, &b, &way));
		if (b == bucket)
			id[nr++] = p.id;
	}
	memset(f->bucket, 0, sizeof(f->bucket));
}

static void test_oldest_makes_room(void **state)
{
	struct npk_frags *f = *state;
	struct piece p = { .proto = NPK_PROTO_UDP, .dport = 2 };
	uint64_t at[] = { 3, 1, 4, 2 };		/* seconds: the second one is the oldest */
	uint32_t id[6], i;

	neighbours(f, 1, id, 6);
	for (i = 0; i < 4; i++) {
		p.id = id[i];
		p.sport = (uint16_t)(10 + i);
		first(f, &p, T0 + at[i] * S);
	}
	for (i = 0; i < 4; i++) {
		p.id = id[i];
		assert_known(f, &p, T0 + 5 * S, (uint16_t)(10 + i), 2);
	}
	p.id = id[4];
	p.sport = 14;
	first(f, &p, T0 + 5 * S);
	p.id = id[1];
	assert_unknown(f, &p, T0 + 5 * S);
	p.id = id[5];
	p.sport = 15;
	first(f, &p, T0 + 6 * S);
	p.id = id[3];
	assert_unknown(f, &p, T0 + 6 * S);
	for (i = 0; i < 6; i++) {
		p.id = id[i];
		if (i != 1 && i != 3)
			assert_known(f, &p, T0 + 6 * S, (uint16_t)(10 + i), 2);
	}
}

/* One that comes again does not push another out. */
static void test_again_in_a_full_bucket(void **state)
{
	struct npk_frags *f = *state;
	struct piece p = { .proto = NPK_PROTO_UDP, .sport = 1, .dport = 2 };
	uint32_t id[4], i;

	neighbours(f, 1, id, 4);
	for (i = 0; i < 12; i++) {
		p.id = id[i % 4];
		first(f, &p, T0 + i);
	}
	for (i = 0; i < 4; i++) {
		p.id = id[i];
		assert_known(f, &p, T0 + 20, 1, 2);
	}
}

/* An identification of 0 is one like any other: its entry is not free. */
static void test_identification_of_zero(void **state)
{
	struct npk_frags *f = *state;
	struct piece p = { .proto = NPK_PROTO_UDP, .sport = 1, .dport = 2 };
	uint32_t id[4], i;

	neighbours(f, 0, id, 4);
	assert_int_equal(id[0], 0);
	for (i = 0; i < 4; i++) {
		p.id = id[i];
		first(f, &p, T0 + i);
	}
	for (i = 0; i < 4; i++) {
		p.id = id[i];
		assert_known(f, &p, T0 + 4, 1, 2);
	}
}

/* Whichever part of what belongs together differs, buckets are used evenly. */
static void spread(struct npk_frags *f, struct piece *p, uint8_t *octet, uint8_t *octet2)
{
	uint32_t i, used = 0;

	memset(f->bucket, 0, sizeof(f->bucket));
	for (i = 0; i < 2048; i++) {
		*octet = (uint8_t)i;
		*octet2 = (uint8_t)(i >> 8);
		first(f, p, T0);
	}
	for (i = 0; i < NPK_FRAG_BUCKETS; i++)
		used += f->bucket[i][0].id.ip_version != 0;
	assert_in_range(used, 1100, 1500);	/* 2048 * (1 - 1/e) = 1295 expected */
}

static void test_spread(void **state)
{
	struct npk_frags *f = *state;
	struct piece p = { .proto = NPK_PROTO_UDP, .id = 1 };
	uint8_t *id = (uint8_t *)&p.id;

	spread(f, &p, &p.host, &p.peer);
	spread(f, &p, &id[0], &id[1]);
	p.v6 = true;
	spread(f, &p, &p.host, &p.peer);
	spread(f, &p, &id[0], &id[1]);
	spread(f, &p, &p.proto, &p.peer);
}

/* Another secret, other buckets: nobody can aim. */
static void test_secret_counts(void **state)
{
	struct npk_secret other = secret;
	struct npk_frags *f = *state;
	struct npk_pkt pkt = { .fragment = NPK_FRAG_FIRST, .now_ns = T0 };
	uint32_t i, unknown = 0;

	other.word[3]++;
	pkt.key.ip_version = 4;
	for (i = 0; i < 100; i++) {
		pkt.frag_id = i;
		pkt.fragment = NPK_FRAG_FIRST;
		npk_frags_join(f, &pkt, &secret);
		pkt.fragment = NPK_FRAG_LATER;
		unknown += npk_frags_join(f, &pkt, &other);
	}
	assert_in_range(unknown, 95, 100);
}

/* A first fragment too short for its ports is known all the same. */
static void test_first_without_ports(void **state)
{
	struct npk_frags *f = *state;
	struct piece p = { .proto = NPK_PROTO_UDP, .id = 1, .sport = 1, .dport = 2 };

	first(f, &p, T0);
	p.cut = 3;
	first(f, &p, T0 + 1);
	p.cut = 0;
	assert_known(f, &p, T0 + 2, 0, 0);
}

static void meter_piece(struct npk_meter *m, const struct piece *p, uint64_t now_ns)
{
	struct npk_pkt pkt;
	struct frame f;

	put_piece(&f, p);
	pkt = frame_pkt(&f, now_ns);
	npk_meter_packet(m, &pkt);
}

static void test_meter_without_a_table(void **state)
{
	struct piece p = { .part = FIRST, .proto = NPK_PROTO_UDP, .sport = 10, .dport = 20 };
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(4, &k);
	meter_piece(m, &p, T0);
	p.part = LAST;
	meter_piece(m, &p, T0);
	assert_int_equal(m->count.note[NPK_NOTE_FRAGMENT], 2);
	assert_int_equal(m->count.note[NPK_NOTE_FRAG_UNKNOWN], 0);
	assert_int_equal(npk_meter_flows(m), 2);
	assert_true(npk_meter_expire_all(m, 4));
	assert_int_equal(sink_record(&k, 10, 0)->packets, 1);
	assert_int_equal(sink_record(&k, 0, 0)->packets, 1);
	free_meter(m);
}

static void test_meter_with_a_table(void **state)
{
	struct piece p = { .proto = NPK_PROTO_UDP, .sport = 10, .dport = 20, .id = 1 };
	struct npk_meter *m;
	struct sink k;

	m = make_meter(4, &k);
	m->frags = *state;
	p.part = LAST;
	meter_piece(m, &p, T0);		/* before its first one */
	assert_int_equal(m->count.note[NPK_NOTE_FRAG_UNKNOWN], 1);
	p.part = FIRST;
	meter_piece(m, &p, T0);
	p.part = MIDDLE;
	meter_piece(m, &p, T0);
	p.part = LAST;
	meter_piece(m, &p, T0);
	p.part = WHOLE;			/* touches no table */
	p.id = 2;
	meter_piece(m, &p, T0);
	p.part = LAST;
	meter_piece(m, &p, T0);
	assert_int_equal(m->count.note[NPK_NOTE_FRAGMENT], 5);
	assert_int_equal(m->count.note[NPK_NOTE_FRAG_UNKNOWN], 2);
	assert_string_equal(npk_note_name(NPK_NOTE_FRAG_UNKNOWN), "note_fragment_unknown");
	check_sums(m, &k);
	assert_true(npk_meter_expire_all(m, 4));
	assert_int_equal(k.nr, 2);
	assert_int_equal(sink_record(&k, 10, 0)->packets, 4);
	assert_int_equal(sink_record(&k, 10, 0)->fragments, 3);
	assert_int_equal(be16_to_cpu(sink_record(&k, 10, 0)->dport), 20);
	assert_int_equal(sink_record(&k, 0, 0)->packets, 2);
	assert_int_equal(sink_record(&k, 0, 0)->fragments, 2);
	free_meter(m);
}

/* The fragments of a packet come to two shards, on two devices, and parts of keys are left out. */
static void test_two_meters(void **state)
{
	struct piece p = { .part = FIRST, .proto = NPK_PROTO_UDP, .sport = 10, .dport = 20 };
	struct npk_meter *a, *b;
	struct sink ka, kb;

	a = make_meter(4, &ka);
	b = make_meter(4, &kb);
	a->frags = *state;
	b->frags = *state;
	b->leave_out = NPK_KEY_TOS | NPK_KEY_VLAN | NPK_KEY_IFINDEX;
	meter_piece(a, &p, T0);
	p.part = LAST;
	meter_piece(b, &p, T0);
	assert_int_equal(b->count.note[NPK_NOTE_FRAG_UNKNOWN], 0);
	assert_true(npk_meter_expire_all(b, 4));
	assert_int_equal(sink_record(&kb, 10, 0)->packets, 1);
	assert_int_equal(be16_to_cpu(kb.last.dport), 20);
	free_meter(a);
	free_meter(b);
}

#define WITH_TABLE(test)	cmocka_unit_test_setup_teardown(test, make_frags, free_frags)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(test_later_has_the_ports_of_the_first),
		WITH_TABLE(test_icmp),
		WITH_TABLE(test_first_keeps_its_ports),
		WITH_TABLE(test_unknown_first),
		WITH_TABLE(test_what_belongs_together),
		WITH_TABLE(test_versions_are_apart),
		WITH_TABLE(test_latest_first_counts),
		WITH_TABLE(test_thirty_seconds),
		WITH_TABLE(test_clock_goes_back),
		WITH_TABLE(test_oldest_makes_room),
		WITH_TABLE(test_again_in_a_full_bucket),
		WITH_TABLE(test_identification_of_zero),
		WITH_TABLE(test_spread),
		WITH_TABLE(test_secret_counts),
		WITH_TABLE(test_first_without_ports),
		cmocka_unit_test(test_meter_without_a_table),
		WITH_TABLE(test_meter_with_a_table),
		WITH_TABLE(test_two_meters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
