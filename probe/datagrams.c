// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "datagrams.h"
#include "opts.h"
#include "udpframe.h"

/* what a burst may need while flows are printed */
#define RECEIVE_BUFFER	(8 << 20)

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static int failed(const struct datagrams *g, const char *why, int code)
{
	fprintf(stderr, "npkctl: %s: %s\n", g->name, why);
	return code;
}

/* While waiting for datagrams is when signals are taken. */
static void take_signals(bool block)
{
	struct sigaction act = { .sa_handler = stop };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (block)
		sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
}

static int set_filter(struct datagrams *g, const char *filter)
{
	struct bpf_program program;
	int err;

	if (!filter)
		return -1;
	if (pcap_compile(g->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN)) {
		fprintf(stderr, "npkctl: --bpf-filter \"%s\": %s\n", filter, pcap_geterr(g->pcap));
		return EXIT_USAGE;
	}
	err = pcap_setfilter(g->pcap, &program);
	pcap_freecode(&program);
	return err ? failed(g, pcap_geterr(g->pcap), EXIT_FAILED) : -1;
}

static int open_file(struct datagrams *g, const char *path, const char *filter)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	FILE *file = fopen(path, "rbe");

	if (!file)
		return failed(g, strerror(errno), EXIT_FAILED);
	g->pcap = pcap_fopen_offline(file, err);
	if (!g->pcap) {
		fclose(file);
		return failed(g, err, EXIT_FAILED);
	}
	if (!udpframe_knows(pcap_datalink(g->pcap)))
		return failed(g, "a link type that npkctl does not know", EXIT_FAILED);
	return set_filter(g, filter);
}

static int say_listening(const struct datagrams *g)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char host[64], port[8];

	if (getsockname(g->fd, (struct sockaddr *)&addr, &len) ||
	    getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return failed(g, strerror(errno), EXIT_FAILED);
	fprintf(stderr, "npkctl: listening on udp://[%s]:%s, stop with Ctrl-C\n", host, port);
	return -1;
}

static int listen_at(struct datagrams *g, const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE }, *a;
	int err = getaddrinfo(*host ? host : "::", port, &hints, &a), size = RECEIVE_BUFFER, no = 0;

	if (err)
		return failed(g, gai_strerror(err), EXIT_FAILED);
	g->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
	if (g->fd >= 0 && a->ai_family == AF_INET6)	/* IPv4 as well */
		setsockopt(g->fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	if (g->fd >= 0 && setsockopt(g->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(g->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (g->fd < 0 && !*host) {	/* a system without IPv6 */
		freeaddrinfo(a);
		return listen_at(g, "0.0.0.0", port);
	}
	err = g->fd < 0 || bind(g->fd, a->ai_addr, a->ai_addrlen) ? errno : 0;
	freeaddrinfo(a);
	return err ? failed(g, strerror(err), EXIT_FAILED) : say_listening(g);
}

/* [ADDRESS]:PORT, ADDRESS:PORT or :PORT */
static int open_socket(struct datagrams *g, const char *text)
{
	char *copy = strdup(text), *host = copy, *port = copy ? strrchr(copy, ':') : NULL;
	size_t digits = port ? strspn(port + 1, "0123456789") : 0;
	int code;

	if (!digits || digits > 5 || port[1 + digits] || atoi(port + 1) > 65535) {
		free(copy);
		return failed(g, "not udp://[ADDRESS]:PORT", EXIT_USAGE);
	}
	*port++ = '\0';
	if (*host == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		host++;
	}
	code = listen_at(g, host, port);
	free(copy);
	return code;
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n > m && !strcmp(text + n - m, suffix);
}

int datagrams_open(struct datagrams *g, const char *name, const char *filter)
{
	g->name = name;
	g->pcap = NULL;
	g->fd = -1;
	take_signals(!strncmp(name, "udp://", 6));
	if (!strncmp(name, "udp://", 6))
		return filter ? failed(g, "--bpf-filter is for files", EXIT_USAGE) :
				open_socket(g, name + 6);
	if (!strncmp(name, "pcap:", 5))
		return open_file(g, name + 5, filter);
	if (has_suffix(name, ".pcap") || has_suffix(name, ".pcapng"))
		return open_file(g, name, filter);
	return failed(g, "none of pcap:FILE, FILE.pcap, udp://[ADDRESS]:PORT", EXIT_USAGE);
}

static bool next_in_file(struct datagrams *g, struct datagram *d, int *code)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int n = 0;

	while (!stopped && (n = pcap_next_ex(g->pcap, &h, &data)) == 1) {
		if (!udpframe_payload(pcap_datalink(g->pcap), data, h->caplen, d))
			continue;
		d->when_s = h->ts.tv_sec;
		return true;
	}
	if (stopped)
		*code = failed(g, "interrupted", EXIT_FAILED);
	else if (n == PCAP_ERROR)
		*code = failed(g, pcap_geterr(g->pcap), EXIT_FAILED);
	return false;
}

static void set_from(struct npk_verify_from *from, const struct sockaddr_storage *addr)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)addr;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)addr;

	memset(from, 0, sizeof(*from));
	if (addr->ss_family == AF_INET6) {
		memcpy(from->addr, &v6->sin6_addr, 16);
		from->port = ntohs(v6->sin6_port);
	} else {
		udpframe_map_ipv4(from->addr, (const uint8_t *)&v4->sin_addr);
		from->port = ntohs(v4->sin_port);
	}
}

bool datagrams_quiet(const struct datagrams *g, int output)
{
	struct pollfd p[] = {
		{ .fd = g->fd, .events = POLLIN },
		{ .fd = output, .events = POLLOUT },
	};
	sigset_t none;

	if (g->pcap)
		return false;
	sigemptyset(&none);
	if (!stopped && ppoll(p, 2, NULL, &none) < 0)
		return !stopped;
	return !stopped && !p[0].revents;
}

static bool next_to_arrive(struct datagrams *g, struct datagram *d, int *code)
{
	struct pollfd p = { .fd = g->fd, .events = POLLIN };
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	sigset_t none;
	ssize_t n;

	sigemptyset(&none);
	while (!stopped) {
		if (ppoll(&p, 1, NULL, &none) < 0)
			continue;	/* a signal: it has been noted, or is none of ours */
		n = recvfrom(g->fd, g->buf, sizeof(g->buf), MSG_DONTWAIT,
			     (struct sockaddr *)&addr, &len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0) {
			*code = failed(g, strerror(errno), EXIT_FAILED);
			return false;
		}
		set_from(&d->from, &addr);
		d->when_s = time(NULL);
		d->data = g->buf;
		d->len = (size_t)n;
		return true;
	}
	return false;
}

bool datagrams_next(struct datagrams *g, struct datagram *d, int *code)
{
	*code = 0;
	return g->pcap ? next_in_file(g, d, code) : next_to_arrive(g, d, code);
}

bool datagrams_stopped(void)
{
	sigset_t set;

	if (!sigpending(&set))	/* blocked but for the wait for datagrams */
		stopped |= sigismember(&set, SIGINT) || sigismember(&set, SIGTERM);
	return stopped;
}

void datagrams_close(struct datagrams *g)
{
	if (g->pcap)
		pcap_close(g->pcap);
	if (g->fd >= 0)
		close(g->fd);
}
