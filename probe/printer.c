// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether write() to standard output waits cannot be known before, on a terminal
 * for example, and its flags are not ours to change.  So a thread does nothing else
 * than to write what comes out of a socket, and nobody waits for the thread.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "printer.h"

/* what the thread does: it may outlive a struct printer */
static _Atomic uint64_t written;
static _Atomic int failure;

/* One piece, which a pipe takes as a whole or not at all. */
static bool write_piece(const char *data, size_t len)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	uint64_t lines;
	ssize_t n;

	while (len) {
		n = write(STDOUT_FILENO, data, len);
		if (n < 0 && errno == EAGAIN)	/* somebody else made it so */
			poll(&p, 1, -1);
		else if (n < 0 && errno != EINTR)
			return false;
		if (n <= 0)
			continue;
		len -= (size_t)n;
		for (lines = 0; n; n--)
			lines += *data++ == '\n';
		atomic_fetch_add(&written, lines);
	}
	return true;
}

static void *write_all(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char piece[PIPE_BUF];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		if (write_piece(piece, (size_t)n))
			continue;
		atomic_store(&failure, errno);
		break;
	}
	close(fd);
	return NULL;
}

/* No signal is for this thread. */
static int start_thread(int fd)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int err = pthread_attr_init(&attr);

	if (err)
		return -err;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, write_all, (void *)(intptr_t)fd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

/* What stdio's buffer holds goes behind what waits already. */
static ssize_t keep(void *cookie, const char *data, size_t len)
{
	struct printer *p = cookie;

	if (p->err)
		return (ssize_t)len;
	if (len > sizeof(p->wait) - p->len)
		return 0;
	memcpy(p->wait + p->len, data, len);
	p->len += len;
	return (ssize_t)len;
}

int printer_open(struct printer *p)
{
	int pair[2], err;

	p->fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	err = start_thread(pair[1]);
	if (err) {
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	p->fd = pair[0];
	p->out = fopencookie(p, "w", (cookie_io_functions_t){ .write = keep });
	return p->out ? 0 : -ENOMEM;
}

int printer_push(struct printer *p)
{
	ssize_t n = 0;

	fflush(p->out);
	while (p->len && (n = send(p->fd, p->wait, p->len, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
		p->len -= (size_t)n;
		memmove(p->wait, p->wait + n, p->len);
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR && !p->err)
		p->err = -errno;
	if (atomic_load(&failure))
		p->err = -atomic_load(&failure);
	if (p->err)
		p->len = 0;
	return p->err;
}

bool printer_room(struct printer *p)
{
	if (p->len < PRINTER_ROOM)
		return true;
	printer_push(p);
	return p->len < PRINTER_ROOM;
}

void printer_wait(const struct printer *p, int timeout_ms)
{
	struct pollfd fd = { .fd = p->fd, .events = POLLOUT };

	poll(&fd, 1, timeout_ms);
}

bool printer_done(struct printer *p, int timeout_ms)
{
	struct pollfd fd = { .fd = p->fd };

	printer_push(p);
	if (p->len) {
		printer_wait(p, timeout_ms);
		return false;
	}
	shutdown(p->fd, SHUT_WR);
	/* the thread lets go of its end when it has come to ours */
	if (poll(&fd, 1, timeout_ms) <= 0)
		return false;
	printer_push(p);
	return true;
}

uint64_t printer_unwritten(const struct printer *p)
{
	return p->lines - atomic_load(&written);
}

void printer_close(struct printer *p)
{
	if (p->out)
		fclose(p->out);
	if (p->fd > 0)
		close(p->fd);
}
