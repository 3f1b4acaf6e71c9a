/* SPDX-License-Identifier: GPL-2.0-only */
/* Flow records as text. */
#ifndef PROBE_PRINT_H
#define PROBE_PRINT_H

#include <stdio.h>

#include <npk/npk.h>

#include "opts.h"

/**
 * print_header() - the line of column names, for the formats that have one
 * @out: stream
 * @format: PRINT_CSV or PRINT_JSON
 *
 * Return: how many lines it is, 0 or 1.
 */
unsigned int print_header(FILE *out, enum print_format format);

/**
 * print_record() - one record, one line
 * @out: stream; the caller checks ferror()
 * @format: PRINT_CSV or PRINT_JSON (an object a line)
 * @rec: record
 * @clock: clock of the record's times
 */
void print_record(FILE *out, enum print_format format, const struct npk_rec *rec,
		  const struct npk_clock *clock);

#endif /* PROBE_PRINT_H */
