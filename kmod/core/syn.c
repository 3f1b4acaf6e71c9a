// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cursor.h"
#include "tcp.h"

#define TCP_HLEN	20
#define OPTIONS_MAX	40	/* data offset is at most 15 words */

/* TCP option kinds (IANA) */
#define OPT_EOL		0
#define OPT_NOP		1
#define OPT_MSS		2
#define OPT_WSCALE	3
#define OPT_SACK_OK	4
#define OPT_SACK	5
#define OPT_TIMESTAMP	8

#define WSCALE_MAX	14	/* RFC 7323 section 2.3 */

NPK_STATIC_ASSERT(sizeof(struct npk_syn) == 16);
NPK_STATIC_ASSERT(OPTIONS_MAX <= NPK_PULL_MAX);

/**
 * struct layout - options on their way into struct npk_syn
 * @syn: where they go
 * @nr: options so far
 * @is_syn: not a SYN+ACK
 */
struct layout {
	struct npk_syn *syn;
	u32 nr;
	bool is_syn;
};

static void add_option(struct layout *l, enum npk_syn_option option)
{
	if (l->nr == NPK_SYN_OPTIONS_MAX)
		l->syn->flags |= NPK_SYN_MORE;
	else
		l->syn->options |= (u32)option << 4 * l->nr++;
}

/* Lengths of the options that have one, RFC 9293, RFC 2018, RFC 7323. */
static u32 right_len(u8 kind, u32 len)
{
	switch (kind) {
	case OPT_MSS:
		return 4;
	case OPT_WSCALE:
		return 3;
	case OPT_SACK_OK:
		return 2;
	case OPT_TIMESTAMP:
		return 10;
	}
	return len;
}

static void read_value(struct layout *l, const u8 *p)
{
	struct npk_syn *syn = l->syn;

	if (p[0] == OPT_MSS) {
		syn->flags |= NPK_SYN_MSS;
		syn->mss = npk_load_be16(p + 2);
	} else if (p[0] == OPT_WSCALE) {
		syn->flags |= NPK_SYN_WSCALE;
		syn->wscale = p[2];
		if (p[2] > WSCALE_MAX)
			syn->quirks |= NPK_QUIRK_EXWS;
	} else if (p[0] == OPT_TIMESTAMP) {
		if (!npk_load_be32(p + 2))
			syn->quirks |= NPK_QUIRK_TS1_MINUS;
		if (l->is_syn && npk_load_be32(p + 6))
			syn->quirks |= NPK_QUIRK_TS2_PLUS;
	}
}

/* An option that fits; @len includes kind and length. */
static void read_option(struct layout *l, const u8 *p, u32 len)
{
	bool known = (p[0] >= OPT_MSS && p[0] <= OPT_SACK) || p[0] == OPT_TIMESTAMP;

	add_option(l, known ? (enum npk_syn_option)p[0] : NPK_SYN_OPT_OTHER);
	if (len == right_len(p[0], len))
		read_value(l, p);
	else
		l->syn->flags |= NPK_SYN_BAD;
}

static void end_of_list(struct layout *l, const u8 *p, u32 left)
{
	u32 i;

	add_option(l, NPK_SYN_OPT_EOL);
	l->syn->eol_pad = left - 1;
	for (i = 1; i < left; i++) {
		if (p[i])
			l->syn->quirks |= NPK_QUIRK_OPT_PLUS;
	}
}

static void read_options(struct layout *l, const u8 *p, u32 len)
{
	u32 off = 0;

	while (off < len) {
		if (p[off] == OPT_EOL) {
			end_of_list(l, p + off, len - off);
			return;
		}
		if (p[off] == OPT_NOP) {
			add_option(l, NPK_SYN_OPT_NOP);
			off++;
			continue;
		}
		if (off + 2 > len || p[off + 1] < 2 || off + p[off + 1] > len) {
			l->syn->flags |= NPK_SYN_BAD;
			return;
		}
		read_option(l, p + off, p[off + 1]);
		off += p[off + 1];
	}
}

/* From the header itself: the key may have been told to leave the type of service out. */
static void read_ip(struct npk_syn *syn, const struct npk_pkt *pkt)
{
	u8 buf[8];
	const u8 *ip = npk_at(pkt, pkt->l3_off, sizeof(buf), buf);
	bool v4 = pkt->key.ip_version == 4;
	u16 frag;

	if (!ip)
		return;
	if ((v4 ? ip[1] : ip[1] >> 4) & 3)
		syn->quirks |= NPK_QUIRK_ECN;
	if (!v4) {
		syn->quirks |= pkt->flow_label ? NPK_QUIRK_FLOW : 0;
		return;
	}
	syn->ip_options = (ip[0] & 0x0f) * 4 - 20;
	frag = npk_load_be16(ip + 6);
	if (frag & 0x4000)
		syn->quirks |= NPK_QUIRK_DF | (npk_load_be16(ip + 4) ? NPK_QUIRK_ID_PLUS : 0);
	else if (!npk_load_be16(ip + 4))
		syn->quirks |= NPK_QUIRK_ID_MINUS;
	if (frag & 0x8000)
		syn->quirks |= NPK_QUIRK_ZERO_PLUS;
}

static u16 tcp_quirks(const struct npk_pkt *pkt, u16 urgent)
{
	u16 flags = pkt->tcp_flags;
	u16 quirks = 0;

	if (flags & (NPK_TCP_ECE | NPK_TCP_CWR | NPK_TCP_NS))
		quirks |= NPK_QUIRK_ECN;
	if (!pkt->seq)
		quirks |= NPK_QUIRK_SEQ_MINUS;
	if (flags & NPK_TCP_ACK && !pkt->ack)
		quirks |= NPK_QUIRK_ACK_MINUS;
	if (!(flags & NPK_TCP_ACK) && pkt->ack)
		quirks |= NPK_QUIRK_ACK_PLUS;
	if (flags & NPK_TCP_URG)
		quirks |= NPK_QUIRK_URGF_PLUS;
	else if (urgent)
		quirks |= NPK_QUIRK_UPTR_PLUS;
	if (flags & NPK_TCP_PSH)
		quirks |= NPK_QUIRK_PUSHF_PLUS;
	return quirks;
}

void npk_syn_read(struct npk_syn *syn, const struct npk_pkt *pkt)
{
	struct layout l = { .syn = syn, .is_syn = !(pkt->tcp_flags & NPK_TCP_ACK) };
	u32 len = pkt->tcp_hlen - TCP_HLEN, all = pkt->tcp_hlen + pkt->payload;
	u32 end = pkt->l3_off + pkt->ip_len;
	u8 buf[OPTIONS_MAX], urgent[2];
	const u8 *p = NULL;

	memset(syn, 0, sizeof(*syn));
	syn->flags = l.is_syn ? NPK_SYN_SEEN : NPK_SYN_SEEN | NPK_SYN_ACK;
	if (pkt->payload)
		syn->flags |= NPK_SYN_PAYLOAD;
	syn->window = pkt->window;
	syn->ttl = pkt->ttl;
	syn->tcp_len = all < 0xff ? all : 0xff;
	if (pkt->l4_off + TCP_HLEN <= end)
		p = npk_at(pkt, pkt->l4_off + 18, sizeof(urgent), urgent);
	syn->quirks = tcp_quirks(pkt, p ? npk_load_be16(p) : 0);
	read_ip(syn, pkt);
	if (!len)
		return;
	p = npk_at(pkt, pkt->l4_off + TCP_HLEN, len, buf);
	if (p && pkt->l4_off + pkt->tcp_hlen <= end)
		read_options(&l, p, len);
	else
		syn->flags |= NPK_SYN_BAD;
}
