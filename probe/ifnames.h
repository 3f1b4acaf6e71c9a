/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of the interfaces that records have been about, for options data and records. */
#ifndef PROBE_IFNAMES_H
#define PROBE_IFNAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <npk/enc.h>

/** IFNAMES_CACHE - interfaces that are recognised at first sight */
#define IFNAMES_CACHE	256

/**
 * struct ifnames - interfaces, in the order in which they were met
 * @list: their names, by the index they are exported with
 * @own: and the index they have on this host
 * @nr: how many
 * @room: entries of @list and @own
 * @cache: exported indices that are known, by their low bits
 * @fd: netlink socket, or -1
 * @sequence: of the latest question to it
 */
struct ifnames {
	struct npk_enc_interface *list;
	uint32_t *own;
	size_t nr;
	size_t room;
	uint32_t cache[IFNAMES_CACHE];
	int fd;
	uint32_t sequence;
};

/**
 * ifnames_open() - start without any
 * @n: out; ifnames_close() it
 */
void ifnames_open(struct ifnames *n);

/**
 * ifnames_close() - free everything
 * @n: opened
 */
void ifnames_close(struct ifnames *n);

/**
 * ifnames_add() - an interface, met for the first time or not
 * @n: opened
 * @own: its index on this host
 * @index: the index it is exported with, not 0
 */
void ifnames_add(struct ifnames *n, uint32_t own, uint32_t index);

/**
 * ifnames_meet() - a record is about this interface
 * @n: opened
 * @own: its index on this host; 0: none, nothing happens
 * @index: the index it is exported with, likewise
 */
static inline void ifnames_meet(struct ifnames *n, uint32_t own, uint32_t index)
{
	if (own && index && n->cache[index % IFNAMES_CACHE] != index)
		ifnames_add(n, own, index);
}

/**
 * ifnames_find() - the name of an interface, for npk_enc_opts.if_name
 * @names: struct ifnames
 * @index: the index it is exported with
 *
 * Return: the name, good until another interface is met; NULL when there is none.
 */
const char *ifnames_find(void *names, uint32_t index);

/**
 * ifnames_refresh() - ask for all names again: interfaces are renamed
 * @n: opened; one that is gone keeps its name
 */
void ifnames_refresh(struct ifnames *n);

#endif /* PROBE_IFNAMES_H */
