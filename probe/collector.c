// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector.h"

#define DEFAULT_PORT	"2055"
#define MTU_DEFAULT	1500
#define HEADERS_V4	28	/* IPv4 and UDP */
#define HEADERS_V6	48
/* how long a full send buffer may hold one datagram up */
#define SEND_WAIT_MS	100

static int bad_name(const char *name, const char *why)
{
	fprintf(stderr, "nprobe-k: collector \"%s\": %s\n", name, why);
	return EXIT_USAGE;
}

/* Split into host and port; the parts point into @text, a private copy. */
static int split_name(char *text, const char *name, char **host, char **port)
{
	char *end;

	*port = (char *)DEFAULT_PORT;
	*host = text;
	if (!strncmp(text, "udp://", 6))
		*host = text + 6;
	else if (strstr(text, "://"))
		return bad_name(name, "only udp:// is supported");
	if (strpbrk(*host, "@%"))
		return bad_name(name, "@SOURCE and %DEV are not supported");
	if (**host == '[') {
		end = strchr(++*host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return bad_name(name, "not [ADDRESS]:PORT");
		*end++ = '\0';
	} else {
		end = strchr(*host, ':');
		if (end && strchr(end + 1, ':'))
			return bad_name(name, "an IPv6 address goes in brackets: [ADDRESS]:PORT");
	}
	if (end && *end == ':') {
		*end = '\0';
		*port = end + 1;
	}
	return **host && **port ? -1 : bad_name(name, "host or port is empty");
}

static int check_port(const char *name, const char *port)
{
	char *end;
	unsigned long n = strtoul(port, &end, 10);

	if (*end || *port == '-' || *port == '+' || n < 1 || n > 65535)
		return bad_name(name, "the port is not a number from 1 to 65535");
	return -1;
}

static int connect_to(struct collector *c, const char *host, const char *port, int *family)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list, *a;
	int err = getaddrinfo(host, port, &hints, &list);

	if (err) {
		fprintf(stderr, "nprobe-k: collector \"%s\": %s\n", c->name,
			err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err));
		return EXIT_FAILED;
	}
	for (a = list; a; a = a->ai_next) {
		c->fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (c->fd < 0)
			continue;
		*family = a->ai_family;
		if (!connect(c->fd, a->ai_addr, a->ai_addrlen))
			break;
		err = errno;
		close(c->fd);
		c->fd = -1;
		errno = err;
	}
	freeaddrinfo(list);
	if (c->fd >= 0)
		return -1;
	fprintf(stderr, "nprobe-k: collector \"%s\": %s\n", c->name, strerror(errno));
	return EXIT_FAILED;
}

/* UDP payload that fits one packet on the way to the collector. */
static size_t payload_size(int fd, int family, unsigned int mtu)
{
	int level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int name = family == AF_INET6 ? IPV6_MTU : IP_MTU;
	int route = 0;
	socklen_t len = sizeof(route);
	size_t headers = family == AF_INET6 ? HEADERS_V6 : HEADERS_V4;

	if (!mtu) {
		mtu = MTU_DEFAULT;
		if (!getsockopt(fd, level, name, &route, &len) && route > 0 && route < MTU_DEFAULT)
			mtu = (unsigned int)route;
	}
	if (mtu < NPK_ENC_MIN_DATAGRAM + headers)
		return NPK_ENC_MIN_DATAGRAM;
	return mtu - headers;
}

static int start_stream(struct collector *c, const struct opts *o)
{
	struct npk_enc_opts eo = {
		.version = (enum npk_enc_version)o->version,
		.source_id = o->engine,
		.template_id = (uint16_t)o->template_id,
		.fields = o->fields,
		.template_datagrams = o->template_datagrams,
		.template_ms = o->template_s * 1000,
		.max_payload = c->buf_size,
		.sampling = o->sampling,
		.key = o->nflow_key.octets,
		.key_len = o->nflow_key.len,
		.compress = o->version == NPK_ENC_NFLOW ? !o->nflow_plain : o->nflow9_zlib,
	};
	int err;

	c->buf = malloc(c->buf_size);
	err = c->buf ? npk_enc_new(&eo, &c->enc) : -ENOMEM;
	if (!err)
		return -1;
	if (err == -EMSGSIZE)
		fprintf(stderr, "nprobe-k: collector \"%s\": templates and a record do not fit its "
			"datagrams of %zu octets: take fewer fields (-T) or a larger --mtu\n",
			c->name, c->buf_size);
	else
		fprintf(stderr, "nprobe-k: collector \"%s\": %s\n", c->name, strerror(-err));
	return EXIT_FAILED;
}

int collector_open(struct collector *c, const char *name, const struct opts *o)
{
	char *text, *host, *port;
	int code, family = AF_INET;

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->name = strdup(name);
	text = strdup(name);
	if (!c->name || !text) {
		fputs("nprobe-k: out of memory\n", stderr);
		free(text);
		return EXIT_FAILED;
	}
	code = split_name(text, name, &host, &port);
	if (code < 0)
		code = check_port(name, port);
	if (code < 0)
		code = connect_to(c, host, port, &family);
	free(text);
	if (code >= 0)
		return code;
	c->flow_interval = o->flow_interval;
	c->buf_size = payload_size(c->fd, family, o->mtu);
	return start_stream(c, o);
}

void collector_close(struct collector *c)
{
	if (c->name && c->fd >= 0)
		close(c->fd);
	npk_enc_free(c->enc);
	free(c->buf);
	free(c->name);
	memset(c, 0, sizeof(*c));
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

void collector_add(struct collector *c, const struct npk_rec *rec, uint64_t nr, uint64_t now_ms)
{
	const char *reason = not_exportable(c, rec);

	c->read++;
	if (reason) {
		count_reason(c, reason);
		return;
	}
	c->since_ms[c->nr_pending] = now_ms;
	c->nr[c->nr_pending] = nr;
	c->pending[c->nr_pending++] = rec;
}

/*
 * A connected UDP socket reports here that an earlier datagram was refused;
 * this one was not tried then, so it is, once more.  A full send buffer is
 * given a moment.
 */
static int send_datagram(struct collector *c, size_t len)
{
	struct pollfd p = { .fd = c->fd, .events = POLLOUT };
	int tries;

	for (tries = 0; tries < 3; tries++) {
		if (send(c->fd, c->buf, len, 0) == (ssize_t)len)
			return 0;
		if (errno == ECONNREFUSED)
			c->refused++;
		else if (errno == EAGAIN)
			poll(&p, 1, SEND_WAIT_MS);
		else if (errno != EINTR)
			break;
	}
	return -errno;
}

static void complain(struct collector *c, int err)
{
	if (c->complained)
		return;
	c->complained = true;
	fprintf(stderr, "nprobe-k: collector \"%s\": %s; some datagrams are lost\n",
		c->name, strerror(-err));
}

/* One datagram from @recs on; returns the records done with, sent or not. */
static size_t send_one(struct collector *c, const struct npk_rec *const *recs, size_t nr_recs,
		       const struct npk_clock *clock)
{
	size_t len, taken;
	int err = npk_enc_datagram(c->enc, recs, nr_recs, clock, c->buf, &len, &taken);

	if (err) {	/* collector_add() lets no such record in */
		c->failed += nr_recs;
		complain(c, err);
		return nr_recs;
	}
	if (!len)
		return 0;
	err = send_datagram(c, len);
	if (err) {
		c->failed += taken;
		complain(c, err);
		return taken;
	}
	c->sent += taken;
	c->datagrams++;
	c->octets += len;
	if (c->refused)
		complain(c, -ECONNREFUSED);
	return taken;
}

void collector_send(struct collector *c, const struct npk_clock *clock, uint64_t came_by_ms)
{
	size_t done = 0, left;

	while (done < c->nr_pending) {
		left = c->nr_pending - done;
		if (c->since_ms[done] > came_by_ms &&
		    npk_enc_room(c->enc, c->pending + done, left, clock) >= left)
			break;
		done += send_one(c, c->pending + done, left, clock);
	}
	if (!done)
		return;
	c->nr_pending -= done;
	memmove(c->pending, c->pending + done, c->nr_pending * sizeof(c->pending[0]));
	memmove(c->nr, c->nr + done, c->nr_pending * sizeof(c->nr[0]));
	memmove(c->since_ms, c->since_ms + done, c->nr_pending * sizeof(c->since_ms[0]));
}

void collector_templates(struct collector *c, const struct npk_clock *clock)
{
	if (!c->nr_pending)
		send_one(c, NULL, 0, clock);
}
