// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <string.h>

#include "p0f.h"
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
	char server_delay[12], client_delay[12], appl_delay[12];
	char retransmitted[12], out_of_order[12], zero_windows[12];
	const char *syn;
	char p0f[P0F_MAX];
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

/* A delay that was not measured is none. */
static void put_delay(char *out, size_t size, uint32_t us)
{
	if (us)
		snprintf(out, size, "%u", us);
}

static void put_tcp(struct row *row, const struct npk_rec *rec)
{
	snprintf(row->tcp_flags, sizeof(row->tcp_flags), "0x%02x", rec->tcp_flags & 0xff);
	snprintf(row->retransmitted, sizeof(row->retransmitted), "%u", rec->retransmitted);
	snprintf(row->out_of_order, sizeof(row->out_of_order), "%u", rec->out_of_order);
	snprintf(row->zero_windows, sizeof(row->zero_windows), "%u", rec->zero_windows);
	if (rec->syn.flags & NPK_SYN_SEEN)
		row->syn = rec->syn.flags & NPK_SYN_ACK ? "syn+ack" : "syn";
	p0f_signature(row->p0f, rec);
}

static void put_mac(char *out, size_t size, const uint8_t *m)
{
	snprintf(out, size, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void make_row(struct row *row, const struct npk_rec *rec, const struct npk_clock *clock)
{
	int family = rec->ip_version == 6 ? AF_INET6 : AF_INET;

	memset(row, 0, sizeof(*row));
	row->syn = "";
	put_vlan(row->vlan, sizeof(row->vlan), rec->vlan);
	put_vlan(row->vlan2, sizeof(row->vlan2), rec->vlan2);
	if (rec->nr_mpls)
		snprintf(row->mpls, sizeof(row->mpls), "%u", rec->mpls[0] >> 12);
	inet_ntop(family, rec->saddr, row->src, sizeof(row->src));
	inet_ntop(family, rec->daddr, row->dst, sizeof(row->dst));
	if (rec->proto == PROTO_TCP)
		put_tcp(row, rec);
	put_delay(row->server_delay, sizeof(row->server_delay), rec->server_delay_us);
	put_delay(row->client_delay, sizeof(row->client_delay), rec->client_delay_us);
	put_delay(row->appl_delay, sizeof(row->appl_delay), rec->appl_delay_us);
	put_time(row->first, sizeof(row->first), rec->first_ns, clock);
	put_time(row->last, sizeof(row->last), rec->last_ns, clock);
	put_mac(row->smac, sizeof(row->smac), rec->smac);
	put_mac(row->dmac, sizeof(row->dmac), rec->dmac);
}

static void print_csv(FILE *out, const struct npk_rec *r, const struct row *row)
{
	const char *quote = *row->p0f ? "\"" : "";	/* it has commas */

	fprintf(out, "%s,%s,%s,%u,%s,%s,%u,%u,%u,%llu,%llu,%s,%s,%s,0x%02x,%u,%u,%u,%u,%s,%s,",
		row->vlan, row->vlan2, row->mpls, r->ip_version, row->src, row->dst, r->proto,
		ntohs(r->sport), ntohs(r->dport), r->packets, r->octets, row->tcp_flags,
		row->first, row->last, r->tos, r->end_reason, r->in_if, r->out_if, r->dir,
		row->smac, row->dmac);
	fprintf(out, "%u,%u,%u,%u,%u,%s,%s,%s,%s,%s,%s,%s,%s%s%s\n", r->min_len, r->max_len,
		r->min_ttl, r->max_ttl, r->fragments, row->server_delay, row->client_delay,
		row->appl_delay, row->retransmitted, row->out_of_order, row->zero_windows,
		row->syn, quote, row->p0f, quote);
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
	fprintf(out, "\"smac\":\"%s\",\"dmac\":\"%s\",", row->smac, row->dmac);
	fprintf(out, "\"min_len\":%u,\"max_len\":%u,\"min_ttl\":%u,\"max_ttl\":%u,", r->min_len,
		r->max_len, r->min_ttl, r->max_ttl);
	fprintf(out, "\"fragments\":%u,\"server_delay_us\":%s,\"client_delay_us\":%s,",
		r->fragments, or_null(row->server_delay), or_null(row->client_delay));
	fprintf(out, "\"appl_delay_us\":%s,\"retransmitted\":%s,\"out_of_order\":%s,",
		or_null(row->appl_delay), or_null(row->retransmitted), or_null(row->out_of_order));
	fprintf(out, "\"zero_windows\":%s,", or_null(row->zero_windows));
	if (*row->syn)
		fprintf(out, "\"syn\":\"%s\",\"p0f\":\"%s\"}\n", row->syn, row->p0f);
	else
		fputs("\"syn\":null,\"p0f\":null}\n", out);
}

void print_header(struct printer *p, enum print_format format)
{
	if (format != PRINT_CSV)
		return;
	fputs("vlan,vlan2,mpls,ipver,src,dst,proto,sport,dport,packets,bytes,tcp_flags,"
	      "first,last,tos,end_reason,in_if,out_if,dir,smac,dmac,min_len,max_len,"
	      "min_ttl,max_ttl,fragments,server_delay_us,client_delay_us,appl_delay_us,"
	      "retransmitted,out_of_order,zero_windows,syn,p0f\n", p->out);
	p->heading++;
}

void print_record(struct printer *p, enum print_format format, const struct npk_rec *rec,
		  const struct npk_clock *clock)
{
	struct row row;

	make_row(&row, rec, clock);
	if (format == PRINT_CSV)
		print_csv(p->out, rec, &row);
	else
		print_json(p->out, rec, &row);
	p->rows++;
}
