// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clockms.h"
#include "collector.h"
#include "settings.h"

/* a datagram while there is no route whose size could be asked for */
#define PAYLOAD_UNKNOWN	1452
/* no record is shorter: so many always fill a datagram */
#define RECORD_MIN	4
/* errors of earlier datagrams that may come between two tries to send one */
#define TRIES		8

static size_t payload_size(const struct collector *c)
{
	size_t size = peer_payload(&c->peer);

	if (!size)
		return c->payload ? c->payload : PAYLOAD_UNKNOWN;
	if (size > NPK_ENC_MAX_DATAGRAM)
		return NPK_ENC_MAX_DATAGRAM;
	return size < NPK_ENC_MIN_DATAGRAM ? NPK_ENC_MIN_DATAGRAM : size;
}

static int new_stream(const struct collector *c, size_t payload, const struct opts *o,
		      struct npk_enc **out)
{
	struct npk_enc_opts eo;
	int err;

	settings_stream(o, &eo);
	eo.if_name = ifnames_find;
	eo.if_name_arg = c->names;
	eo.max_payload = payload;
	err = npk_enc_new(&eo, out);
	if (!err)
		return -1;
	if (err == -EMSGSIZE)
		fprintf(stderr, "nprobe-k: collector \"%s\": templates and a record do not fit its "
			"datagrams of %zu octets: take fewer fields (-T) or a larger --mtu\n",
			c->name, payload);
	else
		fprintf(stderr, "nprobe-k: collector \"%s\": %s\n", c->name, strerror(-err));
	return EXIT_FAILED;
}

static int open_way(struct collector *c, const char *name, const struct opts *o,
		    struct addrinfo *list)
{
	c->name = strdup(name);
	if (!c->name) {
		fputs("nprobe-k: out of memory\n", stderr);
		if (list)
			freeaddrinfo(list);
		return EXIT_FAILED;
	}
	c->pace = (struct pace){ .delay_ms = o->delay_ms, .datagrams = o->delay_datagrams };
	c->flow_interval = o->flow_interval;
	return peer_open(&c->peer, c->name, o, list, monotonic_ms());
}

int collector_new(const char *name, const struct opts *o, struct ifnames *names,
		  struct addrinfo *list, struct collector **out)
{
	struct collector *c = calloc(1, sizeof(*c));
	int code;

	*out = NULL;
	if (!c) {
		fputs("nprobe-k: out of memory\n", stderr);
		if (list)
			freeaddrinfo(list);
		return EXIT_FAILED;
	}
	c->names = names;
	code = open_way(c, name, o, list);
	if (code < 0) {
		c->payload = payload_size(c);
		code = new_stream(c, c->payload, o, &c->enc);
	}
	if (code >= 0)
		collector_free(c);
	else
		*out = c;
	return code;
}

void collector_free(struct collector *c)
{
	if (!c)
		return;
	peer_close(&c->peer);
	npk_enc_free(c->enc);
	npk_enc_free(c->next);
	free(c->name);
	free(c);
}

/* What the way to the collector allows with another --mtu. */
static size_t payload_with(struct collector *c, unsigned int mtu)
{
	unsigned int now = c->peer.mtu;
	size_t size;

	c->peer.mtu = mtu;
	size = payload_size(c);
	c->peer.mtu = now;
	return size;
}

int collector_prepare(struct collector *c, const struct opts *now, const struct opts *next)
{
	int code;

	if (settings_same_stream(now, next) && now->mtu == next->mtu)
		return -1;
	code = new_stream(c, payload_with(c, next->mtu), next, &c->next);
	if (code < 0 && now->version == next->version)
		npk_enc_continue(c->next, c->enc);
	return code;
}

void collector_change(struct collector *c, const struct opts *next)
{
	c->pace.delay_ms = next->delay_ms;
	c->pace.datagrams = next->delay_datagrams;
	c->pace.sent = 0;
	c->flow_interval = next->flow_interval;
	if (!c->next)
		return;
	npk_enc_free(c->enc);
	c->enc = c->next;
	c->next = NULL;
	c->payload = payload_with(c, next->mtu);
	c->peer.mtu = next->mtu;
}

void collector_stay(struct collector *c)
{
	npk_enc_free(c->next);
	c->next = NULL;
}

/*
 * Of so many conversations the flows of one are sent, all its flows in both directions.
 * The half of the hash that says so is not the one that chooses among collectors.
 */
static bool is_sampled(const struct collector *c, const struct npk_rec *rec)
{
	return !((uint64_t)(uint32_t)rec->conv_hash * c->flow_interval >> 32);
}

static const char *not_exportable(const struct collector *c, const struct npk_rec *rec)
{
	if (!is_sampled(c, rec))
		return "flow_not_sampled";
	return npk_enc_exportable(c->enc, rec);
}

static void count_reason(struct collector *c, const char *reason)
{
	size_t i;

	for (i = 0; i < NPK_REASONS_MAX - 1; i++) {
		if (!c->not_exportable[i].reason)
			c->not_exportable[i].reason = reason;
		if (!strcmp(c->not_exportable[i].reason, reason))
			break;
	}
	if (!c->not_exportable[i].reason)
		c->not_exportable[i].reason = "other";
	c->not_exportable[i].records++;
}

uint64_t collector_not_exportable(const struct collector *c)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < NPK_REASONS_MAX; i++)
		sum += c->not_exportable[i].records;
	return sum;
}

/* These records will not arrive. */
static void count_not_sent(struct collector *c, const struct npk_rec *const *recs, size_t nr_recs)
{
	while (nr_recs--) {
		c->not_sent.packets += recs[nr_recs]->packets;
		c->not_sent.octets += recs[nr_recs]->octets;
	}
}

/* Room for one more behind the youngest. */
static void make_room(struct pending *p)
{
	size_t n = p->end - p->first;

	if (p->end < 2 * NPK_WINDOW)
		return;
	memcpy(p->rec, p->rec + p->first, n * sizeof(p->rec[0]));
	memcpy(p->nr, p->nr + p->first, n * sizeof(p->nr[0]));
	memcpy(p->since_ms, p->since_ms + p->first, n * sizeof(p->since_ms[0]));
	p->first = 0;
	p->end = n;
}

void collector_add(struct collector *c, const struct npk_rec *rec, uint64_t nr, uint64_t now_ms)
{
	const char *reason = not_exportable(c, rec);
	struct pending *p = &c->pending;

	c->read++;
	if (reason) {
		count_reason(c, reason);
		count_not_sent(c, &rec, 1);
		return;
	}
	make_room(p);
	p->rec[p->end] = rec;
	p->nr[p->end] = nr;
	p->since_ms[p->end++] = now_ms;
}

/* The datagram that waits for longest is done with. */
static size_t pop(struct collector *c)
{
	size_t records = c->out.records[c->out.head++];

	c->pending.first += records;
	c->encoded -= records;
	return records;
}

/* And lost. */
static void lose(struct collector *c)
{
	count_not_sent(c, c->pending.rec + c->pending.first, c->out.records[c->out.head]);
	c->failed += pop(c);
}

/* How many datagrams may go now. */
static unsigned int pace_allows(struct pace *p, uint64_t now_ms)
{
	if (!p->delay_ms)
		return OUTBOX_DATAGRAMS;
	if (now_ms - p->began_ms >= p->delay_ms) {
		p->began_ms = now_ms;
		p->sent = 0;
	}
	return p->datagrams - p->sent;
}

static void count_sent(struct collector *c, unsigned int datagrams, uint64_t now_ms)
{
	c->pace.sent += datagrams;
	c->datagrams += datagrams;
	c->full = false;
	c->stalled_ms = 0;
	peer_sent(&c->peer, now_ms);
	while (datagrams--) {
		c->octets += c->out.iov[c->out.head].iov_len;
		c->sent += pop(c);
	}
}

/*
 * One system call; returns datagrams sent, or -errno for the first.  An error may
 * be about an earlier datagram, and this one was not tried then: so it is again.
 */
static int send_some(struct collector *c, unsigned int most, uint64_t now_ms)
{
	struct outbox *b = &c->out;
	int tries, n;

	if (c->peer.udp.fd < 0)
		return -ENOTCONN;
	for (tries = 0; tries < TRIES; tries++) {
		n = sendmmsg(c->peer.udp.fd, b->msg + b->head, most, 0);
		if (n > 0)
			return n;
		n = -errno;
		if (n == -EAGAIN || (n != -EINTR && !peer_heard(&c->peer, now_ms)))
			break;
	}
	return n;
}

/* Send what is in the outbox; false when some of it has to wait. */
static bool flush(struct collector *c, uint64_t now_ms)
{
	unsigned int waiting, allowed;
	int n;

	while ((waiting = outbox_waiting(&c->out))) {
		allowed = pace_allows(&c->pace, now_ms);
		if (!allowed) {
			c->full = true;
			return false;
		}
		n = send_some(c, waiting < allowed ? waiting : allowed, now_ms);
		if (n > 0) {
			count_sent(c, (unsigned int)n, now_ms);
		} else if (n == -EAGAIN) {
			c->full = true;
			if (!c->stalled_ms)
				c->stalled_ms = now_ms;
			return false;
		} else {
			if (n != -ENOTCONN)
				peer_failed(&c->peer, n, now_ms);
			lose(c);
		}
	}
	c->full = false;
	return true;
}

static bool is_due(const struct collector *c, const struct npk_clock *clock, uint64_t came_by_ms)
{
	const struct pending *p = &c->pending;
	size_t at = p->first + c->encoded, left = p->end - at;

	if (!left)
		return false;
	return p->since_ms[at] <= came_by_ms || left > c->payload / RECORD_MIN ||
	       npk_enc_room(c->enc, p->rec + at, left, clock) < left;
}

/* Encode one datagram, of the records not yet encoded, into the outbox. */
static bool encode(struct collector *c, const struct npk_clock *clock)
{
	struct pending *p = &c->pending;
	size_t at = p->first + c->encoded, left = p->end - at, len, taken;
	uint8_t *data = outbox_next(&c->out, c->payload);

	if (!data)
		return false;
	/* whatever is heard first can be read, once somebody listens again */
	if (c->peer.trouble && left)
		npk_enc_resend_templates(c->enc);
	if (npk_enc_datagram(c->enc, p->rec + at, left, clock, data, &len, &taken)) {
		/* collector_add() lets no such record in */
		count_not_sent(c, p->rec + at, left);
		c->failed += left;
		p->end = at;
		return false;
	}
	if (!len)
		return false;
	outbox_put(&c->out, len, taken);
	c->encoded += taken;
	return true;
}

/* Before a datagram is encoded: who gets it, and how large it may be. */
static void keep_up(struct collector *c, uint64_t now_ms)
{
	bool trouble = c->peer.trouble, anew = peer_keep(&c->peer, now_ms);
	size_t payload;

	if (anew)
		npk_enc_resend_templates(c->enc);
	if (anew || (trouble && !c->peer.trouble))
		npk_enc_resend_options(c->enc);
	payload = payload_size(c);
	if (payload != c->payload && !npk_enc_set_max_payload(c->enc, payload))
		c->payload = payload;
}

void collector_send(struct collector *c, const struct npk_clock *clock, uint64_t came_by_ms)
{
	uint64_t now_ms = monotonic_ms();

	keep_up(c, now_ms);
	if (!flush(c, now_ms))
		return;
	while (is_due(c, clock, came_by_ms)) {
		while (is_due(c, clock, came_by_ms) && encode(c, clock))
			;
		if (!flush(c, now_ms))
			return;
	}
	c->behind = false;
	while (!collector_pending(c) && encode(c, clock))
		flush(c, now_ms);
}

void collector_options(struct collector *c, const struct npk_enc_exporter *x,
		       const struct npk_clock *clock)
{
	uint8_t *data = c->full ? NULL : outbox_next(&c->out, c->payload);
	struct npk_enc_exporter own = *x;
	size_t len;

	if (!data)
		return;
	own.octets = c->octets;
	own.datagrams = c->datagrams;
	own.flows = c->sent;
	own.not_sent_flows += c->failed + collector_not_exportable(c);
	own.not_sent_packets += c->not_sent.packets;
	own.not_sent_octets += c->not_sent.octets;
	len = npk_enc_options(c->enc, &own, clock, data);
	if (!len)
		return;
	outbox_put(&c->out, len, 0);
	flush(c, monotonic_ms());
}

void collector_give_up(struct collector *c, const struct npk_clock *clock, uint64_t before)
{
	do {
		while (outbox_waiting(&c->out))
			lose(c);
	} while (collector_pending(c) && collector_oldest(c) < before && encode(c, clock));
	c->full = false;
	c->behind = true;
	npk_enc_resend_templates(c->enc);
}

int collector_wait_ms(const struct collector *c)
{
	uint64_t next_ms = c->pace.began_ms + c->pace.delay_ms, now_ms = monotonic_ms();

	if (!c->pace.delay_ms || c->pace.sent < c->pace.datagrams)
		return -1;
	return next_ms > now_ms ? (int)(next_ms - now_ms) : 0;
}
