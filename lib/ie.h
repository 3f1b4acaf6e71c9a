/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Information elements, and plans: templates compiled into a list of cheap
 * steps from a flow record to the octets of a data record.
 */
#ifndef NPK_LIB_IE_H
#define NPK_LIB_IE_H

#include <stddef.h>
#include <stdint.h>

#include <npk/clock.h>
#include <nprobe_k.h>

#define NPK_NS_PER_US	1000
#define NPK_NS_PER_MS	1000000
#define NPK_NS_PER_S	1000000000
#define NPK_US_PER_S	1000000
#define NPK_MS_PER_S	1000

/**
 * enum npk_ie_kind - how the value is made of its record member
 * @NPK_IE_QUANTITY: number; in fewer octets it saturates
 * @NPK_IE_IDENT: number that names something; in fewer octets 0 (unknown) when it
 *	does not fit, for a part of it would name something else
 * @NPK_IE_FLAGS: bits; in fewer octets the low ones
 * @NPK_IE_OCTETS: octets as they are
 * @NPK_IE_IF_NAME: name of the interface with that index, NUL padded
 * @NPK_IE_IPV4: address, zero unless the record is IPv4
 * @NPK_IE_IPV6: address, zero unless the record is IPv6
 * @NPK_IE_VLAN: VID, NPK_VLAN_NONE becomes 0
 * @NPK_IE_MPLS: the upper 24 bits of a label stack entry
 * @NPK_IE_UPTIME: time as sysUptime, milliseconds modulo 2^32
 * @NPK_IE_UNIX_S: time, seconds since 1970
 * @NPK_IE_UNIX_MS: time, milliseconds since 1970
 * @NPK_IE_NTP_US: time, NTP format, 21 bits of fraction (RFC 7011 6.1.9)
 * @NPK_IE_NTP_NS: time, NTP format (RFC 7011 6.1.10)
 * @NPK_IE_DURATION_MS: difference of the times in milliseconds, saturating
 * @NPK_IE_DURATION_US: difference of the times in microseconds, saturating
 * @NPK_IE_MS: microseconds as milliseconds, to the nearest
 * @NPK_IE_HALF_MS: half of that many microseconds as milliseconds, to the nearest
 * @NPK_IE_ICMP4: ICMP type * 256 + code, 0 for other protocols
 * @NPK_IE_ICMP4_TYPE: ICMP type, likewise
 * @NPK_IE_ICMP4_CODE: ICMP code, likewise
 * @NPK_IE_ICMP6: ICMPv6 type * 256 + code, 0 for other protocols
 * @NPK_IE_ICMP6_TYPE: ICMPv6 type, likewise
 * @NPK_IE_ICMP6_CODE: ICMPv6 code, likewise
 * @NPK_IE_FINGERPRINT: text made of the SYN
 * @__NPK_IE_KIND_MAX: number of kinds
 *
 * Only the first three may have another length than the table's.
 */
enum npk_ie_kind {
	NPK_IE_QUANTITY,
	NPK_IE_IDENT,
	NPK_IE_FLAGS,
	NPK_IE_OCTETS,
	NPK_IE_IF_NAME,
	NPK_IE_IPV4,
	NPK_IE_IPV6,
	NPK_IE_VLAN,
	NPK_IE_MPLS,
	NPK_IE_UPTIME,
	NPK_IE_UNIX_S,
	NPK_IE_UNIX_MS,
	NPK_IE_NTP_US,
	NPK_IE_NTP_NS,
	NPK_IE_DURATION_MS,
	NPK_IE_DURATION_US,
	NPK_IE_MS,
	NPK_IE_HALF_MS,
	NPK_IE_ICMP4,
	NPK_IE_ICMP4_TYPE,
	NPK_IE_ICMP4_CODE,
	NPK_IE_ICMP6,
	NPK_IE_ICMP6_TYPE,
	NPK_IE_ICMP6_CODE,
	NPK_IE_FINGERPRINT,
	__NPK_IE_KIND_MAX,
};

/**
 * struct npk_ie - an information element: a row of ie.def
 * @name: NetFlow v9 and nProbe name
 * @ipfix_name: name in the IANA registry
 * @text: description, one line
 * @pen: private enterprise number, 0 = IANA
 * @id: number of the element
 * @offset: of the member in struct npk_rec, octets
 * @size: of the member, octets
 * @len: octets on the wire by default
 * @max_len: octets of the registry's type
 * @kind: enum npk_ie_kind
 */
struct npk_ie {
	const char *name;
	const char *ipfix_name;
	const char *text;
	uint32_t pen;
	uint16_t id;
	uint16_t offset;
	uint8_t size;
	uint8_t len;
	uint8_t max_len;
	uint8_t kind;
};

/* Position of an element in npk_ie_table: NPK_IE_AT_ and its name. */
enum npk_ie_index {
#define NPK_IE(name, ipfix, id, pen, len, max, kind, member, text) NPK_IE_AT_##name,
#define NPK_IE_ALIAS(name, element)
#include "ie.def"
#undef NPK_IE
#undef NPK_IE_ALIAS
	__NPK_IE_MAX,
};

/** npk_ie_table - every element, in the order of ie.def */
extern const struct npk_ie npk_ie_table[__NPK_IE_MAX];

/**
 * struct npk_ie_alias - another name of an element
 * @name: the name
 * @text: which element it is
 * @at: position of the element
 */
struct npk_ie_alias {
	const char *name;
	const char *text;
	enum npk_ie_index at;
};

enum npk_ie_alias_index {
#define NPK_IE(name, ipfix, id, pen, len, max, kind, member, text)
#define NPK_IE_ALIAS(name, element) NPK_IE_ALIAS_AT_##name,
#include "ie.def"
#undef NPK_IE
#undef NPK_IE_ALIAS
	__NPK_IE_ALIAS_MAX,
};

/** npk_ie_aliases - every other name, in the order of ie.def */
extern const struct npk_ie_alias npk_ie_aliases[__NPK_IE_ALIAS_MAX];

/**
 * npk_ie_by_name() - find an element
 * @name: NetFlow v9 or IPFIX name, upper and lower case as in the table
 * @len: octets of it
 *
 * Return: the element or NULL.
 */
const struct npk_ie *npk_ie_by_name(const char *name, size_t len);

/**
 * npk_ie_by_id() - find an element
 * @pen: private enterprise number, 0 = IANA
 * @id: number
 *
 * Return: the element or NULL.
 */
const struct npk_ie *npk_ie_by_id(uint32_t pen, uint16_t id);

/**
 * npk_ie_by_v9_type() - find an element
 * @type: field type in NetFlow v9, see npk_ie_v9_type()
 *
 * Return: the element or NULL.
 */
const struct npk_ie *npk_ie_by_v9_type(uint16_t type);

/**
 * npk_ie_v9_type() - field type of an element in NetFlow v9
 * @ie: element
 *
 * v9 has no enterprise numbers: ntop's elements go by 57472 + id.
 *
 * Return: the type, or 0 for the element of another enterprise.
 */
uint16_t npk_ie_v9_type(const struct npk_ie *ie);

/**
 * npk_ie_ip_version() - whose records can fill an element
 * @ie: element
 *
 * Return: 4 or 6 when only those of that IP version can, else 0.
 */
unsigned int npk_ie_ip_version(const struct npk_ie *ie);

/**
 * npk_ie_full_len() - octets that hold every value of an element
 * @ie: element
 *
 * The table's length is v9's habit: a longer one where our records have more to say.
 *
 * Return: length in octets.
 */
uint16_t npk_ie_full_len(const struct npk_ie *ie);

/*
 * sysUptime has 32 bits: 49.7 days.  When they are used up it goes back not to 0 but
 * to two days, so that no flow began before it, whatever its active timeout: a
 * collector that does not reckon with the wrap between First and the header gets the
 * same times as one that does.
 */
#define NPK_UPTIME_WRAP_MS	(INT64_C(1) << 32)
#define NPK_UPTIME_AGAIN_MS	(INT64_C(2 * 86400) * NPK_MS_PER_S)

/**
 * struct npk_times - one reading of the clock, as the formats need it
 * @offset_ns: from the source's clock to nanoseconds since 1970
 * @now_ns: nanoseconds since 1970
 * @now_ms: milliseconds since 1970, rounded down
 * @boot_ms: milliseconds since 1970 when sysUptime was 0, rounded down; after 49.7
 *	days, when it would have been 0
 *
 * Every time in a datagram is made from one such reading, and in whole
 * milliseconds since 1970 before the boot time is subtracted: what a collector
 * adds up from the header and First is then exact to the millisecond.
 */
struct npk_times {
	int64_t offset_ns;
	int64_t now_ns;
	int64_t now_ms;
	int64_t boot_ms;
};

/**
 * npk_floor_div() - quotient rounded down, also below zero
 * @a: dividend
 * @b: divisor, positive
 *
 * Return: the quotient.
 */
static inline int64_t npk_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/**
 * npk_times_real_ns() - a time of the source's clock as nanoseconds since 1970
 * @times: clock reading
 * @t_ns: time of the source's clock, nanoseconds
 *
 * Return: nanoseconds since 1970; good until 2262.
 */
static inline int64_t npk_times_real_ns(const struct npk_times *times, uint64_t t_ns)
{
	return (int64_t)(t_ns + (uint64_t)times->offset_ns);
}

/**
 * npk_times_real_ms() - a time of the source's clock as milliseconds since 1970
 * @times: clock reading
 * @t_ns: time of the source's clock, nanoseconds
 *
 * Return: milliseconds since 1970, rounded down.
 */
static inline int64_t npk_times_real_ms(const struct npk_times *times, uint64_t t_ns)
{
	return npk_floor_div(npk_times_real_ns(times, t_ns), NPK_NS_PER_MS);
}

/**
 * npk_times_init() - convert a clock reading
 * @times: result
 * @clock: the moment of sending
 */
static inline void npk_times_init(struct npk_times *times, const struct npk_clock *clock)
{
	int64_t uptime;

	times->offset_ns = clock->offset_ns;
	times->now_ns = npk_times_real_ns(times, clock->now_ns);
	times->now_ms = npk_floor_div(times->now_ns, NPK_NS_PER_MS);
	times->boot_ms = npk_times_real_ms(times, clock->boot_ns);
	uptime = times->now_ms - times->boot_ms;
	if (uptime >= NPK_UPTIME_WRAP_MS) {
		uptime -= NPK_UPTIME_WRAP_MS;
		uptime %= NPK_UPTIME_WRAP_MS - NPK_UPTIME_AGAIN_MS;
		times->boot_ms = times->now_ms - NPK_UPTIME_AGAIN_MS - uptime;
	}
}

/**
 * npk_times_uptime() - sysUptime of a moment
 * @times: clock reading
 * @real_ms: milliseconds since 1970
 *
 * Return: milliseconds since boot, modulo 2^32; a moment before boot wraps.
 */
static inline uint32_t npk_times_uptime(const struct npk_times *times, int64_t real_ms)
{
	return (uint32_t)((uint64_t)real_ms - (uint64_t)times->boot_ms);
}

/**
 * npk_times_span() - First and Last of a flow for formats whose readers cannot see ahead
 * @times: clock reading
 * @rec: record
 * @first: out: sysUptime of the first packet
 * @last: out: sysUptime of the last packet
 *
 * They take Last - sysUptime as unsigned: later than now would be 49 days ago, so what
 * the clock reading has not caught up with is now.
 */
static inline void npk_times_span(const struct npk_times *times, const struct npk_rec *rec,
				  uint32_t *first, uint32_t *last)
{
	int64_t end = npk_times_real_ms(times, rec->last_ns);
	int64_t start = npk_times_real_ms(times, rec->first_ns);

	if (end > times->now_ms)
		end = times->now_ms;
	if (start > end)
		start = end;
	*first = npk_times_uptime(times, start);
	*last = npk_times_uptime(times, end);
}

/**
 * struct npk_field - one field of a template
 * @ie: element
 * @len: octets on the wire, 0 = the table's length
 */
struct npk_field {
	const struct npk_ie *ie;
	uint16_t len;
};

/* For lists of fields: by name, with the table's length or another one. */
#define NPK_FIELD(name)		{ .ie = &npk_ie_table[NPK_IE_AT_##name] }
#define NPK_FIELD_LEN(name, n)	{ .ie = &npk_ie_table[NPK_IE_AT_##name], .len = (n) }

/** NPK_PLAN_FIELDS - most fields of one template; the table has fewer */
#define NPK_PLAN_FIELDS	64

/**
 * struct npk_op - one step of a plan
 * @code: enum npk_ie_kind, or one of the quicker steps known to ie.c
 * @len: octets written
 * @size: octets of the record member
 * @offset: of the record member
 */
struct npk_op {
	uint8_t code;
	uint8_t len;
	uint8_t size;
	uint16_t offset;
};

/**
 * struct npk_plan - a compiled template
 * @nr_fields: fields in use; 0: no such template
 * @record_len: octets of one data record, the sum of all lengths
 * @fields: the template, lengths filled in
 * @ops: how to make each field
 * @if_name: npk_enc_opts.if_name
 * @if_name_arg: its argument
 */
struct npk_plan {
	uint16_t nr_fields;
	uint16_t record_len;
	struct npk_field fields[NPK_PLAN_FIELDS];
	struct npk_op ops[NPK_PLAN_FIELDS];
	const char *(*if_name)(void *arg, uint32_t index);
	void *if_name_arg;
};

/**
 * npk_plan_init() - compile a template
 * @plan: result
 * @fields: @nr_fields fields in the order of the wire, copied
 * @nr_fields: 1 to NPK_PLAN_FIELDS
 *
 * Return: 0; -E2BIG for too many fields; -EINVAL for none, or a length that the
 * element cannot have.
 */
int npk_plan_init(struct npk_plan *plan, const struct npk_field *fields, size_t nr_fields);

/**
 * npk_plan_encode() - make one data record
 * @plan: compiled template
 * @rec: flow record
 * @times: the clock reading of the datagram
 * @out: exactly plan->record_len octets are written
 */
void npk_plan_encode(const struct npk_plan *plan, const struct npk_rec *rec,
		     const struct npk_times *times, uint8_t *out);

#endif /* NPK_LIB_IE_H */
