// SPDX-License-Identifier: GPL-2.0-only
/*
 * profile.so: a plugin of QEMU that counts how often each block of guest code runs, for
 * profile.sh.  Argument out=FILE: there, at the end, a line "ADDRESS INSTRUCTIONS" for each block,
 * address in hexadecimal, instructions executed in decimal.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is used of QEMU's interface for plugins, version 1; no package has the header. */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info_t;
enum { QEMU_PLUGIN_INLINE_ADD_U64 };
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr,
					      uint64_t imm);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, void *),
				    void *data);

#define BLOCKS	(1U << 20)

/* A block that is translated again, or cut at another place, is another one. */
struct block {
	uint64_t address;
	uint64_t instructions;
};

static struct block blocks[BLOCKS];
static uint32_t nr_blocks;
static char out[4096];

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct block *b;

	(void)id;
	if (nr_blocks == BLOCKS) {
		fputs("profile: too many blocks\n", stderr);
		exit(1);
	}
	b = &blocks[nr_blocks++];
	b->address = qemu_plugin_tb_vaddr(tb);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &b->instructions,
						 qemu_plugin_tb_n_insns(tb));
}

static void at_exit(qemu_plugin_id_t id, void *data)
{
	FILE *f = fopen(out, "w");
	uint32_t i;

	(void)id;
	(void)data;
	for (i = 0; f && i < nr_blocks; i++) {
		if (blocks[i].instructions)
			fprintf(f, "%016" PRIx64 " %" PRIu64 "\n", blocks[i].address,
				blocks[i].instructions);
	}
	if (!f || fclose(f))
		perror(out);
}

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv);

__attribute__((visibility("default")))
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4) || strlen(argv[0]) >= sizeof(out))
		return -1;
	strcpy(out, argv[0] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
