/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration file. */
#ifndef PROBE_CONFIG_H
#define PROBE_CONFIG_H

#include "option.h"

/**
 * config_read() - read options from a file, one a line
 * @p: state
 * @name: path of the file
 *
 * Says on stderr what is wrong, as "FILE:LINE: sentence".
 *
 * Return: -1 to go on, else the code to exit with.
 */
int config_read(struct parse *p, const char *name);

#endif /* PROBE_CONFIG_H */
