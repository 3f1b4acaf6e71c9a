// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "clockms.h"
#include "exporter.h"

/* between two datagrams of options data for the same collector */
#define PACE_MS		100
/* interfaces are asked for their names no more often than that */
#define NAMES_MS	30000

#define NS_PER_S	1000000000ULL

void exporter_open(struct exporter *e)
{
	memset(e, 0, sizeof(*e));
	ifnames_open(&e->names);
}

void exporter_close(struct exporter *e)
{
	ifnames_close(&e->names);
}

static void fill(struct exporter *e, const struct npk_source *src, struct npk_enc_exporter *x)
{
	struct npk_source_stats s;

	npk_source_stats(src, &s);
	*x = (struct npk_enc_exporter){
		.ignored_packets = growing_add(&e->ignored_packets, s.unparsed.packets) +
				   growing_add(&e->dropped, s.dropped),
		.ignored_octets = growing_add(&e->ignored_octets, s.unparsed.octets),
		.not_sent_flows = growing_add(&e->lost_records, s.lost_records),
		.not_sent_packets = growing_add(&e->lost_packets, s.lost.packets),
		.not_sent_octets = growing_add(&e->lost_octets, s.lost.octets),
		.active_s = (uint32_t)(s.active_ns / NS_PER_S),
		.idle_s = (uint32_t)(s.idle_ns / NS_PER_S),
		.interfaces = e->names.list,
		.nr_interfaces = e->names.nr,
	};
}

static bool is_due(const struct exporter *e, const struct npk_clock *clock,
		   struct collector *const *c, unsigned int nr)
{
	while (nr--) {
		if (npk_enc_options_due(c[nr]->enc, e->names.nr, clock))
			return true;
	}
	return false;
}

void exporter_run(struct exporter *e, const struct npk_source *src, const struct npk_clock *clock,
		  struct collector *const *c, unsigned int nr, bool last)
{
	uint64_t now_ms = monotonic_ms();
	struct npk_enc_exporter x;
	unsigned int i;

	if (!last && now_ms - e->sent_ms < PACE_MS)
		return;
	for (i = 0; i < nr && last; i++) {
		collector_send(c[i], clock, 0);		/* templates that are due hold options up */
		npk_enc_resend_options(c[i]->enc);
	}
	if (!is_due(e, clock, c, nr))
		return;
	e->sent_ms = now_ms;
	if (now_ms - e->named_ms >= NAMES_MS) {
		e->named_ms = now_ms;
		ifnames_refresh(&e->names);
	}
	fill(e, src, &x);
	for (i = 0; i < nr; i++)
		collector_options(c[i], &x, clock);
}
