// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "buf.h"
#include "decode.h"

#define US_PER_MS	1000

void npk_decode_init(struct npk_rec *rec)
{
	memset(rec, 0, sizeof(*rec));
	rec->vlan = NPK_VLAN_NONE;
	rec->vlan2 = NPK_VLAN_NONE;
}

/* Into a member of @size octets; what does not fit is the largest that does. */
static void store(uint8_t *member, unsigned int size, uint64_t v)
{
	uint64_t max = size < 8 ? (UINT64_C(1) << (8 * size)) - 1 : UINT64_MAX;
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;

	if (v > max)
		v = max;
	v8 = (uint8_t)v;
	v16 = (uint16_t)v;
	v32 = (uint32_t)v;
	switch (size) {
	case 1:
		memcpy(member, &v8, 1);
		break;
	case 2:
		memcpy(member, &v16, 2);
		break;
	case 4:
		memcpy(member, &v32, 4);
		break;
	default:
		memcpy(member, &v, 8);
		break;
	}
}

static void store_times(uint8_t *member, unsigned int size, uint64_t v, uint64_t factor)
{
	store(member, size, v > UINT64_MAX / factor ? UINT64_MAX : v * factor);
}

/* Where a record has the addresses of both IP versions, those of the other one are zero. */
static void address(struct npk_rec *rec, uint8_t *member, unsigned int version, const uint8_t *data,
		    size_t len)
{
	static const uint8_t none[16];

	if (len != (version == 6 ? 16 : 4))
		return;
	if (!rec->ip_version)
		rec->ip_version = (uint8_t)version;
	if (!memcmp(data, none, len))
		return;
	rec->ip_version = (uint8_t)version;
	memcpy(member, data, len);
}

/* Times before 1970 are none. */
static uint64_t uptime(const struct npk_decode_clock *clock, uint32_t uptime_ms)
{
	int64_t ms = clock->unix_ms - (int32_t)(clock->uptime_ms - uptime_ms);

	return ms > 0 ? (uint64_t)ms * NPK_NS_PER_MS : 0;
}

static void mpls(struct npk_rec *rec, uint8_t *member, uint64_t label)
{
	unsigned int depth = (unsigned int)(member - (uint8_t *)rec->mpls) / 4 + 1;

	if (!label)
		return;
	store_times(member, 4, label, 1 << 8);
	if (rec->nr_mpls < depth)
		rec->nr_mpls = (uint8_t)depth;
}

static void number(struct npk_rec *rec, const struct npk_ie *ie,
		   const struct npk_decode_clock *clock, uint64_t v)
{
	uint8_t *member = (uint8_t *)rec + ie->offset;

	switch ((enum npk_ie_kind)ie->kind) {
	case NPK_IE_QUANTITY:
	case NPK_IE_IDENT:
	case NPK_IE_FLAGS:
		store(member, ie->size, v);
		break;
	case NPK_IE_VLAN:
		if (v)
			store(member, 2, v);
		break;
	case NPK_IE_MPLS:
		mpls(rec, member, v);
		break;
	case NPK_IE_UPTIME:
		store(member, 8, uptime(clock, (uint32_t)v));
		break;
	case NPK_IE_UNIX_S:
		store_times(member, 8, v, NPK_NS_PER_S);
		break;
	case NPK_IE_UNIX_MS:
		store_times(member, 8, v, NPK_NS_PER_MS);
		break;
	case NPK_IE_MS:
		store_times(member, 4, v, US_PER_MS);
		break;
	case NPK_IE_HALF_MS:
		store_times(member, 4, v, 2 * US_PER_MS);
		break;
	default:	/* durations follow from the times, ICMP's type from the port */
		break;
	}
}

void npk_decode_field(struct npk_rec *rec, const struct npk_ie *ie,
		      const struct npk_decode_clock *clock, const uint8_t *data, size_t len)
{
	uint8_t *member = (uint8_t *)rec + ie->offset;

	/* the addresses tell it: one that contradicts them, or is neither, is not believed */
	if (ie->offset == offsetof(struct npk_rec, ip_version))
		return;
	switch ((enum npk_ie_kind)ie->kind) {
	case NPK_IE_OCTETS:
		if (len == ie->len)
			memcpy(member, data, len);
		break;
	case NPK_IE_IPV4:
		address(rec, member, 4, data, len);
		break;
	case NPK_IE_IPV6:
		address(rec, member, 6, data, len);
		break;
	default:
		if (len >= 1 && len <= 8)
			number(rec, ie, clock, npk_get_be(data, (unsigned int)len));
		break;
	}
}
