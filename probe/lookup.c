// SPDX-License-Identifier: GPL-2.0-only
/*
 * getaddrinfo() may take half a minute and cannot be stopped, so each question
 * has a detached thread.  Who comes last, the answer or the one who no longer
 * wants it, frees it.
 */
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lookup.h"

enum { ASKED, ANSWERED, FORGOTTEN };

/**
 * struct lookup - a question on its way
 * @state: ASKED, then whichever comes first of the others
 * @host: name
 * @port: its port
 * @list: the answer, NULL when there is none; valid once ANSWERED
 */
struct lookup {
	_Atomic int state;
	char host[ADDRESS_MAX];
	char port[8];
	struct addrinfo *list;
};

static int look_up(const char *host, const char *port, struct addrinfo **list)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV };
	int err = getaddrinfo(host, port, &hints, list);

	if (err)
		*list = NULL;
	return err;
}

int lookup_wait(const struct address *a, struct addrinfo **list)
{
	return look_up(a->host, a->port, list);
}

static void throw_away(struct lookup *l)
{
	if (l->list)
		freeaddrinfo(l->list);
	free(l);
}

static void *ask(void *arg)
{
	struct lookup *l = arg;

	look_up(l->host, l->port, &l->list);
	if (atomic_exchange(&l->state, ANSWERED) == FORGOTTEN)
		throw_away(l);
	return NULL;
}

struct lookup *lookup_start(const struct address *a)
{
	struct lookup *l = calloc(1, sizeof(*l));
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (!l)
		return NULL;
	strncpy(l->host, a->host, sizeof(l->host) - 1);
	strncpy(l->port, a->port, sizeof(l->port) - 1);
	err = pthread_attr_init(&attr);
	if (!err) {
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		err = pthread_create(&thread, &attr, ask, l);
		pthread_attr_destroy(&attr);
	}
	if (!err)
		return l;
	free(l);
	return NULL;
}

bool lookup_done(struct lookup *l, struct addrinfo **list)
{
	if (atomic_load(&l->state) != ANSWERED)
		return false;
	*list = l->list;
	free(l);
	return true;
}

void lookup_forget(struct lookup *l)
{
	if (l && atomic_exchange(&l->state, FORGOTTEN) == ANSWERED)
		throw_away(l);
}
