// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "capture.h"
#include "kmod/core/record.h"

#ifndef MADV_COLLAPSE		/* Linux 6.1, glibc 2.37; older kernels refuse it */
#define MADV_COLLAPSE		25
#endif

#define DEFAULT_IDLE_NS		(15 * NPK_NSEC_PER_SEC)
#define DEFAULT_ACTIVE_NS	(60 * NPK_NSEC_PER_SEC)
#define DEFAULT_FLOWS		524288
#define QUEUE_LEN		16384
#define ANY_SNAPLEN		65535
#define PAGE_OCTETS		4096
/*
 * Records kept free for flows that must leave the table: one a frame at most,
 * so a batch that starts with this much room never loses a record.
 */
#define QUEUE_RESERVE		NPK_BATCH

static struct npk_capture *to_capture(const struct npk_source *src)
{
	return (struct npk_capture *)src;	/* src is its first member */
}

static size_t queue_room(const struct npk_capture *c)
{
	return c->queue_len - (size_t)(c->head - c->tail);
}

static bool take_record(void *ctx, const struct npk_flow *flow, u8 reason, bool must)
{
	struct npk_capture *c = ctx;
	struct npk_rec *rec;
	uint64_t conv;

	if (!must && queue_room(c) <= QUEUE_RESERVE)
		return false;
	rec = &c->queue[c->head & (c->queue_len - 1)];
	conv = npk_flow_conv(flow, &c->meter.table.secret);
	npk_record_fill(rec, flow, reason, conv, c->head);
	c->head++;
	c->published.packets += flow->packets;
	c->published.octets += flow->octets;
	return true;
}

static void *map_pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/*
 * Huge pages spare a miss of the TLB for most packets, but a table with few flows in
 * it would occupy all its memory.  With as many flows as it has pages it does so anyway.
 */
static void use_huge_pages(struct npk_capture *c)
{
	const struct npk_table *t = &c->meter.table;
	uint32_t i;

	c->huge_at = UINT64_MAX;
	for (i = 0; i < npk_table_segments(t->nr_buckets); i++)
		madvise(t->seg[i], npk_table_segment_size(t->nr_buckets, i), MADV_COLLAPSE);
}

static int make_table(struct npk_capture *c, uint64_t flows)
{
	struct npk_table *t = &c->meter.table;
	uint32_t i;

	t->nr_buckets = npk_table_buckets(flows);
	if (!t->nr_buckets)
		return npk_source_fail(&c->src, -EINVAL, "%llu flows: more than a table can have",
				       (unsigned long long)flows);
	for (i = 0; i < npk_table_segments(t->nr_buckets); i++) {
		t->seg[i] = map_pages(npk_table_segment_size(t->nr_buckets, i));
		if (!t->seg[i])
			return npk_source_fail(&c->src, -ENOMEM,
					       "no memory for a table of %llu flows",
					       (unsigned long long)flows);
	}
	t->occupied = map_pages(npk_table_bitmap_size(t->nr_buckets));
	if (!t->occupied)
		return npk_source_fail(&c->src, -ENOMEM, "no memory for the flow table");
	c->huge_at = (uint64_t)t->nr_buckets * sizeof(struct npk_bucket) / PAGE_OCTETS;
	if (getrandom(&t->secret, sizeof(t->secret), 0) != (ssize_t)sizeof(t->secret))
		return npk_source_fail(&c->src, -EIO, "getrandom: %s", strerror(errno));
	return 0;
}

/* What meters share in the module; here there is one. */
static int make_shared(struct npk_capture *c, bool frag_zero)
{
	c->meter.convs = map_pages(sizeof(*c->meter.convs));
	if (!c->meter.convs)
		return npk_source_fail(&c->src, -ENOMEM, "no memory for conversations");
	npk_convs_init(c->meter.convs);
	if (frag_zero)
		return 0;
	c->meter.frags = map_pages(sizeof(*c->meter.frags));
	if (!c->meter.frags)
		return npk_source_fail(&c->src, -ENOMEM, "no memory for fragments");
	npk_frags_init(c->meter.frags);
	return 0;
}

static int set_leave_out(struct npk_capture *c, const char *list)
{
	/* no ifindex: a capture has one device */
	static const struct {
		const char *name;
		uint32_t part;
	} parts[] = { { "tos", NPK_KEY_TOS }, { "vlan", NPK_KEY_VLAN }, { "mpls", NPK_KEY_MPLS } };
	const char *word = list;
	size_t len, i;

	for (; word; word = word[len] ? word + len + 1 : NULL) {
		len = strcspn(word, ",");
		for (i = 0; i < 3; i++) {
			if (strlen(parts[i].name) == len && !memcmp(parts[i].name, word, len))
				break;
		}
		if (i == 3)
			return npk_source_fail(&c->src, -EINVAL,
					       "key \"%s\": \"%.*s\" is none of tos, vlan, mpls",
					       list, (int)len, word);
		c->meter.leave_out |= parts[i].part;
	}
	return 0;
}

/* Who sends packets must not know which of them are looked at. */
static int start_sampling(struct npk_capture *c, const struct npk_sampling *sampling)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return npk_source_fail(&c->src, -EIO, "getrandom: %s", strerror(errno));
	npk_sample_init(&c->sample, sampling, seed);
	return 0;
}

static int make_meter(struct npk_capture *c, const struct npk_source_opts *opts)
{
	int err = set_leave_out(c, opts->leave_out);

	if (!err)
		err = make_shared(c, opts->frag_zero);
	if (err)
		return err;
	npk_capture_set_timeouts(&c->src, opts->idle_ns, opts->active_ns);
	err = start_sampling(c, &opts->sampling);
	if (err)
		return err;
	c->meter.emit = take_record;
	c->meter.emit_ctx = c;
	c->queue_len = QUEUE_LEN;
	c->queue = map_pages(c->queue_len * sizeof(*c->queue));
	if (!c->queue)
		return npk_source_fail(&c->src, -ENOMEM, "no memory for the record queue");
	return make_table(c, opts->flows ? opts->flows : DEFAULT_FLOWS);
}

int npk_capture_new(const struct npk_source_ops *ops, size_t size, const char *arg,
		    const struct npk_source_opts *opts, struct npk_capture **out)
{
	struct npk_capture *c = calloc(1, size);

	*out = c;
	if (!c)
		return -ENOMEM;
	c->src.ops = ops;
	c->arg = strdup(arg);
	if (!c->arg) {
		free(c);
		*out = NULL;
		return -ENOMEM;
	}
	if (!*arg)
		return npk_source_fail(&c->src, -EINVAL, "%s: nothing named after the colon",
				       ops->prefix);
	return make_meter(c, opts);
}

void npk_capture_set_timeouts(struct npk_source *src, uint64_t idle_ns, uint64_t active_ns)
{
	struct npk_capture *c = to_capture(src);

	c->meter.limits.idle_ns = idle_ns ? idle_ns : DEFAULT_IDLE_NS;
	c->meter.limits.active_ns = active_ns ? active_ns : DEFAULT_ACTIVE_NS;
}

/* Of a struct npk_capture alone, whatever a kind has behind it. */
static const struct npk_source_ops checked = { .prefix = "", .close = npk_capture_close };

int npk_capture_check(const struct npk_source_ops *ops, const char *arg,
		      const struct npk_source_opts *opts, struct npk_source **out)
{
	struct npk_source_opts small = *opts;
	struct npk_capture *c;
	int err;

	small.flows = 1;
	err = npk_capture_new(ops, sizeof(*c), arg, &small, &c);
	*out = c ? &c->src : NULL;
	if (!c)
		return err;
	c->src.ops = &checked;
	if (err)
		return err;
	c->pcap = pcap_open_dead(DLT_EN10MB, ANY_SNAPLEN);
	if (!c->pcap)
		return -ENOMEM;
	return npk_capture_compile(c, opts->filter);
}

int npk_capture_compile(struct npk_capture *c, const char *expression)
{
	if (!expression)
		return 0;
	if (pcap_compile(c->pcap, &c->filter, expression, 1, PCAP_NETMASK_UNKNOWN))
		return npk_source_fail(&c->src, -EINVAL, "filter \"%s\": %s", expression,
				       pcap_geterr(c->pcap));
	c->filtered = true;
	return 0;
}

int npk_capture_check_link(struct npk_capture *c)
{
	const char *name;
	int link = pcap_datalink(c->pcap);

	if (link == DLT_EN10MB)
		return 0;
	name = pcap_datalink_val_to_description(link);
	return npk_source_fail(&c->src, -EPROTONOSUPPORT, "%s%s: link type %s is not Ethernet",
			       c->src.ops->prefix, c->arg, name ? name : "unknown");
}

void npk_capture_meter(struct npk_capture *c)
{
	npk_meter_packets(&c->meter, c->pkt, c->nr_pkts);
	c->nr_pkts = 0;
}

bool npk_capture_wants(struct npk_capture *c, const struct pcap_pkthdr *h, const u_char *data)
{
	if (c->filtered && !pcap_offline_filter(&c->filter, h, data)) {
		struct npk_pkt one = { .segs = 1 };

		npk_meter_ignore(&c->meter, &one, NPK_IGN_FILTER);
		return false;
	}
	if (npk_sample_takes(&c->sample))
		return true;
	c->not_sampled++;
	return false;
}

void npk_capture_frame(struct npk_capture *c, const struct pcap_pkthdr *h, const u_char *data,
		       uint64_t ns)
{
	struct npk_pkt *pkt = &c->pkt[c->nr_pkts];

	pkt->data = data;
	pkt->linear = h->caplen;
	pkt->captured = h->caplen;
	pkt->wire_len = h->len > h->caplen ? h->len : h->caplen;
	pkt->now_ns = ns;
	pkt->ifindex = c->ifindex;
	pkt->segs = 1;
	if (c->max_len && pkt->wire_len > c->max_len)
		c->merged++;
	if (!c->nr_pkts || ns > c->taken_ns)
		c->taken_ns = ns;
	if (++c->nr_pkts == NPK_BATCH_PACKETS)
		npk_capture_meter(c);
}

bool npk_capture_ready(struct npk_capture *c)
{
	if (c->meter.table.nr_flows >= c->huge_at)
		use_huge_pages(c);
	return queue_room(c) >= QUEUE_RESERVE;
}

int npk_capture_failed(struct npk_capture *c)
{
	return npk_source_fail(&c->src, -EIO, "%s%s: %s", c->src.ops->prefix, c->arg,
			       pcap_geterr(c->pcap));
}

void npk_capture_close(struct npk_source *src)
{
	struct npk_capture *c = to_capture(src);
	struct npk_table *t = &c->meter.table;
	uint32_t i;

	if (c->pcap)
		pcap_close(c->pcap);
	pcap_freecode(&c->filter);
	for (i = 0; i < NPK_SEGS_MAX; i++) {
		if (t->seg[i])
			munmap(t->seg[i], npk_table_segment_size(t->nr_buckets, i));
	}
	if (t->occupied)
		munmap(t->occupied, npk_table_bitmap_size(t->nr_buckets));
	if (c->meter.convs)
		munmap(c->meter.convs, sizeof(*c->meter.convs));
	if (c->meter.frags)
		munmap(c->meter.frags, sizeof(*c->meter.frags));
	if (c->queue)
		munmap(c->queue, c->queue_len * sizeof(*c->queue));
	free(c->arg);
	free(c);
}

int npk_capture_expire_all(struct npk_source *src)
{
	struct npk_capture *c = to_capture(src);

	return !npk_meter_expire_all(&c->meter, c->meter.table.nr_buckets);
}

size_t npk_capture_peek(struct npk_source *src, const struct npk_rec **recs, size_t max)
{
	struct npk_capture *c = to_capture(src);
	size_t i, n = (size_t)(c->head - c->tail);

	if (n > max)
		n = max;
	for (i = 0; i < n; i++)
		recs[i] = &c->queue[(c->tail + i) & (c->queue_len - 1)];
	return n;
}

void npk_capture_release(struct npk_source *src, size_t nr_recs)
{
	to_capture(src)->tail += nr_recs;
}

void npk_capture_stats(const struct npk_source *src, struct npk_source_stats *stats)
{
	const struct npk_capture *c = to_capture(src);
	const struct npk_meter_count *n = &c->meter.count;
	unsigned int i;

	stats->frames = n->frames + c->not_sampled;
	stats->seen = n->seen + c->not_sampled;
	stats->unparsed = (struct npk_count){ n->unparsed.packets, n->unparsed.octets };
	stats->accounted = (struct npk_count){ n->accounted.packets, n->accounted.octets };
	stats->live = (struct npk_count){ n->live.packets, n->live.octets };
	stats->published = (struct npk_count){ c->published.packets, c->published.octets };
	stats->records = c->head;
	stats->early = n->early;
	stats->flows = npk_meter_flows(&c->meter);
	stats->slots = (uint64_t)c->meter.table.nr_buckets * NPK_WAYS;
	stats->merged = c->merged;
	stats->active_ns = c->meter.limits.active_ns;
	stats->idle_ns = c->meter.limits.idle_ns;
	for (i = 1; i < __NPK_IGN_MAX; i++)
		stats->ignored[stats->nr_ignored++] =
			(struct npk_named){ npk_ignored_name(i), n->ignored[i] };
	stats->ignored[stats->nr_ignored++] = (struct npk_named){ "not_sampled", c->not_sampled };
	for (i = 0; i < __NPK_NOTE_MAX; i++)
		stats->notes[stats->nr_notes++] =
			(struct npk_named){ npk_note_name(i), n->note[i] };
}

NPK_STATIC_ASSERT(__NPK_IGN_MAX < NPK_NAMED_MAX && __NPK_NOTE_MAX <= NPK_NAMED_MAX);
