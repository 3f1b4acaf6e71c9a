/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The clock of a record source, as the encoders need it. */
#ifndef NPK_CLOCK_H
#define NPK_CLOCK_H

#include <stdint.h>

/**
 * struct npk_clock - a moment on the clock that stamps the records
 * @now_ns: the source's clock, nanoseconds; monotonic for live sources, the
 *	capture's own time for files
 * @offset_ns: what to add to a time of that clock to get nanoseconds since 1970
 * @boot_ns: when sysUptime was 0, on the source's clock; records may be older.  After
 *	2^32 milliseconds sysUptime goes back to two days, again and again
 */
struct npk_clock {
	uint64_t now_ns;
	int64_t offset_ns;
	uint64_t boot_ns;
};

#endif /* NPK_CLOCK_H */
