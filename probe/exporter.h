/* SPDX-License-Identifier: GPL-2.0-only */
/* What options data say of the daemon, and when. */
#ifndef PROBE_EXPORTER_H
#define PROBE_EXPORTER_H

#include <npk/npk.h>

#include "collector.h"
#include "growing.h"
#include "ifnames.h"

/**
 * struct exporter - the values that all collectors are told
 * @names: interfaces in the records
 * @sent_ms: when options data were last sent, monotonic milliseconds
 * @named_ms: when the names were last asked for
 * @ignored_packets: that the meter could not read
 * @ignored_octets: of their frames
 * @dropped: frames lost before the meter
 * @lost_records: records that the source lost
 * @lost_packets: packets in them
 * @lost_octets: octets in them
 */
struct exporter {
	struct ifnames names;
	uint64_t sent_ms;
	uint64_t named_ms;
	struct growing ignored_packets;
	struct growing ignored_octets;
	struct growing dropped;
	struct growing lost_records;
	struct growing lost_packets;
	struct growing lost_octets;
};

/**
 * exporter_open() - start with nothing said
 * @e: out; exporter_close() it
 */
void exporter_open(struct exporter *e);

/**
 * exporter_close() - free everything
 * @e: opened
 */
void exporter_close(struct exporter *e);

/**
 * exporter_run() - send options data to the collectors they are due for
 * @e: opened
 * @src: source, whose counters they tell
 * @clock: its clock, now
 * @c: collectors
 * @nr: how many
 * @last: all counters once more, for there will be no later time
 *
 * One datagram for each collector, and no more than ten in a second.
 */
void exporter_run(struct exporter *e, const struct npk_source *src, const struct npk_clock *clock,
		  struct collector *const *c, unsigned int nr, bool last);

#endif /* PROBE_EXPORTER_H */
