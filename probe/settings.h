/* SPDX-License-Identifier: GPL-2.0-only */
/* From options to the library's settings. */
#ifndef PROBE_SETTINGS_H
#define PROBE_SETTINGS_H

#include <npk/enc.h>
#include <npk/npk.h>

#include "option.h"

/** NS_PER_S - nanoseconds of a second */
#define NS_PER_S	1000000000ULL

/**
 * settings_source() - the source the user asked for
 * @o: options
 * @so: out; points into @o
 */
void settings_source(const struct opts *o, struct npk_source_opts *so);

/**
 * settings_stream() - the export stream the user asked for
 * @o: options
 * @eo: out; points into @o
 */
void settings_stream(const struct opts *o, struct npk_enc_opts *eo);

/**
 * settings_same_stream() - do two sets of options ask for the same stream
 * @a: options
 * @b: options
 *
 * Return: true when a stream by @a is one by @b.
 */
bool settings_same_stream(const struct opts *a, const struct opts *b);

/**
 * settings_check() - let the library judge options that opening alone would find wrong
 * @p: state, everything read; says what is wrong
 *
 * Opens nothing.
 *
 * Return: -1 to go on, else the code to exit with.
 */
int settings_check(const struct parse *p);

#endif /* PROBE_SETTINGS_H */
