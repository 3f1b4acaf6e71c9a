// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"

static const struct npk_source_ops *const kinds[] = { &npk_src_pcap, &npk_src_live,
						     &npk_src_kmod };

int npk_source_fail(struct npk_source *src, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(src->error, sizeof(src->error), fmt, ap);
	va_end(ap);
	return err;
}

static void no_close(struct npk_source *src)
{
	free(src);
}

/* A source that only carries the sentence why no real one could be made. */
static int no_such_kind(const char *name, struct npk_source **out)
{
	static const struct npk_source_ops none = { .prefix = "", .close = no_close };

	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->ops = &none;
	return npk_source_fail(*out, -EINVAL,
			       "%s: no such kind of source (kmod, live:DEV or pcap:FILE)", name);
}

/* The kind a name asks for, and what the name says behind the prefix; or NULL. */
static const struct npk_source_ops *find_kind(const char *name, const char **arg)
{
	size_t i, n;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		n = strlen(kinds[i]->prefix);
		*arg = name + n;
		if (!strncmp(name, kinds[i]->prefix, n) &&
		    (kinds[i]->prefix[n - 1] == ':' || !**arg || **arg == ':'))
			return kinds[i];
	}
	return NULL;
}

int npk_source_open(const struct npk_source_opts *opts, struct npk_source **out)
{
	const char *arg;
	const struct npk_source_ops *kind = find_kind(opts->name, &arg);

	*out = NULL;
	return kind ? kind->open(arg, opts, out) : no_such_kind(opts->name, out);
}

int npk_source_check(const struct npk_source_opts *opts, struct npk_source **out)
{
	const char *arg;
	const struct npk_source_ops *kind = find_kind(opts->name, &arg);

	*out = NULL;
	return kind ? kind->check(kind, arg, opts, out) : no_such_kind(opts->name, out);
}

int npk_source_set_timeouts(struct npk_source *src, uint64_t idle_ns, uint64_t active_ns)
{
	if (!src->ops->set_timeouts)
		return -EOPNOTSUPP;
	src->ops->set_timeouts(src, idle_ns, active_ns);
	return 0;
}

void npk_source_close(struct npk_source *src)
{
	if (src)
		src->ops->close(src);
}

const char *npk_source_error(const struct npk_source *src)
{
	return src->error;
}

int npk_source_fd(const struct npk_source *src)
{
	return src->ops->fd(src);
}

int npk_source_work(struct npk_source *src)
{
	return src->ops->work(src);
}

int npk_source_expire_all(struct npk_source *src)
{
	return src->ops->expire_all(src);
}

size_t npk_source_peek(struct npk_source *src, const struct npk_rec **recs, size_t max)
{
	return src->ops->peek(src, recs, max);
}

void npk_source_release(struct npk_source *src, size_t nr_recs)
{
	src->ops->release(src, nr_recs);
}

void npk_source_clock(const struct npk_source *src, struct npk_clock *clock)
{
	src->ops->clock(src, clock);
}

void npk_source_stats(const struct npk_source *src, struct npk_source_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	src->ops->stats(src, stats);
}

void npk_source_backlog(const struct npk_source *src, uint64_t *records, uint64_t *age_ns)
{
	*records = 0;
	*age_ns = 0;
	if (src->ops->backlog)
		src->ops->backlog(src, records, age_ns);
}

const char *npk_version(void)
{
	return NPK_VERSION;
}
