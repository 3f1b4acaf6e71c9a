/* SPDX-License-Identifier: GPL-2.0-only */
/* From the name of a collector to its addresses, without waiting for it. */
#ifndef PROBE_LOOKUP_H
#define PROBE_LOOKUP_H

#include <stdbool.h>

#include "address.h"

struct addrinfo;

/** struct lookup - a question on its way */
struct lookup;

/**
 * lookup_wait() - look a name up, however long it takes
 * @a: name
 * @list: out: addresses, for freeaddrinfo()
 *
 * Return: 0 or getaddrinfo()'s error.
 */
int lookup_wait(const struct address *a, struct addrinfo **list);

/**
 * lookup_start() - have a name looked up by a thread that lives for this one question
 * @a: name, not kept
 *
 * The thread is made now, so that it has the rights and signals of now.
 *
 * Return: to be asked with lookup_done(), or NULL when there is no memory or thread.
 */
struct lookup *lookup_start(const struct address *a);

/**
 * lookup_done() - is there an answer
 * @l: question; with an answer it is gone
 * @list: out: addresses, for freeaddrinfo(), or NULL when there are none
 *
 * Return: true when there is.
 */
bool lookup_done(struct lookup *l, struct addrinfo **list);

/**
 * lookup_forget() - nobody is interested any more
 * @l: question or NULL
 */
void lookup_forget(struct lookup *l);

#endif /* PROBE_LOOKUP_H */
