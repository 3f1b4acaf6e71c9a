// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <string.h>

#include "print.h"

#define PROTO_TCP	6
#define NS_PER_S	1000000000ULL

/**
 * struct row - a record as text; an empty string means "none"
 * @vlan: and the others: columns as captures' truth files spell them
 */
struct row {
	char vlan[8], vlan2[8], mpls[12];
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	char tcp_flags[8];
	char first[32], last[32];
	char smac[18], dmac[18];
};

static void put_time(char *out, size_t size, uint64_t ns, const struct npk_clock *clock)
{
	unsigned long long t = ns + (uint64_t)clock->offset_ns;

	snprintf(out, size, "%llu.%09llu", t / NS_PER_S, t % NS_PER_S);
}

static void put_vlan(char *out, size_t size, uint16_t vlan)
{
	if (vlan == NPK_VLAN_NONE)
		*out = '\0';
	else
		snprintf(out, size, "%u", vlan);
}

static void put_mac(char *out, size_t size, const uint8_t *m)
{
	snprintf(out, size, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void make_row(struct row *row, const struct npk_rec *rec, const struct npk_clock *clock)
{
	int family = rec->ip_version == 6 ? AF_INET6 : AF_INET;

	memset(row, 0, sizeof(*row));
	put_vlan(row->vlan, sizeof(row->vlan), rec->vlan);
	put_vlan(row->vlan2, sizeof(row->vlan2), rec->vlan2);
	if (rec->nr_mpls)
		snprintf(row->mpls, sizeof(row->mpls), "%u", rec->mpls[0] >> 12);
	inet_ntop(family, rec->saddr, row->src, sizeof(row->src));
	inet_ntop(family, rec->daddr, row->dst, sizeof(row->dst));
	if (rec->proto == PROTO_TCP)
		snprintf(row->tcp_flags, sizeof(row->tcp_flags), "0x%02x", rec->tcp_flags & 0xff);
	put_time(row->first, sizeof(row->first), rec->first_ns, clock);
	put_time(row->last, sizeof(row->last), rec->last_ns, clock);
	put_mac(row->smac, sizeof(row->smac), rec->smac);
	put_mac(row->dmac, sizeof(row->dmac), rec->dmac);
}

static void print_csv(FILE *out, const struct npk_rec *r, const struct row *row)
{
	fprintf(out, "%s,%s,%s,%u,%s,%s,%u,%u,%u,%llu,%llu,%s,%s,%s,0x%02x,%u,%u,%u,%u,%s,%s\n",
		row->vlan, row->vlan2, row->mpls, r->ip_version, row->src, row->dst, r->proto,
		ntohs(r->sport), ntohs(r->dport), r->packets, r->octets, row->tcp_flags,
		row->first, row->last, r->tos, r->end_reason, r->in_if, r->out_if, r->dir,
		row->smac, row->dmac);
}

static const char *or_null(const char *number)
{
	return *number ? number : "null";
}

static void print_json(FILE *out, const struct npk_rec *r, const struct row *row)
{
	char flags[12] = "null";

	if (*row->tcp_flags)
		snprintf(flags, sizeof(flags), "\"%s\"", row->tcp_flags);
	fprintf(out, "{\"vlan\":%s,\"vlan2\":%s,\"mpls\":%s,\"ipver\":%u,", or_null(row->vlan),
		or_null(row->vlan2), or_null(row->mpls), r->ip_version);
	fprintf(out, "\"src\":\"%s\",\"dst\":\"%s\",\"proto\":%u,\"sport\":%u,\"dport\":%u,",
		row->src, row->dst, r->proto, ntohs(r->sport), ntohs(r->dport));
	fprintf(out, "\"packets\":%llu,\"bytes\":%llu,\"tcp_flags\":%s,", r->packets, r->octets,
		flags);
	fprintf(out, "\"first\":%s,\"last\":%s,\"tos\":\"0x%02x\",", row->first, row->last,
		r->tos);
	fprintf(out, "\"end_reason\":%u,\"in_if\":%u,\"out_if\":%u,\"dir\":%u,", r->end_reason,
		r->in_if, r->out_if, r->dir);
	fprintf(out, "\"smac\":\"%s\",\"dmac\":\"%s\"}\n", row->smac, row->dmac);
}

void print_header(FILE *out, enum print_format format)
{
	if (format == PRINT_CSV)
		fputs("vlan,vlan2,mpls,ipver,src,dst,proto,sport,dport,packets,bytes,tcp_flags,"
		      "first,last,tos,end_reason,in_if,out_if,dir,smac,dmac\n", out);
}

void print_record(FILE *out, enum print_format format, const struct npk_rec *rec,
		  const struct npk_clock *clock)
{
	struct row row;

	make_row(&row, rec, clock);
	if (format == PRINT_CSV)
		print_csv(out, rec, &row);
	else
		print_json(out, rec, &row);
}
