// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of information elements, and the compiler and interpreter of plans. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "buf.h"
#include "fingerprint.h"
#include "ie.h"

/* Private enterprise number of ntop, and what its elements get added in v9. */
#define NTOP_PEN	35632
#define NTOP_V9_BASE	57472

/* IANA protocol numbers */
#define PROTO_ICMP	1
#define PROTO_ICMP6	58

/* From the NTP epoch, 1900, to 1970: RFC 7011 section 6.1.9 */
#define NTP_UNIX_S	2208988800ULL

/* Bits of the fraction; of microseconds the low 11 are not to be used (6.1.9). */
#define NTP_US_BITS	21
#define NTP_NS_BITS	32

#define MEMBER_SIZE(member)	sizeof(((struct npk_rec *)NULL)->member)

const struct npk_ie npk_ie_table[__NPK_IE_MAX] = {
#define NPK_IE(_name, _ipfix, _id, _pen, _len, _max, _kind, _member, _text)	\
	[NPK_IE_AT_##_name] = {							\
		.name = #_name,							\
		.ipfix_name = #_ipfix,						\
		.text = _text,							\
		.pen = _pen,							\
		.id = _id,							\
		.offset = offsetof(struct npk_rec, _member),			\
		.size = MEMBER_SIZE(_member),					\
		.len = _len,							\
		.max_len = _max,						\
		.kind = NPK_IE_##_kind,						\
	},
#define NPK_IE_ALIAS(_name, _element)
#include "ie.def"
#undef NPK_IE
#undef NPK_IE_ALIAS
};

/* A template may name every element once. */
_Static_assert(__NPK_IE_MAX <= NPK_PLAN_FIELDS, "NPK_PLAN_FIELDS is too small");

const struct npk_ie_alias npk_ie_aliases[__NPK_IE_ALIAS_MAX] = {
#define NPK_IE(_name, _ipfix, _id, _pen, _len, _max, _kind, _member, _text)
#define NPK_IE_ALIAS(_name, _element) \
	[NPK_IE_ALIAS_AT_##_name] = { #_name, "the same as %" #_element, NPK_IE_AT_##_element },
#include "ie.def"
#undef NPK_IE
#undef NPK_IE_ALIAS
};

static bool is(const char *known, const char *name, size_t len)
{
	return strlen(known) == len && !memcmp(known, name, len);
}

const struct npk_ie *npk_ie_by_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < __NPK_IE_MAX; i++) {
		const struct npk_ie *ie = &npk_ie_table[i];

		if (is(ie->name, name, len) || is(ie->ipfix_name, name, len))
			return ie;
	}
	for (i = 0; i < __NPK_IE_ALIAS_MAX; i++) {
		if (is(npk_ie_aliases[i].name, name, len))
			return &npk_ie_table[npk_ie_aliases[i].at];
	}
	return NULL;
}

const struct npk_ie *npk_ie_by_id(uint32_t pen, uint16_t id)
{
	size_t i;

	for (i = 0; i < __NPK_IE_MAX; i++) {
		if (npk_ie_table[i].pen == pen && npk_ie_table[i].id == id)
			return &npk_ie_table[i];
	}
	return NULL;
}

const struct npk_ie *npk_ie_by_v9_type(uint16_t type)
{
	if (type < NTOP_V9_BASE)
		return npk_ie_by_id(0, type);
	return npk_ie_by_id(NTOP_PEN, (uint16_t)(type - NTOP_V9_BASE));
}

uint16_t npk_ie_v9_type(const struct npk_ie *ie)
{
	if (!ie->pen)
		return ie->id;
	return ie->pen == NTOP_PEN ? (uint16_t)(NTOP_V9_BASE + ie->id) : 0;
}

/*
 * Steps for the commonest cases, chosen when a plan is made: numbers in their
 * full length, and octet strings of fixed length.
 */
enum quick {
	QUICK_U8 = __NPK_IE_KIND_MAX,
	QUICK_U16,
	QUICK_U32,
	QUICK_U64,
	QUICK_OCTETS2,
	QUICK_OCTETS6,
};

static bool may_shrink(const struct npk_ie *ie)
{
	return ie->kind == NPK_IE_QUANTITY || ie->kind == NPK_IE_IDENT || ie->kind == NPK_IE_FLAGS;
}

unsigned int npk_ie_ip_version(const struct npk_ie *ie)
{
	switch ((enum npk_ie_kind)ie->kind) {
	case NPK_IE_IPV4:
	case NPK_IE_ICMP4:
	case NPK_IE_ICMP4_TYPE:
	case NPK_IE_ICMP4_CODE:
		return 4;
	case NPK_IE_IPV6:
	case NPK_IE_ICMP6:
	case NPK_IE_ICMP6_TYPE:
	case NPK_IE_ICMP6_CODE:
		return 6;
	default:
		return ie->offset == offsetof(struct npk_rec, flow_label) ? 6 : 0;
	}
}

uint16_t npk_ie_full_len(const struct npk_ie *ie)
{
	if (!may_shrink(ie))
		return ie->len;
	return ie->size < ie->max_len ? ie->size : ie->max_len;
}

static uint8_t op_code(const struct npk_ie *ie, unsigned int len)
{
	if (ie->kind == NPK_IE_OCTETS && len == 2)
		return QUICK_OCTETS2;
	if (ie->kind == NPK_IE_OCTETS && len == 6)
		return QUICK_OCTETS6;
	if (!may_shrink(ie) || len != ie->size)
		return ie->kind;
	switch (len) {
	case 1:
		return QUICK_U8;
	case 2:
		return QUICK_U16;
	case 4:
		return QUICK_U32;
	default:
		return QUICK_U64;
	}
}

int npk_plan_init(struct npk_plan *plan, const struct npk_field *fields, size_t nr_fields)
{
	unsigned int record_len = 0;
	size_t i;

	if (!nr_fields)
		return -EINVAL;
	if (nr_fields > NPK_PLAN_FIELDS)
		return -E2BIG;
	for (i = 0; i < nr_fields; i++) {
		const struct npk_ie *ie = fields[i].ie;
		unsigned int len = fields[i].len ? fields[i].len : ie->len;

		if (len != ie->len && (!may_shrink(ie) || len > ie->max_len))
			return -EINVAL;
		plan->fields[i].ie = ie;
		plan->fields[i].len = (uint16_t)len;
		plan->ops[i].code = op_code(ie, len);
		plan->ops[i].len = (uint8_t)len;
		plan->ops[i].size = ie->size;
		plan->ops[i].offset = ie->offset;
		record_len += len;
	}
	plan->nr_fields = (uint16_t)nr_fields;
	plan->record_len = (uint16_t)record_len;
	return 0;
}

static uint64_t load(const uint8_t *member, unsigned int size)
{
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (size) {
	case 1:
		return *member;
	case 2:
		memcpy(&v16, member, sizeof(v16));
		return v16;
	case 4:
		memcpy(&v32, member, sizeof(v32));
		return v32;
	default:
		memcpy(&v64, member, sizeof(v64));
		return v64;
	}
}

/* A number in fewer octets than its member has: see enum npk_ie_kind. */
static uint64_t shrink(uint64_t v, enum npk_ie_kind kind, unsigned int len)
{
	uint64_t max = len < 8 ? (UINT64_C(1) << (8 * len)) - 1 : UINT64_MAX;

	if (v <= max)
		return v;
	switch (kind) {
	case NPK_IE_QUANTITY:
		return max;
	case NPK_IE_IDENT:
		return 0;
	default:
		return v & max;
	}
}

static unsigned int icmp(const struct npk_rec *rec, unsigned int proto)
{
	const uint8_t *type_code = (const uint8_t *)&rec->dport;

	return rec->proto == proto ? (unsigned int)type_code[0] << 8 | type_code[1] : 0;
}

static uint64_t duration(const struct npk_rec *rec, const struct npk_times *times,
			 unsigned int unit_ns)
{
	int64_t first = npk_floor_div(npk_times_real_ns(times, rec->first_ns), unit_ns);
	int64_t last = npk_floor_div(npk_times_real_ns(times, rec->last_ns), unit_ns);

	return last > first ? (uint64_t)(last - first) : 0;
}

/*
 * RFC 7011 sections 6.1.9, 6.1.10: seconds since 1900 modulo 2^32, then a binary
 * fraction of @bits bits, left-aligned.  The fraction is rounded up, so that a
 * reader who cuts it to whole units (@per_sec of them) gets the same number back.
 */
static uint64_t ntp(uint64_t real_ns, uint64_t per_sec, unsigned int bits)
{
	uint64_t units = real_ns / (NPK_NS_PER_S / per_sec);
	uint64_t fraction = (((units % per_sec) << bits) + per_sec - 1) / per_sec;

	return (units / per_sec + NTP_UNIX_S) << 32 | fraction << (32 - bits);
}

/* Absolute times: before 1970 there is nothing to say but 0. */
static uint64_t real_time(enum npk_ie_kind kind, const struct npk_times *times, uint64_t t_ns)
{
	int64_t real_ns = npk_times_real_ns(times, t_ns);

	if (real_ns < 0)
		return 0;
	switch (kind) {
	case NPK_IE_UNIX_S:
		return (uint64_t)(real_ns / NPK_NS_PER_S);
	case NPK_IE_UNIX_MS:
		return (uint64_t)(real_ns / NPK_NS_PER_MS);
	case NPK_IE_NTP_US:
		return ntp((uint64_t)real_ns, NPK_US_PER_S, NTP_US_BITS);
	default:
		return ntp((uint64_t)real_ns, NPK_NS_PER_S, NTP_NS_BITS);
	}
}

static uint64_t icmp_part(enum npk_ie_kind kind, const struct npk_rec *rec)
{
	switch (kind) {
	case NPK_IE_ICMP4:
		return icmp(rec, PROTO_ICMP);
	case NPK_IE_ICMP4_TYPE:
		return icmp(rec, PROTO_ICMP) >> 8;
	case NPK_IE_ICMP4_CODE:
		return icmp(rec, PROTO_ICMP) & 0xff;
	case NPK_IE_ICMP6:
		return icmp(rec, PROTO_ICMP6);
	case NPK_IE_ICMP6_TYPE:
		return icmp(rec, PROTO_ICMP6) >> 8;
	default:
		return icmp(rec, PROTO_ICMP6) & 0xff;
	}
}

/* Everything that has no quick step. */
static uint64_t op_value(const struct npk_op *op, const struct npk_rec *rec,
			 const struct npk_times *times)
{
	const uint8_t *member = (const uint8_t *)rec + op->offset;
	enum npk_ie_kind kind = op->code;

	switch (kind) {
	case NPK_IE_QUANTITY:
	case NPK_IE_IDENT:
	case NPK_IE_FLAGS:
		return shrink(load(member, op->size), kind, op->len);
	case NPK_IE_VLAN:
		return load(member, 2) == NPK_VLAN_NONE ? 0 : load(member, 2);
	case NPK_IE_MPLS:
		return load(member, 4) >> 8;
	case NPK_IE_DURATION_MS:
		return shrink(duration(rec, times, NPK_NS_PER_MS), NPK_IE_QUANTITY, op->len);
	case NPK_IE_DURATION_US:
		return shrink(duration(rec, times, NPK_NS_PER_US), NPK_IE_QUANTITY, op->len);
	case NPK_IE_MS:
		return (load(member, 4) + 500) / 1000;
	case NPK_IE_HALF_MS:
		return (load(member, 4) + 1000) / 2000;
	case NPK_IE_UNIX_S:
	case NPK_IE_UNIX_MS:
	case NPK_IE_NTP_US:
	case NPK_IE_NTP_NS:
		return real_time(kind, times, load(member, 8));
	default:
		return icmp_part(kind, rec);
	}
}

/* Where there is no name nothing is made up: the field is all zeros. */
static void put_if_name(const struct npk_plan *plan, const struct npk_op *op, uint32_t index,
			uint8_t *out)
{
	const char *name = plan->if_name && index ? plan->if_name(plan->if_name_arg, index) : NULL;
	size_t len = name ? strnlen(name, op->len - 1u) : 0;

	memset(out, 0, op->len);
	if (len)
		memcpy(out, name, len);
}

static void op_encode(const struct npk_plan *plan, const struct npk_op *op,
		      const struct npk_rec *rec, const struct npk_times *times, uint8_t *out)
{
	static const uint8_t no_address[16];
	const uint8_t *member = (const uint8_t *)rec + op->offset;

	switch (op->code) {
	case QUICK_U8:
		*out = *member;
		break;
	case QUICK_U16:
		npk_put_be16(out, (uint16_t)load(member, 2));
		break;
	case QUICK_U32:
		npk_put_be32(out, (uint32_t)load(member, 4));
		break;
	case QUICK_U64:
		npk_put_be64(out, load(member, 8));
		break;
	case QUICK_OCTETS2:
		memcpy(out, member, 2);
		break;
	case QUICK_OCTETS6:
		memcpy(out, member, 6);
		break;
	case NPK_IE_OCTETS:
		memcpy(out, member, op->len);
		break;
	case NPK_IE_IF_NAME:
		put_if_name(plan, op, (uint32_t)load(member, 4), out);
		break;
	case NPK_IE_IPV4:
		memcpy(out, rec->ip_version == 4 ? member : no_address, 4);
		break;
	case NPK_IE_IPV6:
		memcpy(out, rec->ip_version == 6 ? member : no_address, 16);
		break;
	case NPK_IE_FINGERPRINT:
		npk_fingerprint(&rec->syn, out);
		break;
	case NPK_IE_UPTIME:
		npk_put_be32(out, npk_times_uptime(times,
						   npk_times_real_ms(times, load(member, 8))));
		break;
	default:
		npk_put_be(out, op_value(op, rec, times), op->len);
		break;
	}
}

void npk_plan_encode(const struct npk_plan *plan, const struct npk_rec *rec,
		     const struct npk_times *times, uint8_t *out)
{
	const struct npk_op *end = plan->ops + plan->nr_fields;
	const struct npk_op *op;
	unsigned int len;

	for (op = plan->ops; op < end; op++, out += len) {
		len = op->len;	/* what is written at @out could be anything, even *op */
		op_encode(plan, op, rec, times, out);
	}
}
