/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Between the Ethernet header and IP. */
#ifndef NPK_CORE_LINK_H
#define NPK_CORE_LINK_H

#include "parse.h"

/* EtherTypes of what the meter is after (IANA) */
#define NPK_ETHERTYPE_IP4	0x0800
#define NPK_ETHERTYPE_IP6	0x86dd

/* VLAN identifier of a tag's control information, IEEE 802.1Q */
#define NPK_VID_MASK		0x0fff

/**
 * npk_link_shim() - step over one header that is not IP
 * @pkt: frame; tags and labels are noted in its key
 * @off: in: where the header begins, out: where the next one does
 * @type: in: EtherType (or 802.3 length) of the header, out: of the next one
 * @nr_tags: VLAN tags so far, counted on
 *
 * To be called until @type is IPv4 or IPv6; that ends because every step consumes
 * octets, and tags and labels are bounded.
 *
 * Context: Any. Never sleeps.
 * Return: NPK_IGN_NONE, or why the frame is ignored.
 */
enum npk_ignored npk_link_shim(struct npk_pkt *pkt, u32 *off, u16 *type, u32 *nr_tags);

#endif /* NPK_CORE_LINK_H */
