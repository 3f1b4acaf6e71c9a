/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PROBE_PRIVILEGES_H
#define PROBE_PRIVILEGES_H

#include <stdbool.h>

/**
 * privileges_drop() - give up what starting needed
 * @reopen: the module's device node has to be opened again when it returns
 *
 * As root: becomes user nprobe-k, or nobody where there is none.  With @reopen and
 * no user nprobe-k it stays the owner of the node, user 0, but without a single
 * capability.  For anybody else nothing is to be done.
 *
 * Return: -1 to go on, else the code to exit with.
 */
int privileges_drop(bool reopen);

#endif /* PROBE_PRIVILEGES_H */
