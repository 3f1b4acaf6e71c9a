// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stats.h"

void stats_add(struct totals *t, const struct collector *c)
{
	t->read += c->read;
	t->sent += c->sent;
	t->failed += c->failed;
	t->not_exportable += collector_not_exportable(c);
	t->waiting += collector_pending(c);
	t->datagrams += c->datagrams;
	t->lost.refused += c->peer.errors.refused;
	t->lost.unreachable += c->peer.errors.unreachable;
}

void stats_totals(const struct export *x, struct totals *t)
{
	unsigned int i;

	*t = x->former;
	for (i = 0; i < x->nr_collectors; i++)
		stats_add(t, x->collectors[i]);
	if (!x->nr_collectors) {
		t->read = x->read;
		t->sent = x->o->print == PRINT_NONE ? x->read : x->printer.written;
		t->waiting = printer_waiting(&x->printer);
		t->failed = t->read - t->sent - t->waiting;
	}
}

static const char *sent_how(const struct export *x)
{
	if (x->nr_collectors)
		return "sent";
	return x->o->print == PRINT_NONE ? "counted only" : "printed";
}

static uint64_t not_sampled(const struct npk_source_stats *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_ignored; i++) {
		if (!strcmp(s->ignored[i].name, "not_sampled"))
			return s->ignored[i].packets;
	}
	return 0;
}

void stats_line(FILE *out, const struct npk_source *src, const struct export *x)
{
	struct npk_source_stats s;
	struct totals t;
	uint64_t skipped;

	npk_source_stats(src, &s);
	stats_totals(x, &t);
	skipped = not_sampled(&s);
	fprintf(out, "nprobe-k: %" PRIu64 " packets: %" PRIu64 " accounted, %" PRIu64 " ignored, ",
		s.seen, s.accounted.packets, s.seen - s.accounted.packets - skipped);
	if (skipped)
		fprintf(out, "%" PRIu64 " not sampled, ", skipped);
	fprintf(out, "%" PRIu64 " dropped before the meter; ", s.dropped);
	fprintf(out, "flows: %" PRIu64 " read, %" PRIu64 " %s", t.read, t.sent, sent_how(x));
	if (x->nr_collectors)
		fprintf(out, " in %" PRIu64 " datagrams, %" PRIu64 " failed, %" PRIu64
			" not exportable", t.datagrams, t.failed, t.not_exportable);
	if (t.lost.refused)
		fprintf(out, ", %" PRIu64 " refused by the collector's host", t.lost.refused);
	if (t.lost.unreachable)
		fprintf(out, ", %" PRIu64 " did not reach it", t.lost.unreachable);
	if (s.early)
		fprintf(out, "; %" PRIu64 " closed early, the table is too small (-M)", s.early);
	fputc('\n', out);
}

static void json_named(FILE *out, const char *name, const struct npk_named *n, unsigned int nr)
{
	unsigned int i;

	fprintf(out, "\"%s\":{", name);
	for (i = 0; i < nr; i++)
		fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "", n[i].name, n[i].packets);
	fputs("}", out);
}

static void json_count(FILE *out, const char *name, const struct npk_count *n)
{
	fprintf(out, "\"%s\":{\"packets\":%" PRIu64 ",\"octets\":%" PRIu64 "}", name, n->packets,
		n->octets);
}

static void json_source(FILE *out, const struct npk_source *src)
{
	struct npk_source_stats s;

	npk_source_stats(src, &s);
	fprintf(out, "\"source\":{\"frames\":%" PRIu64 ",\"seen\":%" PRIu64 ",", s.frames, s.seen);
	json_named(out, "ignored", s.ignored, s.nr_ignored);
	fputc(',', out);
	json_count(out, "unparsed", &s.unparsed);
	fputc(',', out);
	json_count(out, "accounted", &s.accounted);
	fputc(',', out);
	json_count(out, "live", &s.live);
	fputc(',', out);
	json_count(out, "published", &s.published);
	fputc(',', out);
	json_count(out, "lost", &s.lost);
	fputc(',', out);
	json_named(out, "notes", s.notes, s.nr_notes);
	fprintf(out, ",\"records\":%" PRIu64 ",\"early\":%" PRIu64 ",\"flows\":%" PRIu64
		",\"slots\":%" PRIu64 ",\"merged\":%" PRIu64 ",\"dropped\":%" PRIu64 "}", s.records,
		s.early, s.flows, s.slots, s.merged, s.dropped);
}

static void json_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(out, "\\u%04x", *text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void json_collector(FILE *out, const struct collector *c)
{
	const char *comma = "";
	char peer[UDP_PEER_MAX];
	size_t i;

	udp_peer(&c->peer.udp, peer);
	fputs("{\"name\":", out);
	json_text(out, c->name);
	fprintf(out, ",\"address\":\"%s\",\"payload\":%zu,\"trouble\":%s,\"reopened\":%" PRIu64,
		peer, c->payload, c->peer.trouble ? "true" : "false", c->peer.reopened);
	fprintf(out, ",\"read\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"failed\":%" PRIu64
		",\"waiting\":%zu,\"datagrams\":%" PRIu64 ",\"octets\":%" PRIu64, c->read, c->sent,
		c->failed, collector_pending(c), c->datagrams, c->octets);
	fprintf(out, ",\"refused\":%" PRIu64 ",\"unreachable\":%" PRIu64 ",\"not_exportable\":{",
		c->peer.errors.refused, c->peer.errors.unreachable);
	for (i = 0; i < NPK_REASONS_MAX && c->not_exportable[i].reason; i++) {
		fprintf(out, "%s\"%s\":%" PRIu64, comma, c->not_exportable[i].reason,
			c->not_exportable[i].records);
		comma = ",";
	}
	fputs("}}", out);
}

static void json_export(FILE *out, const struct export *x)
{
	struct totals t;
	unsigned int i;

	stats_totals(x, &t);
	fprintf(out, "\"export\":{\"records\":%" PRIu64 ",\"printed\":%" PRIu64 ",\"read\":%" PRIu64
		",\"sent\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"not_exportable\":%" PRIu64
		",\"waiting\":%" PRIu64, x->read, x->printer.written, t.read, t.sent, t.failed,
		t.not_exportable, t.waiting);
	t = x->former;
	fprintf(out, ",\"former\":{\"read\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"failed\":%" PRIu64
		",\"waiting\":%" PRIu64 ",\"not_exportable\":%" PRIu64 "},\"collectors\":[",
		t.read, t.sent, t.failed, t.waiting, t.not_exportable);
	for (i = 0; i < x->nr_collectors; i++) {
		if (i)
			fputc(',', out);
		json_collector(out, x->collectors[i]);
	}
	fputs("]}", out);
}

/* One write, so that a reader sees the old text or the new one. */
static int replace_text(int fd, const char *text, size_t len)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return -errno;
	n = S_ISREG(st.st_mode) ? pwrite(fd, text, len, 0) : write(fd, text, len);
	if (n < 0)
		return -errno;
	if (S_ISREG(st.st_mode) && ftruncate(fd, n))
		return -errno;
	return n == (ssize_t)len ? 0 : -ENOSPC;
}

int stats_json(int fd, const struct npk_source *src, const struct export *x)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err = -ENOMEM;

	if (!out)
		return err;
	fputc('{', out);
	json_source(out, src);
	fputc(',', out);
	json_export(out, x);
	fputs("}\n", out);
	if (!fclose(out))
		err = replace_text(fd, text, len);
	free(text);
	return err;
}
