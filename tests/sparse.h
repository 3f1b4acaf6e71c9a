/* SPDX-License-Identifier: GPL-2.0-only */
/* What headers of 7.x kernels are written with and sparse 0.6.4 does not know. */
#ifndef NPK_SPARSE_H
#define NPK_SPARSE_H

#define __typeof_unqual__	__typeof__
/* for module_param()'s assertion that a literal has no NUL inside */
#define __builtin_strlen(s)	(sizeof(s) - 1)

#endif /* NPK_SPARSE_H */
