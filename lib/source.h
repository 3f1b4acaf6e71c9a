/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a record source implements; <npk/npk.h> is the public face of it. */
#ifndef NPK_LIB_SOURCE_H
#define NPK_LIB_SOURCE_H

#include <npk/npk.h>

/** NPK_ERROR_MAX - octets of a source's error sentence */
#define NPK_ERROR_MAX	512

/**
 * struct npk_source_ops - a kind of source; members as in <npk/npk.h>
 * @prefix: what its names start with, e.g. "pcap:"; "kmod" may stand alone
 * @open: set up; @arg is the name without the prefix
 * @check: see npk_source_check(); @ops is the kind itself
 * @set_timeouts: see npk_source_set_timeouts(), or NULL
 * @close: free everything
 * @fd: see npk_source_fd()
 * @work: see npk_source_work()
 * @expire_all: see npk_source_expire_all()
 * @peek: see npk_source_peek()
 * @release: see npk_source_release()
 * @clock: see npk_source_clock()
 * @stats: see npk_source_stats(); @stats is zeroed
 * @backlog: see npk_source_backlog(), or NULL
 */
struct npk_source_ops {
	const char *prefix;
	int (*open)(const char *arg, const struct npk_source_opts *opts, struct npk_source **out);
	int (*check)(const struct npk_source_ops *ops, const char *arg,
		     const struct npk_source_opts *opts, struct npk_source **out);
	void (*close)(struct npk_source *src);
	void (*set_timeouts)(struct npk_source *src, uint64_t idle_ns, uint64_t active_ns);
	int (*fd)(const struct npk_source *src);
	int (*work)(struct npk_source *src);
	int (*expire_all)(struct npk_source *src);
	size_t (*peek)(struct npk_source *src, const struct npk_rec **recs, size_t max);
	void (*release)(struct npk_source *src, size_t nr_recs);
	void (*clock)(const struct npk_source *src, struct npk_clock *clock);
	void (*stats)(const struct npk_source *src, struct npk_source_stats *stats);
	void (*backlog)(const struct npk_source *src, uint64_t *records, uint64_t *age_ns);
};

/**
 * struct npk_source - what all sources have in common; first member of each
 * @ops: its kind
 * @error: last error, one sentence without a full stop
 */
struct npk_source {
	const struct npk_source_ops *ops;
	char error[NPK_ERROR_MAX];
};

/**
 * npk_source_fail() - keep the sentence of an error
 * @src: source
 * @err: negative errno, returned
 * @fmt: as for printf
 *
 * Return: @err.
 */
int npk_source_fail(struct npk_source *src, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

extern const struct npk_source_ops npk_src_pcap;
extern const struct npk_source_ops npk_src_live;
extern const struct npk_source_ops npk_src_kmod;

#endif /* NPK_LIB_SOURCE_H */
