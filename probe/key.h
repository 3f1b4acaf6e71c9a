/* SPDX-License-Identifier: GPL-2.0-only */
/* The key of nFlow digests, given as text or in a file. */
#ifndef PROBE_KEY_H
#define PROBE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** KEY_MAX - octets a key may have */
#define KEY_MAX	256

/**
 * struct key - a key
 * @octets: of which @len count
 * @len: 0: none was given
 * @once: it was in a pipe or the like, which says nothing a second time
 */
struct key {
	uint8_t octets[KEY_MAX];
	size_t len;
	bool once;
};

/**
 * key_read() - read a key
 * @key: out
 * @value: the key itself, or @FILE: the file's first line
 * @again: not at the start: a file has to be one that can be read without waiting
 * @why: out: what is wrong with it, static or of strerror()
 *
 * Return: -1 to go on, else the code to exit with.
 */
int key_read(struct key *key, const char *value, bool again, const char **why);

#endif /* PROBE_KEY_H */
