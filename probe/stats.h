/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon's own accounting, for people and for programs. */
#ifndef PROBE_STATS_H
#define PROBE_STATS_H

#include <stdio.h>

#include <npk/npk.h>

#include "export.h"

/**
 * stats_add() - add one destination to a sum
 * @t: sum
 * @c: collector
 */
void stats_add(struct totals *t, const struct collector *c);

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
