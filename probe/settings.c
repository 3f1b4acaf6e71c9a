// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "settings.h"

void settings_source(const struct opts *o, struct npk_source_opts *so)
{
	*so = (struct npk_source_opts){
		.name = o->input,
		.filter = o->filter,
		.idle_ns = o->idle_s * NS_PER_S,
		.active_ns = o->active_s * NS_PER_S,
		.flows = o->flows,
		.leave_out = o->leave_out,
		.frag_zero = o->frag_zero,
		.discard = o->discard,
		.flush = o->flush,
	};
	if (!o->sampled_before)
		so->sampling = o->sampling;
}

void settings_stream(const struct opts *o, struct npk_enc_opts *eo)
{
	memset(eo, 0, sizeof(*eo));	/* what is between the members, too: see below */
	eo->version = (enum npk_enc_version)o->version;
	eo->source_id = o->engine;
	eo->template_id = (uint16_t)o->template_id;
	eo->fields = o->fields;
	eo->template_datagrams = o->template_datagrams;
	eo->template_ms = o->template_s * 1000;
	eo->options_ms = o->options_s * 1000;
	eo->sampling.interval = o->sampling.interval;
	eo->sampling.random = o->sampling.random;
	eo->key = o->nflow_key.octets;
	eo->key_len = o->nflow_key.len;
	eo->compress = o->version == NPK_ENC_NFLOW ? !o->nflow_plain : o->nflow9_zlib;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool settings_same_stream(const struct opts *a, const struct opts *b)
{
	struct npk_enc_opts one, two;

	settings_stream(a, &one);
	settings_stream(b, &two);
	if (one.key_len != two.key_len || memcmp(one.key, two.key, one.key_len))
		return false;
	if (!same_text(a->fields_text, b->fields_text))
		return false;
	one.key = two.key;
	one.fields = two.fields;
	return !memcmp(&one, &two, sizeof(one));
}

int settings_check(const struct parse *p)
{
	struct npk_source_opts so;
	struct npk_source *src;
	int err;

	settings_source(p->o, &so);
	err = npk_source_check(&so, &src);
	if (err)
		option_wrong(p, "%s", src ? npk_source_error(src) : strerror(-err));
	npk_source_close(src);
	if (!err)
		return -1;
	return src ? EXIT_USAGE : EXIT_FAILED;
}
