/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Readers of option values, for the table of options.  Each takes the row and
 * the value as written, and says in one sentence what is wrong with it.
 * Return: -1 to go on, else the code to exit with.
 */
#ifndef PROBE_VALUE_H
#define PROBE_VALUE_H

#include "option.h"

/* into the member of struct opts the row names: bool, unsigned int, char * */
int value_flag(struct parse *p, const struct option_def *d, const char *value);
int value_number(struct parse *p, const struct option_def *d, const char *value);
int value_text(struct parse *p, const struct option_def *d, const char *value);

/* each for one option */
int value_input(struct parse *p, const struct option_def *d, const char *value);
int value_sender(struct parse *p, const struct option_def *d, const char *value);
int value_collectors(struct parse *p, const struct option_def *d, const char *value);
int value_version(struct parse *p, const struct option_def *d, const char *value);
int value_engine(struct parse *p, const struct option_def *d, const char *value);
int value_key(struct parse *p, const struct option_def *d, const char *value);
int value_iface(struct parse *p, const struct option_def *d, const char *value);
int value_if_map(struct parse *p, const struct option_def *d, const char *value);
int value_vlan_iface(struct parse *p, const struct option_def *d, const char *value);
int value_frag(struct parse *p, const struct option_def *d, const char *value);
int value_sample(struct parse *p, const struct option_def *d, const char *value);
int value_sample_mode(struct parse *p, const struct option_def *d, const char *value);
int value_print(struct parse *p, const struct option_def *d, const char *value);
int value_config(struct parse *p, const struct option_def *d, const char *value);
int value_check_config(struct parse *p, const struct option_def *d, const char *value);
int value_noted(struct parse *p, const struct option_def *d, const char *value);
int value_show_version(struct parse *p, const struct option_def *d, const char *value);
int value_list_fields(struct parse *p, const struct option_def *d, const char *value);
int value_help(struct parse *p, const struct option_def *d, const char *value);

/* read the key that the last --nflow-key named, if any; once all options were read */
int value_read_key(struct parse *p);

#endif /* PROBE_VALUE_H */
