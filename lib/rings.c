// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kmod/core/ring.h"
#include "rings.h"

void npk_ring_begin(struct npk_ring_map *r)
{
	r->tail = r->cons->tail;
	r->looked = r->tail;
}

static uint64_t head_of(const struct npk_ring_map *ring)
{
	/* A: pairs with the module's store-release of head */
	return __atomic_load_n(&ring->prod->head, __ATOMIC_ACQUIRE);
}

void npk_rings_limit(struct npk_rings *r)
{
	uint32_t i;

	for (i = 0; i < r->nr; i++)
		r->ring[i].end = head_of(&r->ring[i]);
	r->limited = true;
}

void npk_rings_look(struct npk_rings *r)
{
	uint32_t i;

	for (i = 0; i < r->nr; i++) {
		struct npk_ring_map *ring = &r->ring[i];
		uint64_t head = r->limited ? ring->end : head_of(ring);

		while (ring->looked != head && r->shown - r->released < NPK_RINGS_WINDOW) {
			r->order[r->shown++ & (NPK_RINGS_WINDOW - 1)] = (uint16_t)i;
			ring->looked++;
		}
	}
}

size_t npk_rings_peek(const struct npk_rings *r, const struct npk_rec **recs, size_t max)
{
	uint64_t pos[r->nr];
	size_t n, i, ring;

	for (i = 0; i < r->nr; i++)
		pos[i] = r->ring[i].tail;
	n = (size_t)(r->shown - r->released);
	if (n > max)
		n = max;
	for (i = 0; i < n; i++) {
		ring = r->order[(r->released + i) & (NPK_RINGS_WINDOW - 1)];
		recs[i] = (const struct npk_rec *)(r->ring[ring].data +
			(size_t)npk_ring_slot(pos[ring]++, r->slots) * r->rec_size);
	}
	return n;
}

void npk_rings_release(struct npk_rings *r, size_t nr_recs)
{
	uint32_t i;

	while (nr_recs--)
		r->ring[r->order[r->released++ & (NPK_RINGS_WINDOW - 1)]].tail++;
	for (i = 0; i < r->nr; i++) {
		struct npk_ring_map *ring = &r->ring[i];

		/* B: pairs with the module's load-acquire of tail */
		if (ring->cons->tail != ring->tail)
			__atomic_store_n(&ring->cons->tail, ring->tail, __ATOMIC_RELEASE);
	}
}
