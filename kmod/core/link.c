// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Between the Ethernet header and IP: VLAN tags, LLC, MPLS, PPPoE. */
#include "cursor.h"
#include "link.h"

/* IEEE 802 numbers, EtherTypes (IANA) */
#define ETHERTYPE_VLAN		0x8100	/* 802.1Q C-tag */
#define ETHERTYPE_SVLAN		0x88a8	/* 802.1ad S-tag */
#define ETHERTYPE_OLD_QINQ	0x9100	/* before 802.1ad */
#define ETHERTYPE_MPLS		0x8847
#define ETHERTYPE_MPLS_UP	0x8848	/* upstream-assigned, RFC 5332 */
#define ETHERTYPE_PPPOE		0x8864	/* session stage, RFC 2516 */
#define ETHERTYPE_MIN		0x0600	/* below: an 802.3 length */

/* PPP protocol numbers (IANA) */
#define PPP_IP4			0x0021
#define PPP_IP6			0x0057
#define PPP_MPLS		0x0281

#define MAX_TAGS		3	/* the innermost of three is not in the key */
#define MAX_LABELS		10

static enum npk_ignored parse_vlan(struct npk_pkt *pkt, u32 *off, u16 *type, u32 nr_tags)
{
	u8 buf[4];
	const u8 *p = npk_at(pkt, *off, 4, buf);
	u16 vid;

	if (nr_tags == MAX_TAGS)
		return NPK_IGN_TOO_MANY_TAGS;
	if (!p)
		return NPK_IGN_L2_TRUNCATED;
	vid = npk_load_be16(p) & NPK_VID_MASK;
	if (nr_tags == 0)
		pkt->key.vlan = vid;
	else if (nr_tags == 1)
		pkt->key.vlan2 = vid;
	*off += 4;
	*type = npk_load_be16(p + 2);
	return NPK_IGN_NONE;
}

/* 802.3: LLC with SNAP, or LLC with IP's own service access point. */
static enum npk_ignored parse_llc(struct npk_pkt *pkt, u32 *off, u16 *type)
{
	u8 buf[8];
	const u8 *p = npk_at(pkt, *off, 3, buf);

	if (!p)
		return NPK_IGN_L2_TRUNCATED;
	if (p[0] == 0x06 && p[1] == 0x06 && p[2] == 0x03) {
		*off += 3;
		*type = NPK_ETHERTYPE_IP4;
		return NPK_IGN_NONE;
	}
	if (p[0] != 0xaa || p[1] != 0xaa || p[2] != 0x03)
		return NPK_IGN_NOT_IP;
	p = npk_at(pkt, *off, 8, buf);
	if (!p)
		return NPK_IGN_L2_TRUNCATED;
	/* OUI 0 (RFC 1042) or the bridge-tunnel 00-00-f8 (802.1H) */
	if (p[3] || p[4] || (p[5] && p[5] != 0xf8))
		return NPK_IGN_NOT_IP;
	*off += 8;
	*type = npk_load_be16(p + 6);
	return *type < ETHERTYPE_MIN ? NPK_IGN_NOT_IP : NPK_IGN_NONE;
}

/*
 * RFC 3032 label stack.  Nothing says what is below it: the first nibble is
 * the IP version, 0 and 1 are a pseudo-wire (RFC 4385).
 */
static enum npk_ignored parse_mpls(struct npk_pkt *pkt, u32 *off, u16 *type)
{
	u8 buf[4];
	const u8 *p;
	u32 entry;

	do {
		if (pkt->nr_mpls == MAX_LABELS)
			return NPK_IGN_MPLS_TOO_DEEP;
		p = npk_at(pkt, *off, 4, buf);
		if (!p)
			return NPK_IGN_L2_TRUNCATED;
		entry = npk_load_be32(p);
		if (!pkt->nr_mpls)
			pkt->key.mpls = entry >> 12;
		if (pkt->nr_mpls < NPK_MPLS_MAX)
			pkt->mpls[pkt->nr_mpls] = entry;
		pkt->nr_mpls++;
		*off += 4;
	} while (!(entry & 0x100));

	p = npk_at(pkt, *off, 1, buf);
	if (!p)
		return NPK_IGN_L2_TRUNCATED;
	if (p[0] >> 4 != 4 && p[0] >> 4 != 6)
		return NPK_IGN_MPLS_NOT_IP;
	*type = p[0] >> 4 == 4 ? NPK_ETHERTYPE_IP4 : NPK_ETHERTYPE_IP6;
	return NPK_IGN_NONE;
}

/* RFC 2516 session data: version and type 1, code 0, then PPP. */
static enum npk_ignored parse_pppoe(struct npk_pkt *pkt, u32 *off, u16 *type)
{
	u8 buf[8];
	const u8 *p = npk_at(pkt, *off, 8, buf);
	u16 proto;

	if (!p)
		return NPK_IGN_L2_TRUNCATED;
	if (p[0] != 0x11 || p[1])
		return NPK_IGN_PPPOE_NOT_IP;
	proto = npk_load_be16(p + 6);
	*off += 8;
	if (proto & 0x0100) {	/* compressed to one octet, RFC 1661 section 6.5 */
		proto >>= 8;
		*off -= 1;
	}
	switch (proto) {
	case PPP_IP4:
		*type = NPK_ETHERTYPE_IP4;
		return NPK_IGN_NONE;
	case PPP_IP6:
		*type = NPK_ETHERTYPE_IP6;
		return NPK_IGN_NONE;
	case PPP_MPLS:
		*type = ETHERTYPE_MPLS;
		return NPK_IGN_NONE;
	}
	return NPK_IGN_PPPOE_NOT_IP;
}

enum npk_ignored npk_link_shim(struct npk_pkt *pkt, u32 *off, u16 *type, u32 *nr_tags)
{
	switch (*type) {
	case ETHERTYPE_VLAN:
	case ETHERTYPE_SVLAN:
	case ETHERTYPE_OLD_QINQ:
		return parse_vlan(pkt, off, type, (*nr_tags)++);
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_UP:
		return parse_mpls(pkt, off, type);
	case ETHERTYPE_PPPOE:
		return parse_pppoe(pkt, off, type);
	}
	if (*type >= ETHERTYPE_MIN)
		return NPK_IGN_NOT_IP;
	return parse_llc(pkt, off, type);
}
