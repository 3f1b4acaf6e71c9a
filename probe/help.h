/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PROBE_HELP_H
#define PROBE_HELP_H

/**
 * help_print() - what --help says, from the table of options
 */
void help_print(void);

#endif /* PROBE_HELP_H */
