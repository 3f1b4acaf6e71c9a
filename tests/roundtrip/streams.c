// SPDX-License-Identifier: GPL-2.0-only
/*
 * streams VERSION STREAMS RECORDS SEED OUT.pcap: random records over random templates,
 * VERSION of enum npk_enc_version
 *
 * Writes the datagrams as a capture of UDP on raw IPv4, each stream from an address and a
 * source id of its own, and on standard output what went into them:
 *	members NAME NAME ...
 *	stream ADDRESS TEMPLATE_ID OFFSET_NS BOOT_NS %NAME %NAME ...
 *	rec VALUE VALUE ...
 * A value is a number, or "x" and octets in hexadecimal.
 * Nothing here knows what a field's value is made of: that is the reader's part.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npk/enc.h>

#define BATCH	20

static uint64_t rng;

/* splitmix64: any seed will do, and the numbers are the same on every machine */
static uint64_t next(void)
{
	uint64_t z = rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t below(uint64_t n)
{
	return next() % n;
}

/* Numbers of every size, and those at the edges. */
static uint64_t any(unsigned int bits)
{
	uint64_t max = UINT64_MAX >> (64 - bits), v = next() & max;

	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return max;
	case 2:
		return max - below(3);
	default:
		return v >> below(bits);
	}
}

static void any_octets(uint8_t *p, size_t len)
{
	while (len--)
		*p++ = (uint8_t)next();
}

static void any_key(struct npk_rec *r)
{
	static const uint8_t protos[] = { 1, 6, 17, 58 };

	r->ip_version = below(2) ? 4 : 6;
	any_octets(r->saddr, r->ip_version == 4 ? 4 : 16);
	any_octets(r->daddr, r->ip_version == 4 ? 4 : 16);
	any_octets((uint8_t *)&r->sport, 2);
	any_octets((uint8_t *)&r->dport, 2);
	r->proto = below(4) ? protos[below(4)] : (uint8_t)any(8);
	r->tos = (uint8_t)any(8);
	r->in_if = (uint32_t)any(32);
	r->out_if = (uint32_t)any(32);
	r->vlan = below(3) ? (uint16_t)below(4096) : NPK_VLAN_NONE;
	r->vlan2 = below(3) ? (uint16_t)below(4096) : NPK_VLAN_NONE;
	r->dir = (uint8_t)below(2);
	any_octets(r->smac, 6);
	any_octets(r->dmac, 6);
	for (r->nr_mpls = 0; r->nr_mpls < below(NPK_MPLS_MAX + 1); r->nr_mpls++)
		r->mpls[r->nr_mpls] = (uint32_t)any(32);
}

/* v5 and nFlow split what is more than 32 bits: into a few records. */
static void any_counts(struct npk_rec *r, enum npk_enc_version version)
{
	unsigned int bits = version == NPK_ENC_NF5 || version == NPK_ENC_NFLOW ? 33 : 64;

	r->packets = any(bits);
	r->octets = any(bits);
	r->packets += !r->packets;
	r->octets += !r->octets;
	r->end_reason = (uint8_t)(1 + below(5));
	r->tcp_flags = (uint16_t)any(12);
	r->min_len = (uint32_t)any(32);
	r->max_len = (uint32_t)any(32);
	r->min_ttl = (uint8_t)any(8);
	r->max_ttl = (uint8_t)any(8);
	r->fragments = (uint32_t)any(32);
	r->flow_label = r->ip_version == 6 ? (uint32_t)any(20) : 0;
	r->server_delay_us = (uint32_t)any(32);
	r->client_delay_us = (uint32_t)any(32);
	r->appl_delay_us = (uint32_t)any(32);
	r->retransmitted = (uint32_t)any(32);
	r->out_of_order = (uint32_t)any(32);
}

static void any_syn(struct npk_syn *syn)
{
	syn->options = (uint32_t)any(32);
	syn->window = (uint16_t)any(16);
	syn->mss = (uint16_t)any(16);
	syn->quirks = (uint16_t)any(16);
	syn->wscale = (uint8_t)any(8);
	syn->ttl = (uint8_t)any(8);
	syn->tcp_len = (uint8_t)any(8);
	syn->flags = (uint8_t)any(7);
}

/* Flows of up to an hour, over for up to an hour; nothing began before boot. */
static struct npk_rec any_record(const struct npk_clock *clock, enum npk_enc_version version)
{
	const uint64_t hour = UINT64_C(3600000000000);
	struct npk_rec r = { 0 };

	any_key(&r);
	any_counts(&r, version);
	any_syn(&r.syn);
	r.last_ns = clock->now_ns - below(hour);
	r.first_ns = r.last_ns - (below(4) ? below(hour) : 0);
	return r;
}

/* Members of struct npk_rec: numbers, and octets as on the wire. */
#define NUMBERS(m)									\
	m(first_ns) m(last_ns) m(packets) m(octets) m(proto) m(tos) m(ip_version)	\
	m(end_reason) m(in_if) m(out_if) m(vlan) m(vlan2) m(tcp_flags) m(min_len)	\
	m(max_len) m(min_ttl) m(max_ttl) m(dir) m(fragments) m(flow_label)		\
	m(server_delay_us) m(client_delay_us) m(appl_delay_us) m(retransmitted)		\
	m(out_of_order) m(nr_mpls) m(mpls[0]) m(mpls[1]) m(mpls[2]) m(mpls[3]) m(syn.options)	\
	m(syn.window) m(syn.mss) m(syn.quirks) m(syn.wscale) m(syn.ttl) m(syn.tcp_len)	\
	m(syn.flags)
#define OCTETS(m)	m(saddr) m(daddr) m(sport) m(dport) m(smac) m(dmac)

static void put_octets(const void *data, size_t len)
{
	const uint8_t *p = data;

	fputs(" x", stdout);
	while (len--)
		printf("%02x", *p++);
}

static void put_members(void)
{
#define NAME(member)	" " #member
	puts("members" NUMBERS(NAME) OCTETS(NAME));
}

static void put_record(const struct npk_rec *r)
{
#define PUT_NUMBER(member)	printf(" %llu", (unsigned long long)r->member);
#define PUT_OCTETS(member)	put_octets(&r->member, sizeof(r->member));
	fputs("rec", stdout);
	NUMBERS(PUT_NUMBER)
	OCTETS(PUT_OCTETS)
	putchar('\n');
}

/* Some of the fields in any order; the addresses always, as templates have them. */
static void any_template(char *text, size_t size)
{
	struct npk_template_field f;
	size_t nr = 0, len = 0, i;
	char name[64];

	while (!npk_template_field(nr, &f))
		nr++;
	for (i = 2 + below(nr); i; i--) {
		npk_template_field(below(nr), &f);
		snprintf(name, sizeof(name), "%%%s ", below(2) ? f.name : f.ipfix_name);
		if (!strstr(text, name))
			len += (size_t)snprintf(text + len, size - len, "%s", name);
	}
	snprintf(text + len, size - len, "%%L4_SRC_PORT %%L4_DST_PORT");
}

static void put_frame(FILE *out, uint32_t address, const uint8_t *data, size_t len)
{
	const uint32_t n = (uint32_t)len + 28;
	const uint32_t head[] = { 1700000000, 0, n, n };
	const uint8_t ip[28] = {
		0x45, 0, (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0, 0, 64, 17, 0, 0,
		(uint8_t)(address >> 24), (uint8_t)(address >> 16), (uint8_t)(address >> 8),
		(uint8_t)address, 192, 0, 2, 1,
		0x30, 0x39, 0x08, 0x07, (uint8_t)((len + 8) >> 8), (uint8_t)(len + 8),
	};

	fwrite(head, sizeof(head), 1, out);
	fwrite(ip, sizeof(ip), 1, out);
	fwrite(data, len, 1, out);
}

/* Send some records; the clock moves on. */
static size_t put_batch(FILE *out, struct npk_enc *enc, enum npk_enc_version version,
			struct npk_clock *clock, uint32_t address, size_t most)
{
	struct npk_rec recs[BATCH];
	const struct npk_rec *list[BATCH];
	size_t nr = 1 + below(most < BATCH ? most : BATCH), done = 0, len, taken, i;
	uint8_t buf[1472];

	for (i = 0; i < nr; i++) {
		do
			recs[i] = any_record(clock, version);
		while (npk_enc_exportable(enc, &recs[i]));
		list[i] = &recs[i];
		put_record(&recs[i]);
	}
	clock->now_ns += below(100000000);
	while (done < nr) {
		if (npk_enc_datagram(enc, list + done, nr - done, clock, buf, &len, &taken))
			exit(1);
		done += taken;
		put_frame(out, address, buf, len);
	}
	return nr;
}

/* Two of three interfaces have a name, of up to 20 octets. */
static const char *if_name(void *arg, uint32_t index)
{
	static char name[32];

	(void)arg;
	snprintf(name, sizeof(name), "interface-%u", index);
	return index % 3 ? name : NULL;
}

static void put_stream(FILE *out, enum npk_enc_version version, uint32_t number, size_t nr_recs)
{
	char text[4096] = "", *unknown;
	struct npk_enc_opts opts = {
		.version = version,
		.source_id = (uint32_t)any(32),
		.template_id = (uint16_t)(256 + below(65279)),
		.if_name = if_name,
		.template_datagrams = (uint32_t)below(4),
		.max_payload = 1472,
		.key = "secret",
		.key_len = 6,
		.compress = version == NPK_ENC_NFLOW,
	};
	struct npk_clock clock = {
		.now_ns = 10000000000000 + below(1000000000000000),
		.offset_ns = (int64_t)(1600000000000000000 + below(100000000000000000)),
		.boot_ns = below(2000000000000),
	};
	struct npk_template *fields;
	struct npk_enc *enc;

	any_template(text, sizeof(text));
	if (npk_template_parse(text, &unknown, &fields) || unknown)
		exit(1);
	opts.fields = fields;
	if (npk_enc_new(&opts, &enc))
		exit(1);
	npk_template_free(fields);
	printf("stream %u %u %lld %llu %s\n", number, opts.template_id,
	       (long long)clock.offset_ns, (unsigned long long)clock.boot_ns, text);
	while (nr_recs)
		nr_recs -= put_batch(out, enc, version, &clock, number, nr_recs);
	npk_enc_free(enc);
}

int main(int argc, char **argv)
{
	const uint32_t head[] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 101 };
	uint32_t streams, records, i;
	FILE *out;

	if (argc != 6) {
		fputs("usage: streams VERSION STREAMS RECORDS SEED OUT.pcap\n", stderr);
		return 2;
	}
	streams = (uint32_t)atoi(argv[2]);
	records = (uint32_t)atoi(argv[3]);
	rng = strtoull(argv[4], NULL, 0);
	out = fopen(argv[5], "w");
	if (!out) {
		perror(argv[5]);
		return 1;
	}
	fwrite(head, sizeof(head), 1, out);
	put_members();
	for (i = 0; i < streams; i++)
		put_stream(out, (enum npk_enc_version)atoi(argv[1]), 0x0a000001 + i, records);
	return fclose(out) ? 1 : 0;
}
