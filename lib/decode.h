/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From octets of a field back to a record: the way of ie.c in reverse. */
#ifndef NPK_LIB_DECODE_H
#define NPK_LIB_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "ie.h"

/**
 * struct npk_decode_clock - times of a header
 * @unix_ms: milliseconds since 1970
 * @uptime_ms: sysUptime of the same moment
 */
struct npk_decode_clock {
	int64_t unix_ms;
	uint32_t uptime_ms;
};

/**
 * npk_decode_init() - an empty record
 * @rec: out: all zero, no VLAN tags
 */
void npk_decode_init(struct npk_rec *rec);

/**
 * npk_decode_field() - put a field into a record
 * @rec: record
 * @ie: element
 * @clock: of the datagram
 * @data: octets
 * @len: how many; a length that the element cannot have leaves the record as it is
 */
void npk_decode_field(struct npk_rec *rec, const struct npk_ie *ie,
		      const struct npk_decode_clock *clock, const uint8_t *data, size_t len);

#endif /* NPK_LIB_DECODE_H */
