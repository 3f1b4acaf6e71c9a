/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a table entry to the record that user space reads. */
#ifndef NPK_CORE_RECORD_H
#define NPK_CORE_RECORD_H

#include "flow.h"

/**
 * npk_record_fill() - write the record of a flow
 * @rec: every octet of it is written, so nothing of what was there leaks
 * @flow: entry in use
 * @reason: enum npk_end_reason
 * @conv_hash: npk_key_conv() of the flow's key
 * @seq: number of the record in its stream
 *
 * Context: Any; the caller holds the table's lock. Never sleeps.
 */
void npk_record_fill(struct npk_rec *rec, const struct npk_flow *flow, u8 reason, u64 conv_hash,
		     u64 seq);

#endif /* NPK_CORE_RECORD_H */
