/* SPDX-License-Identifier: GPL-2.0-only */
/* Which interface indices records are exported with: -u, -Q, --if-map, --vlanid-as-iface-idx. */
#ifndef PROBE_INTERFACES_H
#define PROBE_INTERFACES_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nprobe_k.h>

#include "ifnames.h"

/** INTERFACES_MAX - devices --if-map may name */
#define INTERFACES_MAX	64

/** IFACE_OWN - -u, -Q: the record's own index */
#define IFACE_OWN	(-2)

/** IFACE_MAC - -u, -Q: the last two octets of the MAC address of that side */
#define IFACE_MAC	(-1)

/**
 * enum iface_vlan - what a VLAN id is as an interface index
 * @IFACE_VLAN_OFF: nothing
 * @IFACE_VLAN_INNER: both indices are the id of the innermost tag
 * @IFACE_VLAN_OUTER: both indices are the id of the outermost tag
 * @IFACE_VLAN_SINGLE: the outermost tag's: an even id E is the way out (0, E), an
 *	odd one O the way in (O - 1, 0)
 * @IFACE_VLAN_DOUBLE: the outermost tag's: (E + 1, E), (O - 1, O)
 */
enum iface_vlan {
	IFACE_VLAN_OFF,
	IFACE_VLAN_INNER,
	IFACE_VLAN_OUTER,
	IFACE_VLAN_SINGLE,
	IFACE_VLAN_DOUBLE,
};

/**
 * struct iface_name - one entry of --if-map
 * @name: device
 * @index: what it is exported as
 */
struct iface_name {
	char name[IF_NAMESIZE];
	uint32_t index;
};

/**
 * struct iface_rules - what the user asked for
 * @in: -u: an index, IFACE_OWN or IFACE_MAC
 * @out: -Q, likewise
 * @vlan: --vlanid-as-iface-idx; it has the last word
 * @nr_names: entries of @names
 * @names: --if-map; where @in and @out are IFACE_OWN
 */
struct iface_rules {
	int64_t in;
	int64_t out;
	enum iface_vlan vlan;
	unsigned int nr_names;
	struct iface_name names[INTERFACES_MAX];
};

/**
 * struct interfaces - the rules at work
 * @rules: what to do
 * @own: index of the host's device of each entry of @rules.names, 0: none yet; a
 *	device that went keeps its index until the name has another
 * @there: by the same number: the device exists now
 * @looked_ms: when that was looked up
 * @copies: records with other indices, by their number modulo @nr_copies
 * @nr_copies: how many; not fewer than records can be in use at once
 */
struct interfaces {
	struct iface_rules rules;
	unsigned int own[INTERFACES_MAX];
	bool there[INTERFACES_MAX];
	uint64_t looked_ms;
	struct npk_rec *copies;
	size_t nr_copies;
};

/**
 * interfaces_set() - put rules to work, or others than before
 * @i: zeroed at first; interfaces_close() it
 * @rules: copied
 * @nr_copies: records in use at once, always the same number
 *
 * Return: 0 or -ENOMEM (the rules before are kept).
 */
int interfaces_set(struct interfaces *i, const struct iface_rules *rules, size_t nr_copies);

/**
 * interfaces_close() - free everything
 * @i: zeroed or set
 */
void interfaces_close(struct interfaces *i);

/**
 * interfaces_look() - notice devices that came, went or changed their name
 * @i: set
 * @now_ms: monotonic milliseconds; looks once a second at most
 */
void interfaces_look(struct interfaces *i, uint64_t now_ms);

/**
 * interfaces_apply() - a record with the indices it is exported with
 * @i: set
 * @rec: record
 * @nr: its number in the order of reading
 *
 * Return: @rec itself without rules, else a copy that is overwritten by record
 * @nr + nr_copies.
 */
const struct npk_rec *interfaces_apply(struct interfaces *i, const struct npk_rec *rec,
				       uint64_t nr);

/**
 * interfaces_name() - note which interfaces a record is about
 * @i: set
 * @rec: record
 * @exported: the same with the indices it is exported with
 * @names: where
 *
 * An index that is a rule's, and no device's, has no name.
 */
void interfaces_name(const struct interfaces *i, const struct npk_rec *rec,
		     const struct npk_rec *exported, struct ifnames *names);

#endif /* PROBE_INTERFACES_H */
