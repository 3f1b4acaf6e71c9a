// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: a shape (input.h) and one frame through npk_parse(), a SYN through
 * npk_syn_read() as well.
 *
 * Beside memory errors it finds a result that depends on where the linear part
 * ends, on what the result fields held before, or on octets behind the IP packet.
 */
#include "kmod/core/tcp.h"
#include "tests/fuzz/input.h"

/**
 * struct result - what the parser makes of a frame
 * @pkt: as npk_parse() left it
 * @syn: what npk_syn_read() wrote, zero without a SYN
 */
struct result {
	struct npk_pkt pkt;
	struct npk_syn syn;
};

/* @old: what the results held before */
static enum npk_ignored parse_over(struct frame *f, int old, struct result *out)
{
	const size_t results = offsetof(struct npk_pkt, key);
	struct npk_pkt *pkt = &out->pkt;
	enum npk_ignored ign;

	*pkt = f->pkt;
	memset((uint8_t *)pkt + results, old, sizeof(*pkt) - results);
	memset(&out->syn, old, sizeof(out->syn));
	ign = npk_parse(pkt);
	HOLDS((unsigned int)ign < __NPK_IGN_MAX && ign != NPK_IGN_FILTER);
	HOLDS(npk_ignored_name(ign));
	if (!ign && pkt->has_tcp && pkt->tcp_flags & NPK_TCP_SYN)
		npk_syn_read(&out->syn, pkt);
	else
		memset(&out->syn, 0, sizeof(out->syn));
	return ign;
}

static void check_same_tcp(const struct npk_pkt *a, const struct npk_pkt *b)
{
	HOLDS(a->has_tcp == b->has_tcp);
	if (!a->has_tcp)
		return;
	HOLDS(a->l4_off == b->l4_off);
	HOLDS(a->seq == b->seq);
	HOLDS(a->ack == b->ack);
	HOLDS(a->payload == b->payload);
	HOLDS(a->window == b->window);
	HOLDS(a->tcp_hlen == b->tcp_hlen);
}

static void check_same(const struct result *one, const struct result *other)
{
	const struct npk_pkt *a = &one->pkt, *b = &other->pkt;
	u32 i;

	HOLDS(!memcmp(&a->key, &b->key, sizeof(a->key)));
	HOLDS(a->l3_off == b->l3_off);
	HOLDS(a->ip_len == b->ip_len);
	HOLDS(a->segs == b->segs);
	HOLDS(a->octets == b->octets);
	HOLDS(a->min_len == b->min_len);
	HOLDS(a->max_len == b->max_len);
	HOLDS(a->flow_label == b->flow_label);
	HOLDS(a->tcp_flags == b->tcp_flags);
	HOLDS(a->ttl == b->ttl);
	HOLDS(a->jumbo == b->jumbo);
	HOLDS(a->notes == b->notes);
	HOLDS(a->fragment == b->fragment);
	HOLDS(!a->fragment || a->frag_id == b->frag_id);
	HOLDS(a->nr_mpls == b->nr_mpls);
	for (i = 0; i < a->nr_mpls && i < NPK_MPLS_MAX; i++)
		HOLDS(a->mpls[i] == b->mpls[i]);
	check_same_tcp(a, b);
	HOLDS(!memcmp(&one->syn, &other->syn, sizeof(one->syn)));
}

static void check_key(const struct npk_pkt *pkt)
{
	static const u8 zero[24];
	const struct npk_key *key = &pkt->key;

	HOLDS(key->ip_version == 4 || key->ip_version == 6);
	HOLDS(key->ip_version == 6 || !memcmp(key->addr + 8, zero, 24));
	HOLDS(key->ifindex == pkt->ifindex && !key->_pad && key->dir == NPK_DIR_INGRESS);
	HOLDS(key->vlan < 4096 || key->vlan == NPK_VLAN_NONE);
	HOLDS(key->vlan2 < 4096 || key->vlan2 == NPK_VLAN_NONE);
	HOLDS(key->vlan2 == NPK_VLAN_NONE || key->vlan != NPK_VLAN_NONE);
	HOLDS(!pkt->has_tag || key->vlan == (pkt->vlan_tci & 0xfff));
	HOLDS(pkt->nr_mpls ? key->mpls < 1 << 20 : key->mpls == NPK_MPLS_NONE);
	HOLDS(!key->sport || npk_proto_has_ports(key->proto));
	HOLDS(!key->dport || npk_proto_has_ports(key->proto) ||
	      key->proto == (key->ip_version == 4 ? NPK_PROTO_ICMP : NPK_PROTO_ICMP6));
}

static void check_lengths(const struct npk_pkt *pkt, const struct npk_pkt *given)
{
	u32 room = pkt->wire_len - pkt->l3_off;

	HOLDS(pkt->l3_off >= 14 && pkt->l3_off + 20 <= pkt->captured);
	HOLDS(pkt->ip_len >= (pkt->key.ip_version == 6 ? 40 : 20) && pkt->ip_len <= room);
	HOLDS(pkt->segs >= 1);
	if (pkt->segs == 1) {
		HOLDS(pkt->octets <= room);
		HOLDS(pkt->min_len <= room && pkt->max_len <= room);
	}
	if (!given->gso_size) {
		HOLDS(pkt->segs == 1);
		HOLDS(pkt->octets == pkt->ip_len);
		HOLDS(pkt->min_len == pkt->ip_len && pkt->max_len == pkt->ip_len);
	}
	/* a count that is too small for the length is a lie and gives no better answer */
	if (!given->segs || (u64)given->segs * given->gso_size >= pkt->wire_len)
		HOLDS(pkt->min_len <= pkt->max_len);
}

static void check_tcp(const struct npk_pkt *pkt)
{
	u32 before = pkt->l4_off - pkt->l3_off;

	HOLDS(pkt->key.proto == NPK_PROTO_TCP && !pkt->fragment);
	HOLDS(pkt->tcp_hlen >= 20 && pkt->tcp_hlen <= 60);
	HOLDS(pkt->l4_off >= pkt->l3_off + 20);
	HOLDS(before + 16 <= pkt->ip_len && pkt->l4_off + 16 <= pkt->captured);
	HOLDS(!pkt->payload || before + pkt->tcp_hlen + pkt->payload == pkt->ip_len);
}

static void check_syn(const struct npk_syn *syn)
{
	static const struct npk_syn none;

	HOLDS(syn->flags & NPK_SYN_SEEN || !memcmp(syn, &none, sizeof(none)));
	HOLDS(syn->flags & NPK_SYN_MSS || !syn->mss);
	HOLDS(syn->flags & NPK_SYN_WSCALE || !syn->wscale);
	HOLDS(syn->ip_options <= 40 && syn->eol_pad < 40);
}

static void check_accounted(const struct result *r, const struct npk_pkt *given)
{
	const struct npk_pkt *pkt = &r->pkt;
	u32 n;

	check_key(pkt);
	check_lengths(pkt, given);
	if (pkt->has_tcp)
		check_tcp(pkt);
	check_syn(&r->syn);
	HOLDS(pkt->fragment <= NPK_FRAG_LATER);
	HOLDS(!pkt->fragment == !(pkt->notes & 1U << NPK_NOTE_FRAGMENT));
	HOLDS(pkt->fragment != NPK_FRAG_LATER || (!pkt->key.sport && !pkt->key.dport));
	HOLDS(pkt->tcp_flags <= 0xfff && (!pkt->tcp_flags || pkt->key.proto == NPK_PROTO_TCP));
	HOLDS(pkt->flow_label <= 0xfffff && (!pkt->flow_label || pkt->key.ip_version == 6));
	HOLDS(!pkt->jumbo || pkt->key.ip_version == 6);
	HOLDS(pkt->notes < 1U << __NPK_NOTE_MAX);
	for (n = 0; n < __NPK_NOTE_MAX; n++)
		HOLDS(npk_note_name(n));
}

/* The same frame in pieces. */
static void check_pulled(const struct shape *s, const uint8_t *data, size_t len,
			 enum npk_ignored ign, const struct result *whole)
{
	enum npk_ignored got;
	struct result part;
	struct frame f;

	frame_init(&f, s, data, len);
	got = parse_over(&f, 0xaa, &part);
	if (f.pkt.linear < 14) {
		HOLDS(got == NPK_IGN_L2_TRUNCATED);
	} else if (f.pull_failed) {
		if (!got)
			check_accounted(&part, &f.pkt);
	} else {
		HOLDS(got == ign);
		if (!got)
			check_same(&part, whole);
	}
	frame_free(&f);
}

/* The same frame without what follows the IP packet. */
static void check_cut(const struct shape *s, const uint8_t *data, const struct result *whole)
{
	u32 end = whole->pkt.l3_off + whole->pkt.ip_len;
	struct result part;
	struct frame f;

	/* a jumbo length that ends inside its own option tells nothing */
	if (end >= whole->pkt.captured || whole->pkt.jumbo || whole->pkt.gso_size)
		return;
	frame_init(&f, s, data, end);
	f.pkt.wire_len = whole->pkt.wire_len;
	HOLDS(parse_over(&f, 0xaa, &part) == NPK_IGN_NONE);
	check_same(&part, whole);
	frame_free(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct shape s, linear;
	struct result whole, again;
	enum npk_ignored ign;
	struct frame f;

	s = next_shape(&in);
	linear = s;
	linear.flags &= (uint8_t)~(SHAPE_PULL | SHAPE_FAIL);
	frame_init(&f, &linear, in.data, in.len);
	ign = parse_over(&f, 0x55, &whole);
	HOLDS(parse_over(&f, 0xaa, &again) == ign);
	if (!ign) {
		check_accounted(&whole, &f.pkt);
		check_same(&whole, &again);
		check_cut(&linear, in.data, &whole);
	}
	if (s.flags & SHAPE_PULL)
		check_pulled(&s, in.data, in.len, ign, &whole);
	frame_free(&f);
	return 0;
}
