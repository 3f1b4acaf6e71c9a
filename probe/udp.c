// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <time.h>		/* which the next one forgets */
#include <linux/errqueue.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "udp.h"

#define HEADERS_V4	28	/* IPv4 and UDP */
#define HEADERS_V6	48
/* what jumbo frames carry; collectors read no larger datagrams as a rule */
#define MTU_MOST	9000

/* Send from the source address and port the user named. */
static int bind_source(int fd, int family, const struct address *a)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_DGRAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	struct addrinfo *list;
	int err = 0, on = 1;

	if (!a->source && !a->source_port)
		return 0;
	/* collectors may share one port to send from: connected, each hears of its own only */
	if (a->source_port)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (getaddrinfo(a->source, a->source_port ? a->source_port : "0", &hints, &list))
		return -EAFNOSUPPORT;	/* an address of the other family */
	if (bind(fd, list->ai_addr, list->ai_addrlen))
		err = -errno;
	freeaddrinfo(list);
	return err;
}

static int bind_device(int fd, const struct address *a)
{
	if (!a->device)
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, a->device,
			  (socklen_t)strlen(a->device)) ? -errno : 0;
}

/* Errors are queued one by one, and a datagram a device's queue has no room for is one. */
static void want_errors(int fd, int family)
{
	int on = 1;

	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
}

static int open_one(struct udp *u, const struct address *a, const struct addrinfo *to,
		    const char **what)
{
	int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	*what = NULL;
	if (fd < 0)
		return -errno;
	err = bind_device(fd, a);
	if (err) {
		*what = a->device;
	} else {
		err = bind_source(fd, to->ai_family, a);
		if (err)
			*what = a->source ? a->source : a->source_port;
	}
	if (!err && connect(fd, to->ai_addr, to->ai_addrlen))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	want_errors(fd, to->ai_family);
	u->fd = fd;
	u->family = to->ai_family;
	memset(&u->peer, 0, sizeof(u->peer));
	memcpy(&u->peer, to->ai_addr, to->ai_addrlen);
	return 0;
}

int udp_open(struct udp *u, const struct address *a, const struct addrinfo *list,
	     const char **what)
{
	int err = -EADDRNOTAVAIL;

	u->fd = -1;
	for (; list; list = list->ai_next) {
		err = open_one(u, a, list, what);
		if (!err)
			break;
	}
	return err;
}

void udp_close(struct udp *u)
{
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
}

size_t udp_payload(const struct udp *u, unsigned int mtu)
{
	int level = u->family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int name = u->family == AF_INET6 ? IPV6_MTU : IP_MTU;
	size_t headers = u->family == AF_INET6 ? HEADERS_V6 : HEADERS_V4;
	int route = 0;
	socklen_t len = sizeof(route);

	if (u->fd < 0)
		return 0;
	if (!mtu) {
		if (getsockopt(u->fd, level, name, &route, &len) || route <= 0)
			return 0;
		mtu = route < MTU_MOST ? (unsigned int)route : MTU_MOST;
	}
	return mtu > headers ? mtu - headers : 0;
}

/* One message of the error queue; -1 when it is empty. */
static int next_error(int fd)
{
	char control[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6))];
	struct msghdr m = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct sock_extended_err e;
	struct cmsghdr *c;

	if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return -1;
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (!((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		      (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		return (int)e.ee_errno;
	}
	return 0;
}

unsigned int udp_errors(struct udp *u, struct udp_errors *e)
{
	unsigned int nr = 0;
	int code;

	while (u->fd >= 0 && (code = next_error(u->fd)) >= 0) {
		if (code == ECONNREFUSED)
			e->refused++;
		else
			e->unreachable++;
		nr++;
	}
	return nr;
}

static bool same(const struct sockaddr_storage *a, const struct addrinfo *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b->ai_addr;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b->ai_addr;

	if (a->ss_family != b->ai_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr && a4->sin_port == b4->sin_port;
	return !memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) &&
	       a6->sin6_port == b6->sin6_port && a6->sin6_scope_id == b6->sin6_scope_id;
}

bool udp_is_among(const struct udp *u, const struct addrinfo *list)
{
	for (; list; list = list->ai_next) {
		if (same(&u->peer, list))
			return true;
	}
	return false;
}

void udp_peer(const struct udp *u, char text[UDP_PEER_MAX])
{
	const struct sockaddr *peer = (const void *)&u->peer;
	char host[64], port[8];

	*text = '\0';
	if (u->fd < 0 || getnameinfo(peer, sizeof(u->peer), host, sizeof(host), port, sizeof(port),
				     NI_NUMERICHOST | NI_NUMERICSERV | NI_DGRAM))
		return;
	snprintf(text, UDP_PEER_MAX, u->family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
