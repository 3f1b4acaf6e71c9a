// SPDX-License-Identifier: GPL-2.0-only
#include "test.h"

#include "frame.h"

/* Parse a copy of exactly the right size, so that ASan sees any overrun. */
static enum npk_ignored parse(const struct frame *f, struct npk_pkt *pkt)
{
	uint8_t *copy = malloc(f->len ? f->len : 1);
	enum npk_ignored ign;

	assert_non_null(copy);
	memcpy(copy, f->data, f->len);
	*pkt = frame_pkt(f, 5);
	pkt->data = copy;
	ign = npk_parse(pkt);
	free(copy);
	pkt->data = NULL;
	return ign;
}

static void assert_ports(const struct npk_pkt *pkt, unsigned int proto, unsigned int sport,
			 unsigned int dport)
{
	assert_int_equal(pkt->key.proto, proto);
	assert_int_equal(be16_to_cpu(pkt->key.sport), sport);
	assert_int_equal(be16_to_cpu(pkt->key.dport), dport);
}

static void test_tcp4(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	frame_tcp4(&f, 1234, 80, 0x112);
	put(&f, "padding", 7);	/* behind the IP packet: not counted */
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_TCP, 1234, 80);
	assert_int_equal(pkt.tcp_flags, 0x112);
	assert_int_equal(pkt.ip_len, 40);
	assert_int_equal(pkt.ttl, 64);
	assert_int_equal(pkt.l3_off, 14);
	assert_int_equal(pkt.notes, 0);
	assert_int_equal(pkt.key.tos, 0x10);
	assert_int_equal(pkt.key.ip_version, 4);
	assert_int_equal(pkt.key.ifindex, 7);
	assert_int_equal(pkt.key.vlan, NPK_VLAN_NONE);
	assert_int_equal(pkt.key.vlan2, NPK_VLAN_NONE);
	assert_int_equal(pkt.key.mpls, NPK_MPLS_NONE);
	assert_memory_equal(pkt.key.addr, "\xc0\x00\x02\x01\xc6\x33\x64\x02\0\0\0\0\0\0\0\0", 16);
}

static void test_udp6(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x86dd);
	put_ip6(&f, NPK_PROTO_UDP, 8);
	put_udp(&f, 53, 5353);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_UDP, 53, 5353);
	assert_int_equal(pkt.ip_len, 48);
	assert_int_equal(pkt.key.tos, 0xaa);
	assert_int_equal(pkt.flow_label, 0x12345);
	assert_int_equal(pkt.ttl, 63);
	assert_int_equal(pkt.key.addr[15], 1);
	assert_int_equal(pkt.key.addr[31], 2);
}

static void test_icmp(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x0800);
	put_ip4(&f, NPK_PROTO_ICMP, 4);
	put32(&f, 0x03010000);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_ICMP, 0, 3 * 256 + 1);

	put_eth(&f, 0x86dd);
	put_ip6(&f, NPK_PROTO_ICMP6, 4);
	put32(&f, 0x87000000);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_ICMP6, 0, 135 * 256);

	/* ICMPv6 inside IPv4 is just a protocol number */
	put_eth(&f, 0x0800);
	put_ip4(&f, NPK_PROTO_ICMP6, 4);
	put32(&f, 0x87000000);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_ICMP6, 0, 0);
}

static void test_ip4_options(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x0800);
	put_ip4(&f, NPK_PROTO_UDP, 12);
	f.data[14] = 0x46;
	put32(&f, 0x94040000);
	put_udp(&f, 1, 2);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_UDP, 1, 2);
	assert_int_equal(pkt.ip_len, 32);
}

static void test_vlan_tags(void **state)
{
	static const uint16_t tpid[] = { 0x88a8, 0x9100, 0x8100, 0x8100 };
	struct npk_pkt pkt;
	struct frame f;
	unsigned int n, i;

	(void)state;
	for (n = 1; n <= 4; n++) {
		put_eth(&f, tpid[0]);
		for (i = 0; i < n; i++) {
			put16(&f, (uint16_t)(0xe000 | (10 + i)));
			put16(&f, i + 1 < n ? tpid[i + 1] : 0x0800);
		}
		put_ip4(&f, NPK_PROTO_UDP, 8);
		put_udp(&f, 1, 2);
		if (n == 4) {
			assert_int_equal(parse(&f, &pkt), NPK_IGN_TOO_MANY_TAGS);
			continue;
		}
		assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
		assert_int_equal(pkt.key.vlan, 10);
		assert_int_equal(pkt.key.vlan2, n > 1 ? 11 : NPK_VLAN_NONE);
	}
}

static void test_vid_0_is_a_tag(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x8100);
	put32(&f, 0x00000800);
	put_ip4(&f, NPK_PROTO_UDP, 8);
	put_udp(&f, 1, 2);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.key.vlan, 0);
}

static void put_labels(struct frame *f, unsigned int n)
{
	unsigned int i;

	put_eth(f, 0x8847);
	for (i = 0; i < n; i++)
		put32(f, (1000 + i) << 12 | (i + 1 == n ? 0x100 : 0) | 0x40);
}

static void test_mpls(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_labels(&f, 6);
	put_ip4(&f, NPK_PROTO_UDP, 8);
	put_udp(&f, 1, 2);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.key.mpls, 1000);
	assert_int_equal(pkt.nr_mpls, 6);
	assert_int_equal(pkt.mpls[3] >> 12, 1003);
	assert_int_equal(pkt.ip_len, 28);

	put_labels(&f, 1);
	put_ip6(&f, NPK_PROTO_UDP, 8);
	put_udp(&f, 1, 2);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.key.ip_version, 6);

	put_labels(&f, 1);
	put32(&f, 0);	/* control word of a pseudo-wire */
	assert_int_equal(parse(&f, &pkt), NPK_IGN_MPLS_NOT_IP);

	put_labels(&f, 11);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_MPLS_TOO_DEEP);
	put_labels(&f, 2);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_L2_TRUNCATED);
}

static void test_pppoe(void **state)
{
	static const uint16_t proto[] = { 0x0021, 0x0057, 0x0281, 0xc021 };
	struct npk_pkt pkt;
	struct frame f;
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		put_eth(&f, 0x8864);
		put32(&f, 0x11000001);
		put16(&f, 50);
		put16(&f, proto[i]);
		if (i == 2)
			put32(&f, 77 << 12 | 0x100);
		if (i == 1)
			put_ip6(&f, NPK_PROTO_UDP, 8);
		else
			put_ip4(&f, NPK_PROTO_UDP, 8);
		put_udp(&f, 1, 2);
		assert_int_equal(parse(&f, &pkt), i < 3 ? NPK_IGN_NONE : NPK_IGN_PPPOE_NOT_IP);
		if (i == 2)
			assert_int_equal(pkt.key.mpls, 77);
	}
}

static void test_pppoe_compressed_protocol(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x8864);
	put32(&f, 0x11000001);
	put16(&f, 50);
	put8(&f, 0x21);
	put_ip4(&f, NPK_PROTO_UDP, 8);
	put_udp(&f, 1, 2);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_UDP, 1, 2);
}

static void test_llc(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 36);
	put(&f, "\xaa\xaa\x03\0\0\0\x08\0", 8);
	put_ip4(&f, NPK_PROTO_UDP, 8);
	put_udp(&f, 1, 2);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_UDP, 1, 2);

	f.data[17] = 0x12;	/* another organisation's protocol */
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NOT_IP);
	put_eth(&f, 38);
	put(&f, "\x42\x42\x03\0\0\0\0\0", 8);	/* spanning tree */
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NOT_IP);
	put_eth(&f, 31);
	put(&f, "\x06\x06\x03", 3);
	put_ip4(&f, NPK_PROTO_UDP, 8);
	put_udp(&f, 1, 2);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	put_eth(&f, 38);
	put(&f, "\xaa\xaa\x03\0\0\0\0\x10", 8);	/* a length inside SNAP: no loop */
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NOT_IP);
}

static void test_not_ip(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x0806);
	put32(&f, 0);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NOT_IP);
	assert_string_equal(npk_ignored_name(NPK_IGN_NOT_IP), "not_ip");
}

static void test_bad_headers(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	frame_udp4(&f, 1, 2);
	f.data[14] = 0x55;
	assert_int_equal(parse(&f, &pkt), NPK_IGN_BAD_VERSION);
	f.data[14] = 0x44;
	assert_int_equal(parse(&f, &pkt), NPK_IGN_BAD_HEADER_LENGTH);
	f.data[14] = 0x45;
	f.data[17] = 19;
	assert_int_equal(parse(&f, &pkt), NPK_IGN_BAD_HEADER_LENGTH);
	put_eth(&f, 0x86dd);
	put_ip4(&f, NPK_PROTO_UDP, 28);
	put_udp(&f, 1, 2);
	put(&f, f.data, 20);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_BAD_VERSION);
}

/* Every possible cut of a frame gives a verdict and no read beyond the cut. */
static void test_every_truncation(void **state)
{
	struct npk_pkt pkt;
	struct frame f;
	enum npk_ignored ign;
	uint32_t full;

	(void)state;
	put_eth(&f, 0x8100);
	put32(&f, 0x000a8847);
	put32(&f, 5 << 12 | 0x100);
	put_ip6(&f, 0, 16 + 20);
	put(&f, "\x3c\x00\x01\x04\0\0\0\0\x06\x00\x01\x04\0\0\0\0", 16);
	put_tcp(&f, 1, 2, 0x10);
	for (full = f.len; f.len > 0; f.len--) {
		ign = parse(&f, &pkt);
		if (f.len >= 14 + 4 + 4 + 40)
			assert_int_equal(ign, NPK_IGN_NONE);
		else if (f.len > 14 + 4 + 4)
			assert_int_equal(ign, NPK_IGN_IP6_TRUNCATED);
		else
			assert_int_equal(ign, NPK_IGN_L2_TRUNCATED);
		if (f.len == full)
			assert_ports(&pkt, NPK_PROTO_TCP, 1, 2);
	}
}

static void test_length_is_capped(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	frame_udp4(&f, 1, 2);
	f.data[16] = 0xff;	/* says 65308 octets */
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.ip_len, 28);
	assert_int_equal(pkt.notes, 1 << NPK_NOTE_CAPPED);

	/* cut by the capture, not on the wire: the header is believed */
	frame_udp4(&f, 1, 2);
	f.data[16] = 2;
	pkt = frame_pkt(&f, 0);
	pkt.wire_len = 2000;
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.ip_len, 2 * 256 + 28);
	assert_int_equal(pkt.notes, 0);
}

static void test_total_length_0_is_the_frame(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	frame_udp4(&f, 1, 2);
	f.data[16] = 0;
	f.data[17] = 0;
	f.len += 1000;
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.ip_len, 1028);
}

static void test_fragments(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x0800);
	put_ip4_frag(&f, NPK_PROTO_UDP, 8, 0x2000);
	put_udp(&f, 1, 2);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_UDP, 1, 2);
	assert_int_equal(pkt.notes, 1 << NPK_NOTE_FRAGMENT);

	put_eth(&f, 0x0800);
	put_ip4_frag(&f, NPK_PROTO_UDP, 8, 0x0001);
	put_udp(&f, 1, 2);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_UDP, 0, 0);
	assert_int_equal(pkt.notes, 1 << NPK_NOTE_FRAGMENT);

	put_eth(&f, 0x0800);
	put_ip4_frag(&f, NPK_PROTO_UDP, 8, 0x4000);	/* do not fragment */
	put_udp(&f, 1, 2);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_UDP, 1, 2);
	assert_int_equal(pkt.notes, 0);
}

static void put_ip6_fragment(struct frame *f, uint16_t off_more)
{
	put_eth(f, 0x86dd);
	put_ip6(f, 44, 16);
	put16(f, NPK_PROTO_UDP << 8);
	put16(f, off_more);
	put32(f, 99);
	put_udp(f, 1, 2);
}

static void test_ip6_fragments(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_ip6_fragment(&f, 0);	/* atomic: a whole packet */
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_UDP, 1, 2);
	assert_int_equal(pkt.notes, 0);
	put_ip6_fragment(&f, 1);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_UDP, 1, 2);
	assert_int_equal(pkt.notes, 1 << NPK_NOTE_FRAGMENT);
	put_ip6_fragment(&f, 8);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_UDP, 0, 0);
	assert_int_equal(pkt.notes, 1 << NPK_NOTE_FRAGMENT);
}

static void test_ip6_headers(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x86dd);
	put_ip6(&f, 0, 8 + 16 + 24 + 16 + 8);
	put(&f, "\x2b\x00\x05\x02\0\0\0\0", 8);		/* hop-by-hop, then routing */
	put(&f, "\x33\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);	/* routing, then AH */
	put(&f, "\x3c\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
	put(&f, "\x11\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);	/* destination, then UDP */
	put_udp(&f, 7, 8);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_UDP, 7, 8);
}

static void test_ip6_chain_is_bounded(void **state)
{
	struct npk_pkt pkt;
	struct frame f;
	unsigned int i;

	(void)state;
	put_eth(&f, 0x86dd);
	put_ip6(&f, 60, 400);
	for (i = 0; i < 50; i++)
		put(&f, "\x3c\x00\x01\x04\0\0\0\0", 8);
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_ports(&pkt, 60, 0, 0);
	assert_int_equal(pkt.notes, 1 << NPK_NOTE_EXT_TOO_DEEP);
}

static void test_jumbogram(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x86dd);
	put_ip6(&f, 0, 0);
	put(&f, "\x11\x00\xc2\x04\x00\x01\x00\x00", 8);	/* 65536 octets */
	put_udp(&f, 7, 8);
	pkt = frame_pkt(&f, 0);
	pkt.wire_len = 14 + 40 + 65536;
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.ip_len, 40 + 65536);
	assert_ports(&pkt, NPK_PROTO_UDP, 7, 8);

	memset(f.data + 14 + 40 + 4, 0xff, 4);	/* near 2^32: capped, no wrap */
	pkt = frame_pkt(&f, 0);
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.ip_len, f.len - 14);
}

/* A TCP header too short to be one: its octets are no flags (garbage fragments). */
static void test_bad_tcp_offset_gives_no_flags(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	frame_tcp4(&f, 1, 2, 0x3f);
	f.data[14 + 20 + 12] = 0x40;
	assert_int_equal(parse(&f, &pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.tcp_flags, 0);
	assert_int_equal(pkt.notes, 1 << NPK_NOTE_BAD_TCP);
}

static bool pull_copy(const struct npk_pkt *pkt, u32 off, u32 len, u8 *buf)
{
	assert_true(len <= NPK_PULL_MAX && off + len <= pkt->captured);
	memcpy(buf, (const uint8_t *)pkt->priv + off, len);
	return true;
}

/* Wherever the linear part ends, the result is the same. */
static void test_pull(void **state)
{
	struct npk_pkt pkt, whole;
	struct frame f;
	uint32_t linear;

	(void)state;
	put_eth(&f, 0x8100);
	put32(&f, 0x000a0800);
	put_ip4(&f, NPK_PROTO_TCP, 20);
	put_tcp(&f, 1, 2, 0x12);
	whole = frame_pkt(&f, 0);
	assert_int_equal(npk_parse(&whole), NPK_IGN_NONE);
	for (linear = 14; linear < f.len; linear++) {
		pkt = frame_pkt(&f, 0);
		pkt.linear = linear;
		pkt.pull = pull_copy;
		pkt.priv = f.data;
		assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
		assert_memory_equal(&pkt.key, &whole.key, sizeof(pkt.key));
		assert_int_equal(pkt.tcp_flags, 0x12);
		assert_int_equal(pkt.ip_len, whole.ip_len);
	}
}

/* A TCP packet with @payload octets that were merged out of segments of @mss. */
static struct npk_pkt merged(struct frame *f, uint16_t payload, uint32_t mss, uint32_t segs)
{
	struct npk_pkt pkt;

	put_eth(f, 0x0800);
	put_ip4(f, NPK_PROTO_TCP, (uint16_t)(32 + payload));
	put_tcp(f, 1, 2, 0x10);
	f->data[14 + 20 + 12] = 0x80;	/* 12 octets of options */
	f->len += 12;
	pkt = frame_pkt(f, 0);
	pkt.wire_len = 14 + 52U + payload;
	pkt.gso_size = mss;
	pkt.segs = segs;
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	return pkt;
}

static void test_merged_tcp(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	pkt = merged(&f, 9 * 1448 + 100, 1448, 10);
	assert_int_equal(pkt.segs, 10);
	assert_int_equal(pkt.octets, 10 * 52 + 9 * 1448 + 100);
	assert_int_equal(pkt.min_len, 52 + 100);
	assert_int_equal(pkt.max_len, 52 + 1448);
	assert_int_equal(pkt.notes, 1 << NPK_NOTE_MERGED);
	pkt = merged(&f, 10 * 1448, 1448, 10);
	assert_int_equal(pkt.min_len, 52 + 1448);
	pkt = merged(&f, 700, 1448, 1);		/* a single one is not merged */
	assert_int_equal(pkt.segs, 1);
	assert_int_equal(pkt.octets, 752);
	assert_int_equal(pkt.min_len, 752);
	assert_int_equal(pkt.notes, 0);
}

/* A guest does not say how many: worked out, at least one. */
static void test_merged_without_a_count(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	pkt = merged(&f, 9 * 1448 + 1, 1448, 0);
	assert_int_equal(pkt.segs, 10);
	assert_int_equal(pkt.octets, 10 * 52 + 9 * 1448 + 1);
	pkt = merged(&f, 9 * 1448, 1448, 0);
	assert_int_equal(pkt.segs, 9);
	pkt = merged(&f, 0, 1448, 0);
	assert_int_equal(pkt.segs, 1);
	assert_int_equal(pkt.octets, 52);
}

/* A count that cannot be true must not make lengths wrap. */
static void test_merged_with_a_wild_count(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	pkt = merged(&f, 100, 1448, 65535);
	assert_int_equal(pkt.min_len, 52);
	assert_int_equal(pkt.max_len, 152);
}

static void test_merged_udp(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x86dd);
	put_ip6(&f, NPK_PROTO_UDP, 8 + 2500);
	put_udp(&f, 1, 2);
	pkt = frame_pkt(&f, 0);
	pkt.wire_len = 14 + 40 + 8 + 2500;
	pkt.gso_size = 1000;
	pkt.segs = 3;
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.octets, 3 * 48 + 2500);
	assert_int_equal(pkt.min_len, 48 + 500);
	assert_int_equal(pkt.max_len, 48 + 1000);
}

/* BIG TCP: what announces the length of the merged packet was not on the wire. */
static void test_big_tcp(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x86dd);
	put_ip6(&f, 0, 0);
	put(&f, "\x06\x00\xc2\x04", 4);
	put32(&f, 8 + 20 + 100000);
	put_tcp(&f, 1, 2, 0x10);
	pkt = frame_pkt(&f, 0);
	pkt.wire_len = 14 + 40 + 8 + 20 + 100000;
	pkt.gso_size = 1000;
	pkt.segs = 100;
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_ports(&pkt, NPK_PROTO_TCP, 1, 2);
	assert_int_equal(pkt.octets, 100 * 1060);
	assert_int_equal(pkt.max_len, 1060);
	assert_int_equal(pkt.min_len, 1060);

	/* IPv6 without that header, IPv4 with length 0: the frame says it */
	put_eth(&f, 0x86dd);
	put_ip6(&f, NPK_PROTO_TCP, 0);
	put_tcp(&f, 1, 2, 0x10);
	pkt = frame_pkt(&f, 0);
	pkt.wire_len = 14 + 40 + 20 + 100000;
	pkt.gso_size = 1000;
	pkt.segs = 100;
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.octets, 100 * 1060);
}

/* A tunnel whose inner packets were merged: the caller knows the headers. */
static void test_merged_in_a_tunnel(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	frame_udp4(&f, 1, 4789);
	f.data[16] = 0x27;
	f.data[17] = 0x10;	/* 10000 octets */
	pkt = frame_pkt(&f, 0);
	pkt.wire_len = 14 + 10000;
	pkt.gso_size = 990;
	pkt.gso_hdr_len = 100;
	pkt.segs = 10;
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.octets, 10000 + 9 * 100);
	assert_int_equal(pkt.max_len, 1090);
}

/* The tag that the device took out comes first. */
static void test_tag_outside_the_frame(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x8100);
	put32(&f, 0x00140800);
	put_ip4(&f, NPK_PROTO_UDP, 8);
	put_udp(&f, 1, 2);
	pkt = frame_pkt(&f, 0);
	pkt.has_tag = true;
	pkt.vlan_tci = 0xe00a;
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.key.vlan, 10);
	assert_int_equal(pkt.key.vlan2, 20);
}

/* Random octets behind plausible EtherTypes: a verdict, and ASan is silent. */
static void test_noise(void **state)
{
	static const uint16_t types[] = { 0x0800, 0x86dd, 0x8100, 0x8847, 0x8864, 0x0040 };
	uint64_t seed = 42, r;
	struct npk_pkt pkt;
	struct frame f;
	unsigned int i, j;

	(void)state;
	for (i = 0; i < 200000; i++) {
		r = test_random(&seed);
		put_eth(&f, types[r % 6]);
		for (j = 0; j < (r >> 8) % 120; j++)
			put8(&f, (uint8_t)test_random(&seed));
		if (f.len > 14 && r & 1 << 20)
			f.data[14] = r & 1 << 21 ? 0x45 : 0x60;
		if (parse(&f, &pkt) == NPK_IGN_NONE)
			assert_true(pkt.ip_len <= f.len - pkt.l3_off);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp4),
		cmocka_unit_test(test_udp6),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_ip4_options),
		cmocka_unit_test(test_vlan_tags),
		cmocka_unit_test(test_vid_0_is_a_tag),
		cmocka_unit_test(test_mpls),
		cmocka_unit_test(test_pppoe),
		cmocka_unit_test(test_pppoe_compressed_protocol),
		cmocka_unit_test(test_llc),
		cmocka_unit_test(test_not_ip),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_length_is_capped),
		cmocka_unit_test(test_total_length_0_is_the_frame),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_ip6_fragments),
		cmocka_unit_test(test_ip6_headers),
		cmocka_unit_test(test_ip6_chain_is_bounded),
		cmocka_unit_test(test_jumbogram),
		cmocka_unit_test(test_bad_tcp_offset_gives_no_flags),
		cmocka_unit_test(test_pull),
		cmocka_unit_test(test_merged_tcp),
		cmocka_unit_test(test_merged_without_a_count),
		cmocka_unit_test(test_merged_with_a_wild_count),
		cmocka_unit_test(test_merged_udp),
		cmocka_unit_test(test_big_tcp),
		cmocka_unit_test(test_merged_in_a_tunnel),
		cmocka_unit_test(test_tag_outside_the_frame),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
