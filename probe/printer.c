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

/* what the thread reads at once */
#define ROWS_OCTETS	(8 * PIPE_BUF)
/* between us and the thread; what was not written at the end is lost */
#define SOCKET_OCTETS	65536

/* what the thread does: it may outlive a struct printer */
static _Atomic uint64_t written;
static _Atomic int failure;
static _Atomic bool stopped;

static uint64_t count_lines(const char *data, size_t len)
{
	const char *end = data + len;
	uint64_t lines = 0;

	while ((data = memchr(data, '\n', (size_t)(end - data)))) {
		lines++;
		data++;
	}
	return lines;
}

static bool write_piece(const char *data, size_t len)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t n;

	while (len) {
		n = write(STDOUT_FILENO, data, len);
		if (n < 0 && errno == EAGAIN)	/* somebody else made it so */
			poll(&p, 1, -1);
		else if (n < 0 && errno != EINTR)
			break;
		if (n <= 0)
			continue;
		atomic_fetch_add(&written, count_lines(data, (size_t)n));
		data += n;
		len -= (size_t)n;
	}
	if (len)
		atomic_store(&failure, errno);
	return !len;
}

/*
 * Octets of whole rows that a pipe takes all at once or not at all, so that it never
 * ends in half a row that looks like one.  No row is as long as that; one that were
 * would be cut.
 */
static size_t piece_of(const char *rows, size_t len)
{
	size_t max = len < PIPE_BUF ? len : PIPE_BUF;
	const char *end = memrchr(rows, '\n', max);

	if (end)
		return (size_t)(end - rows) + 1;
	return max == PIPE_BUF ? max : 0;
}

static void *write_all(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char rows[ROWS_OCTETS], *at = rows;
	size_t len = 0, piece;
	bool good = true;
	ssize_t n;

	while (good && (n = read(fd, rows + len, sizeof(rows) - len)) > 0) {
		len += (size_t)n;
		for (at = rows; good && (piece = piece_of(at, len)); at += piece, len -= piece)
			good = !atomic_load(&stopped) && write_piece(at, piece);
		memmove(rows, at, len);
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
	int pair[2], size = SOCKET_OCTETS, err;

	p->fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
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
	uint64_t lines;
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
	lines = atomic_load(&written);
	p->written = lines > p->heading ? lines - p->heading : 0;
	if (p->err) {
		p->len = 0;
		p->rows = p->written;
	}
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

void printer_stop(struct printer *p)
{
	atomic_store(&stopped, true);
	printer_push(p);
}

bool printer_report(struct printer *p, const char *who, uint64_t flows)
{
	unsigned long long lost = flows - p->written;

	p->rows = p->written;
	if (!p->err && !lost)
		return true;
	fprintf(stderr, "%s: standard output: ", who);
	if (p->err)
		fputs(strerror(-p->err), stderr);
	if (lost)
		fprintf(stderr, "%s%llu flows were not printed", p->err ? "; " : "", lost);
	fputs(p->err ? "\n" : ", its reader did not take them\n", stderr);
	return false;
}

void printer_close(struct printer *p)
{
	if (p->out)
		fclose(p->out);
	if (p->fd > 0)
		close(p->fd);
}
