/* SPDX-License-Identifier: GPL-2.0-only */
/* Flow records as text. */
#ifndef PROBE_PRINT_H
#define PROBE_PRINT_H

#include <npk/npk.h>

#include "opts.h"
#include "printer.h"

/**
 * print_header() - the line of column names, for the formats that have one
 * @p: where to, with room
 * @format: PRINT_CSV or PRINT_JSON
 */
void print_header(struct printer *p, enum print_format format);

/**
 * print_record() - one record, one line
 * @p: where to, with room
 * @format: PRINT_CSV or PRINT_JSON (an object a line)
 * @rec: record
 * @clock: clock of the record's times
 */
void print_record(struct printer *p, enum print_format format, const struct npk_rec *rec,
		  const struct npk_clock *clock);

#endif /* PROBE_PRINT_H */
