// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "ifnames.h"

/* One link with all its attributes, those that hypervisors add included. */
#define ANSWER_MAX	32768
/* the kernel answers at once, unless somebody changes many interfaces */
#define ANSWER_US	100000

/**
 * struct question - about one link
 * @header: of netlink
 * @link: its index
 */
struct question {
	struct nlmsghdr header;
	struct ifinfomsg link;
};

void ifnames_open(struct ifnames *n)
{
	struct timeval wait = { .tv_usec = ANSWER_US };

	memset(n, 0, sizeof(*n));
	n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (n->fd >= 0)
		setsockopt(n->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
}

void ifnames_close(struct ifnames *n)
{
	if (n->fd >= 0)
		close(n->fd);
	free(n->list);
	free(n->own);
	memset(n, 0, sizeof(*n));
	n->fd = -1;
}

/* Octets of the UTF-8 character at @s, 0 when it is none (RFC 3629); @s ends with a zero. */
static size_t character(const unsigned char *s)
{
	size_t len = *s < 0x80 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4, i;

	if ((*s >= 0x80 && *s < 0xc2) || *s > 0xf4)
		return 0;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* longer than need be, a surrogate, beyond the last character */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/* The characters that fit; what is no UTF-8, as names may be, becomes a question mark. */
static void copy_text(char *out, size_t size, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at = 0, len;

	memset(out, 0, size);
	for (; *s; s += len) {
		len = character(s);
		if (at + (len ? len : 1) >= size)
			return;
		if (len)
			memcpy(out + at, s, len);
		else
			out[at] = '?';
		len = len ? len : 1;
		at += len;
	}
}

static void take_attributes(struct npk_enc_interface *i, struct nlmsghdr *h)
{
	struct rtattr *a = IFLA_RTA(NLMSG_DATA(h));
	int len = (int)IFLA_PAYLOAD(h);

	for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		const char *text = RTA_DATA(a);

		if (!RTA_PAYLOAD(a) || text[RTA_PAYLOAD(a) - 1])
			continue;
		if (a->rta_type == IFLA_IFNAME)
			copy_text(i->name, sizeof(i->name), text);
		if (a->rta_type == IFLA_IFALIAS)
			copy_text(i->description, sizeof(i->description), text);
	}
}

/* The answer to the latest question; one to an earlier question may come late. */
static void take_answer(struct ifnames *n, struct npk_enc_interface *i)
{
	union {
		struct nlmsghdr header;
		char octets[ANSWER_MAX];
	} answer;
	ssize_t len;

	for (;;) {
		len = recv(n->fd, &answer, sizeof(answer), 0);
		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0 || !NLMSG_OK(&answer.header, (size_t)len))
			return;
		if (answer.header.nlmsg_seq == n->sequence)
			break;
	}
	if (answer.header.nlmsg_type != RTM_NEWLINK)
		return;		/* there is no such interface any more */
	memset(i->description, 0, sizeof(i->description));
	take_attributes(i, &answer.header);
	if (!*i->description)
		memcpy(i->description, i->name, sizeof(i->name));
}

static void ask(struct ifnames *n, size_t at)
{
	struct question q = {
		.header = {
			.nlmsg_len = sizeof(q),
			.nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = ++n->sequence,
		},
		.link = { .ifi_family = AF_UNSPEC, .ifi_index = (int)n->own[at] },
	};

	if (n->fd >= 0 && send(n->fd, &q, sizeof(q), 0) == sizeof(q))
		take_answer(n, &n->list[at]);
}

static bool make_room(struct ifnames *n)
{
	size_t room = n->room ? 2 * n->room : 16;
	void *list, *own;

	if (n->nr < n->room)
		return true;
	list = realloc(n->list, room * sizeof(*n->list));
	if (list)
		n->list = list;
	own = realloc(n->own, room * sizeof(*n->own));
	if (own)
		n->own = own;
	if (list && own)
		n->room = room;
	return list && own;
}

void ifnames_add(struct ifnames *n, uint32_t own, uint32_t index)
{
	size_t i;

	for (i = 0; i < n->nr; i++) {
		if (n->list[i].index == index)
			break;
	}
	if (i == n->nr) {
		if (!make_room(n))
			return;
		n->list[i] = (struct npk_enc_interface){ .index = index };
		n->own[i] = own;
		ask(n, i);
		n->nr += *n->list[i].name != 0;
	}
	n->cache[index % IFNAMES_CACHE] = index;
}

const char *ifnames_find(void *names, uint32_t index)
{
	const struct ifnames *n = names;
	size_t i;

	for (i = 0; i < n->nr; i++) {
		if (n->list[i].index == index)
			return n->list[i].name;
	}
	return NULL;
}

void ifnames_refresh(struct ifnames *n)
{
	size_t i;

	for (i = 0; i < n->nr; i++)
		ask(n, i);
	memset(n->cache, 0, sizeof(n->cache));	/* one that had no name may have one now */
}
