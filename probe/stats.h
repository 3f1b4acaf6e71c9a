/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon's own accounting, for people and for programs. */
#ifndef PROBE_STATS_H
#define PROBE_STATS_H

#include <stdio.h>

#include <npk/npk.h>

#include "export.h"

/**
 * struct totals - accounting over all destinations
 * @read: records given to destinations, once per collector when mirrored
 * @sent: handed to the system, or printed where there is no collector
 * @failed: in datagrams the system refused
 * @not_exportable: the format cannot carry them
 * @waiting: for their datagram to fill
 * @datagrams: sent
 * @refused: times a collector's host said that nothing listens: datagrams sent, lost
 *
 * read = sent + failed + not_exportable + waiting.
 */
struct totals {
	uint64_t read;
	uint64_t sent;
	uint64_t failed;
	uint64_t not_exportable;
	uint64_t waiting;
	uint64_t datagrams;
	uint64_t refused;
};

/**
 * stats_totals() - add the destinations up
 * @x: destinations
 * @t: out
 */
void stats_totals(const struct export *x, struct totals *t);

/**
 * stats_line() - one sentence for people
 * @out: stream
 * @src: source
 * @x: destinations
 */
void stats_line(FILE *out, const struct npk_source *src, const struct export *x);

/**
 * stats_json() - replace the contents of a file with one JSON object
 * @fd: open for writing; what is not a regular file gets one object after the other
 * @src: source
 * @x: destinations
 *
 * Return: 0 or -errno.
 */
int stats_json(int fd, const struct npk_source *src, const struct export *x);

#endif /* PROBE_STATS_H */
