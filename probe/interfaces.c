// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "interfaces.h"

#define LOOK_MS		1000

static bool any_rule(const struct iface_rules *r)
{
	return r->in != IFACE_OWN || r->out != IFACE_OWN || r->vlan || r->nr_names;
}

int interfaces_set(struct interfaces *i, const struct iface_rules *rules, size_t nr_copies)
{
	/* kept when the rules go: records in use may point there */
	if (any_rule(rules) && !i->copies) {
		i->copies = calloc(nr_copies, sizeof(*i->copies));
		if (!i->copies)
			return -ENOMEM;
		i->nr_copies = nr_copies;
	}
	i->rules = *rules;
	memset(i->own, 0, sizeof(i->own));
	memset(i->there, 0, sizeof(i->there));
	i->looked_ms = 0;
	return 0;
}

void interfaces_close(struct interfaces *i)
{
	free(i->copies);
	memset(i, 0, sizeof(*i));
}

void interfaces_look(struct interfaces *i, uint64_t now_ms)
{
	unsigned int n, index;

	if (!i->rules.nr_names || (i->looked_ms && now_ms - i->looked_ms < LOOK_MS))
		return;
	i->looked_ms = now_ms;
	for (n = 0; n < i->rules.nr_names; n++) {
		index = if_nametoindex(i->rules.names[n].name);
		i->there[n] = index;
		if (index)
			i->own[n] = index;
	}
}

/* A device that is there before one that went: renaming hands an index on. */
static uint32_t map_index(const struct interfaces *i, uint32_t index)
{
	uint32_t gone = index;
	unsigned int n;

	if (!index)
		return 0;
	for (n = 0; n < i->rules.nr_names; n++) {
		if (i->own[n] != index)
			continue;
		if (i->there[n])
			return i->rules.names[n].index;
		gone = i->rules.names[n].index;
	}
	return gone;
}

static uint32_t choose(const struct interfaces *i, int64_t rule, uint32_t index,
		       const uint8_t mac[6])
{
	if (rule == IFACE_MAC)
		return (uint32_t)mac[4] << 8 | mac[5];
	return rule == IFACE_OWN ? map_index(i, index) : (uint32_t)rule;
}

/* Frames without a tag have both indices 0. */
static void from_vlan(struct npk_rec *rec, enum iface_vlan rule)
{
	uint32_t id = rec->vlan;
	bool odd;

	if (rule == IFACE_VLAN_INNER && rec->vlan2 != NPK_VLAN_NONE)
		id = rec->vlan2;
	rec->in_if = 0;
	rec->out_if = 0;
	if (id == NPK_VLAN_NONE)
		return;
	odd = id & 1;
	if (rule == IFACE_VLAN_INNER || rule == IFACE_VLAN_OUTER) {
		rec->in_if = id;
		rec->out_if = id;
	} else if (rule == IFACE_VLAN_SINGLE) {
		rec->in_if = odd ? id - 1 : 0;
		rec->out_if = odd ? 0 : id;
	} else {
		rec->in_if = odd ? id - 1 : id + 1;
		rec->out_if = id;
	}
}

const struct npk_rec *interfaces_apply(struct interfaces *i, const struct npk_rec *rec,
				       uint64_t nr)
{
	const struct iface_rules *r = &i->rules;
	struct npk_rec *copy;

	if (!any_rule(r))
		return rec;
	copy = &i->copies[nr % i->nr_copies];
	*copy = *rec;
	if (r->vlan) {
		from_vlan(copy, r->vlan);
		return copy;
	}
	copy->in_if = choose(i, r->in, rec->in_if, rec->smac);
	copy->out_if = choose(i, r->out, rec->out_if, rec->dmac);
	return copy;
}

void interfaces_name(const struct interfaces *i, const struct npk_rec *rec,
		     const struct npk_rec *exported, struct ifnames *names)
{
	if (i->rules.vlan)
		return;
	if (i->rules.in == IFACE_OWN)
		ifnames_meet(names, rec->in_if, exported->in_if);
	if (i->rules.out == IFACE_OWN)
		ifnames_meet(names, rec->out_if, exported->out_if);
}
