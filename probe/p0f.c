// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "p0f.h"

/* Text that grows, cut at P0F_MAX. */
static void add(char *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(char *out, const char *fmt, ...)
{
	size_t len = strlen(out);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out + len, P0F_MAX - len, fmt, ap);
	va_end(ap);
}

/* Routers on the way, from the next usual initial TTL; more than this is no guess any more. */
#define DISTANCE_MAX	35

static void add_ttl(char *out, unsigned int ttl)
{
	unsigned int initial = ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;

	if (initial - ttl <= DISTANCE_MAX)
		add(out, "%u+%u", ttl, initial - ttl);
	else
		add(out, "%u+?", ttl);
}

static void add_layout(char *out, const struct npk_syn *syn)
{
	static const char *const name[16] = {
		[NPK_SYN_OPT_NOP] = "nop", [NPK_SYN_OPT_MSS] = "mss",
		[NPK_SYN_OPT_WSCALE] = "ws", [NPK_SYN_OPT_SACK_OK] = "sok",
		[NPK_SYN_OPT_SACK] = "sack", [NPK_SYN_OPT_TIMESTAMP] = "ts",
		[NPK_SYN_OPT_EOL] = "eol", [NPK_SYN_OPT_OTHER] = "?",
	};
	unsigned int i, option;

	for (i = 0; i < NPK_SYN_OPTIONS_MAX; i++) {
		option = syn->options >> 4 * i & 15;
		if (!option)
			break;
		add(out, "%s%s", i ? "," : "", name[option] ? name[option] : "?");
		if (option == NPK_SYN_OPT_EOL)
			add(out, "+%u", syn->eol_pad);
	}
	if (syn->flags & NPK_SYN_MORE)
		add(out, ",...");
}

static void add_quirks(char *out, const struct npk_syn *syn)
{
	/* in the order of the bits of enum npk_syn_quirk */
	static const char *const name[16] = {
		"df", "id+", "id-", "ecn", "0+", "flow", "seq-", "ack+", "ack-", "uptr+",
		"urgf+", "pushf+", "ts1-", "ts2+", "opt+", "exws",
	};
	const char *comma = "";
	unsigned int i;

	for (i = 0; i < 16; i++) {
		if (!(syn->quirks & 1U << i))
			continue;
		add(out, "%s%s", comma, name[i]);
		comma = ",";
	}
	if (syn->flags & NPK_SYN_BAD)
		add(out, "%sbad", comma);
}

void p0f_signature(char *out, const struct npk_rec *rec)
{
	const struct npk_syn *syn = &rec->syn;

	*out = '\0';
	if (!(syn->flags & NPK_SYN_SEEN))
		return;
	add(out, "%u:", rec->ip_version);
	add_ttl(out, syn->ttl);
	add(out, ":%u:%u:%u,%u:", syn->ip_options, syn->mss, syn->window, syn->wscale);
	add_layout(out, syn);
	add(out, ":");
	add_quirks(out, syn);
	add(out, ":%c", syn->flags & NPK_SYN_PAYLOAD ? '+' : '0');
}
