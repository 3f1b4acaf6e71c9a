/* SPDX-License-Identifier: GPL-2.0-only */
/* Other options while the daemon runs. */
#ifndef PROBE_RELOAD_H
#define PROBE_RELOAD_H

#include <stdbool.h>

#include "export.h"
#include "lookup.h"
#include "opts.h"

/**
 * struct reload - options that are to take the place of those in force
 * @pending: there are such
 * @next: them
 * @lookups: by collector of @next: question for its addresses on its way, or NULL
 * @lists: the answers, or NULL where nothing was asked
 */
struct reload {
	bool pending;
	struct opts next;
	struct lookup *lookups[NPK_COLLECTORS_MAX];
	struct addrinfo *lists[NPK_COLLECTORS_MAX];
};

/**
 * reload_begin() - read the options again
 * @r: zeroed at first; what was pending before is forgotten
 * @now: those in force
 * @x: destinations by them
 * @argc: as main()'s
 * @argv: as main()'s
 *
 * Says on stderr what is wrong, and by name what cannot change; that is kept.  Names
 * of new collectors are looked up without waiting for it.
 */
void reload_begin(struct reload *r, const struct opts *now, const struct export *x, int argc,
		  char **argv);

/**
 * reload_forget() - free everything
 * @r: zeroed or begun
 */
void reload_forget(struct reload *r);

/**
 * reload_ready() - can the new options take effect
 * @r: zeroed or begun
 *
 * Return: true once all addresses are known.  With one that cannot be known the
 * options are forgotten, which is said.
 */
bool reload_ready(struct reload *r);

/**
 * reload_finish() - the new options take the place of those in force
 * @r: ready; nothing is pending afterwards
 * @now: those in force, replaced
 * @x: destinations by @now; no record waits for any of them
 *
 * Either all changes or nothing: what is wrong is said then.  Collectors whose name
 * stays go on with their stream.
 *
 * Return: true when it all changed.
 */
bool reload_finish(struct reload *r, struct opts *now, struct export *x);

#endif /* PROBE_RELOAD_H */
