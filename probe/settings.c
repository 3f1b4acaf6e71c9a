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
