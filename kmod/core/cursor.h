/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the dissectors read a frame: nothing that was not granted. */
#ifndef NPK_CORE_CURSOR_H
#define NPK_CORE_CURSOR_H

#include "parse.h"

/**
 * npk_at() - octets of a frame
 * @pkt: frame
 * @off: offset from its start
 * @len: octets wanted, at most NPK_PULL_MAX
 * @buf: room for @len octets, used when they are not in the linear part
 *
 * Return: the octets, or NULL when the frame ends before.
 */
static __always_inline const u8 *npk_at(const struct npk_pkt *pkt, u32 off, u32 len, u8 *buf)
{
	if (likely(off + len <= pkt->linear))
		return pkt->data + off;
	if (!pkt->pull || off + len > pkt->captured)
		return NULL;
	return pkt->pull(pkt, off, len, buf) ? buf : NULL;
}

#endif /* NPK_CORE_CURSOR_H */
