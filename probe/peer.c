// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "peer.h"

/* names are looked up again this often, and after trouble */
#define LOOKUP_MS	(5 * 60 * 1000)
#define LOOKUP_SOON_MS	10000
/* between two tries to get a working socket */
#define REOPEN_MS	1000
/*
 * A host may say only once a second that nothing listens: datagrams that are sent for
 * several seconds without an error mean that somebody does.
 */
#define QUIET_MS	5000
/* trouble that comes and goes is said this often */
#define SAY_MS		60000

static void say(const struct peer *p, const char *what, const char *why)
{
	fprintf(stderr, "nprobe-k: collector \"%s\": %s%s%s\n", p->name, what ? what : "",
		what ? ": " : "", why);
}

static void trouble(struct peer *p, int err, uint64_t now_ms)
{
	char why[128];

	p->trouble = true;
	p->quiet_ms = 0;
	if (p->lookup_ms > now_ms + LOOKUP_SOON_MS)
		p->lookup_ms = now_ms + LOOKUP_SOON_MS;
	if (p->said_ms && now_ms - p->said_ms < SAY_MS)
		return;
	p->said = true;
	p->said_ms = now_ms;
	snprintf(why, sizeof(why), "%s; some datagrams are lost", strerror(-err));
	say(p, NULL, why);
}

static void calm(struct peer *p)
{
	if (p->said)
		say(p, NULL, "datagrams go out without errors again");
	p->said = false;
	p->trouble = false;
	p->quiet_ms = 0;
}

int peer_open(struct peer *p, const char *name, const struct opts *o, struct addrinfo *list,
	      uint64_t now_ms)
{
	const char *why, *what;
	int err;

	*p = (struct peer){ .name = name, .mtu = o->mtu, .list = list, .udp.fd = -1 };
	why = address_parse(&p->address, name, o->sender);
	if (why) {
		say(p, NULL, why);
		return EXIT_USAGE;
	}
	err = list ? 0 : lookup_wait(&p->address, &p->list);
	if (err) {
		say(p, NULL, err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err));
		return EXIT_FAILED;
	}
	p->lookup_ms = now_ms + LOOKUP_MS;
	err = udp_open(&p->udp, &p->address, p->list, &what);
	if (err && what) {	/* what the user named is not there */
		say(p, what, strerror(-err));
		return EXIT_FAILED;
	}
	if (err)
		peer_failed(p, err, now_ms);
	return -1;
}

void peer_close(struct peer *p)
{
	if (!p->name)
		return;
	udp_close(&p->udp);
	lookup_forget(p->lookup);
	if (p->list)
		freeaddrinfo(p->list);
	memset(p, 0, sizeof(*p));
}

static void ask_again(struct peer *p, uint64_t now_ms)
{
	bool said = p->unasked;

	p->lookup = lookup_start(&p->address);
	p->unasked = !p->lookup;
	if (p->lookup)
		return;
	p->lookup_ms = now_ms + LOOKUP_MS;
	if (!said)
		say(p, NULL, "no thread to look it up again; its address stays for now");
}

/* Ask again in time; true when the answer is another address. */
static bool follow_name(struct peer *p, uint64_t now_ms)
{
	struct addrinfo *list;

	if (!p->lookup) {
		if (!p->address.numeric && now_ms >= p->lookup_ms)
			ask_again(p, now_ms);
		return false;
	}
	if (!lookup_done(p->lookup, &list))
		return false;
	p->lookup = NULL;
	p->lookup_ms = now_ms + LOOKUP_MS;
	if (!list)		/* nobody knew: what was known may still be right */
		return false;
	freeaddrinfo(p->list);
	p->list = list;
	return p->udp.fd < 0 || !udp_is_among(&p->udp, list);
}

static bool reopen(struct peer *p, uint64_t now_ms)
{
	const char *what;
	int err;

	udp_close(&p->udp);	/* first, for its port may be the one asked for */
	err = udp_open(&p->udp, &p->address, p->list, &what);
	p->broken = err;
	p->reopen_ms = now_ms + REOPEN_MS;
	if (err) {
		trouble(p, err, now_ms);
		return false;
	}
	p->reopened++;
	return true;
}

bool peer_heard(struct peer *p, uint64_t now_ms)
{
	uint64_t refused = p->errors.refused;

	if (!udp_errors(&p->udp, &p->errors))
		return false;
	trouble(p, p->errors.refused > refused ? -ECONNREFUSED : -EHOSTUNREACH, now_ms);
	return true;
}

bool peer_keep(struct peer *p, uint64_t now_ms)
{
	peer_heard(p, now_ms);
	if (p->quiet_ms && now_ms - p->quiet_ms >= QUIET_MS)
		calm(p);
	if (follow_name(p, now_ms))
		return reopen(p, now_ms);
	return p->broken && now_ms >= p->reopen_ms && reopen(p, now_ms);
}

/* Errors of one datagram; all others are the socket's, whose route or source is gone. */
static bool passes(int err)
{
	return err == -ENOBUFS || err == -ENOMEM || err == -EPERM || err == -EMSGSIZE;
}

void peer_failed(struct peer *p, int err, uint64_t now_ms)
{
	trouble(p, err, now_ms);
	if (passes(err) || p->broken)
		return;
	p->broken = true;
	p->reopen_ms = now_ms;
}
