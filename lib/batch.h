/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Several packets at a time, so that one waits for memory while others are read. */
#ifndef NPK_LIB_BATCH_H
#define NPK_LIB_BATCH_H

#include "kmod/core/meter.h"

/** NPK_BATCH_PACKETS - most packets of a batch */
#define NPK_BATCH_PACKETS	32

/**
 * npk_meter_packets() - account several frames
 * @m: meter
 * @pkt: frames, the callers' fields set; their results are undefined afterwards
 * @n: how many, at most NPK_BATCH_PACKETS
 *
 * The same as npk_meter_packet() of each in turn, but that what they need of the table is
 * fetched before the first of them is accounted.
 */
void npk_meter_packets(struct npk_meter *m, struct npk_pkt *pkt, u32 n);

#endif /* NPK_LIB_BATCH_H */
