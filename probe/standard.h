/* SPDX-License-Identifier: GPL-2.0-only */
/* Standard input, output and error. */
#ifndef PROBE_STANDARD_H
#define PROBE_STANDARD_H

/**
 * standard_files_keep() - those that are closed become /dev/null
 *
 * A descriptor below 3 that is free would become a socket somebody prints to.
 */
void standard_files_keep(void);

#endif /* PROBE_STANDARD_H */
