// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Encoders: what does not depend on the version. */
#include <errno.h>
#include <stdlib.h>

#include "enc.h"
#include "seal.h"
#include "sets.h"

static const struct npk_enc_format *format_of(enum npk_enc_version version)
{
	switch (version) {
	case NPK_ENC_NF5:
		return &npk_enc_nf5;
	case NPK_ENC_NF9:
		return &npk_enc_nf9;
	case NPK_ENC_IPFIX:
		return &npk_enc_ipfix;
	case NPK_ENC_NFLOW:
		return &npk_enc_nflow;
	case NPK_ENC_NFLOW9:
		return &npk_enc_nflow9;
	}
	return NULL;
}

int npk_enc_new_templates(const struct npk_enc_opts *opts,
			  const struct npk_enc_template templates[__NPK_ENC_FAMILY_MAX],
			  struct npk_enc **out)
{
	const struct npk_enc_format *format = format_of(opts->version);
	struct npk_enc *enc;
	int err;

	*out = NULL;
	if (!format || opts->max_payload < NPK_ENC_MIN_DATAGRAM ||
	    opts->max_payload > NPK_ENC_MAX_DATAGRAM)
		return -EINVAL;
	enc = calloc(1, sizeof(*enc));
	if (!enc)
		return -ENOMEM;
	enc->format = format;
	enc->opts = *opts;
	enc->resend = true;
	enc->announce = true;
	err = format->init ? format->init(enc, templates) : 0;
	enc->opts.key = NULL;	/* the caller's */
	enc->opts.fields = NULL;	/* the caller's */
	if (err) {
		npk_enc_free(enc);
		return err;
	}
	*out = enc;
	return 0;
}

int npk_enc_new(const struct npk_enc_opts *opts, struct npk_enc **out)
{
	return npk_enc_new_templates(opts, NULL, out);
}

void npk_enc_free(struct npk_enc *enc)
{
	if (enc)
		npk_seal_free(enc->seal);
	free(enc);
}

const char *npk_enc_exportable(const struct npk_enc *enc, const struct npk_rec *rec)
{
	if (rec->ip_version != 4 && rec->ip_version != 6)
		return "bad_ip_version";
	/* No source makes such a record; collectors throw it away. */
	if (!rec->packets || !rec->octets)
		return "empty_record";
	return enc->format->exportable(enc, rec);
}

size_t npk_enc_room(const struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		    const struct npk_clock *clock)
{
	return enc->format->room(enc, recs, nr_recs, clock);
}

int npk_enc_datagram(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		     const struct npk_clock *clock, uint8_t *buf, size_t *len, size_t *taken)
{
	*len = 0;
	*taken = 0;
	return enc->format->datagram(enc, recs, nr_recs, clock, buf, len, taken);
}

int npk_enc_set_max_payload(struct npk_enc *enc, size_t max_payload)
{
	if (max_payload < NPK_ENC_MIN_DATAGRAM || max_payload > NPK_ENC_MAX_DATAGRAM)
		return -EINVAL;
	if (max_payload < enc->min_payload)
		return -EMSGSIZE;
	enc->opts.max_payload = max_payload;
	return 0;
}

void npk_enc_continue(struct npk_enc *enc, const struct npk_enc *before)
{
	if (enc->opts.source_id == before->opts.source_id) {
		enc->sequence = before->sequence;
		enc->split = before->split;
	}
	if (enc->format->sets && enc->format == before->format)
		npk_sets_continue(enc, before);
}

void npk_enc_resend_templates(struct npk_enc *enc)
{
	enc->resend = true;
}

bool npk_enc_templates_due(const struct npk_enc *enc, size_t nr_recs,
			   const struct npk_clock *clock)
{
	const struct npk_enc_opts *opts = &enc->opts;
	int64_t age_ns = (int64_t)(clock->now_ns - enc->templates_ns);

	if (nr_recs && enc->records_next)
		return false;
	if (enc->resend)
		return true;
	/* A capture's clock may step back: a little is no reason to send them. */
	if (age_ns < 0)
		age_ns = -age_ns;
	/* the count is of datagrams with records: templates alone do not call for more */
	if (nr_recs && opts->template_datagrams && enc->since_templates >= opts->template_datagrams)
		return true;
	return opts->template_ms && age_ns >= (int64_t)opts->template_ms * NPK_NS_PER_MS;
}

void npk_enc_templates_account(struct npk_enc *enc, const struct npk_clock *clock, bool sent,
			       bool alone)
{
	enc->records_next = alone;
	if (sent) {
		enc->resend = false;
		enc->since_templates = 0;
		enc->templates_ns = clock->now_ns;
	}
	enc->since_templates++;
}
