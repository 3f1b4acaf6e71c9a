/* SPDX-License-Identifier: GPL-2.0-only */
/* The only file that knows how kernels differ; Kbuild looks which of it a kernel has. */
#ifndef NPK_COMPAT_H
#define NPK_COMPAT_H

#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>
#include <linux/vmalloc.h>

/* vm_flags is constant since 6.3. */
#ifdef NPK_VM_FLAGS_CLEAR
static inline void npk_vma_clear_maywrite(struct vm_area_struct *vma)
{
	vm_flags_clear(vma, VM_MAYWRITE);
}
#else
static inline void npk_vma_clear_maywrite(struct vm_area_struct *vma)
{
	vma->vm_flags &= ~VM_MAYWRITE;
}
#endif

/* Zeroed memory, in huge pages where the kernel can (5.18). */
#ifdef NPK_VMALLOC_HUGE
static inline void *npk_alloc_large(unsigned long size)
{
	return vmalloc_huge(size, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
}
#else
static inline void *npk_alloc_large(unsigned long size)
{
	return __vmalloc(size, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
}
#endif

/* Is an XDP program attached to this device, in any mode? (5.15 counts them; under rtnl) */
#ifdef NPK_XDP_PROG_COUNT
static inline bool npk_dev_has_xdp(struct net_device *dev)
{
	return dev_xdp_prog_count(dev);
}
#else
static inline bool npk_dev_has_xdp(struct net_device *dev)
{
	int mode;

	for (mode = 0; mode < __MAX_XDP_MODE; mode++) {
		if (dev->xdp_state[mode].prog || dev->xdp_state[mode].link)
			return true;
	}
	return false;
}
#endif

/* Is a tc classifier in the receive path of this device? (5.10; tcx since 6.6) */
#if defined(NPK_TCX) && defined(CONFIG_NET_XGRESS)
static inline bool npk_dev_has_tc(const struct net_device *dev)
{
	return rcu_access_pointer(dev->tcx_ingress);
}
#elif !defined(NPK_TCX) && defined(CONFIG_NET_CLS_ACT)
static inline bool npk_dev_has_tc(const struct net_device *dev)
{
	return rcu_access_pointer(dev->miniq_ingress);
}
#else
static inline bool npk_dev_has_tc(const struct net_device *dev)
{
	return false;
}
#endif

/*
 * The processor's cycle counter, and the counter that the kernel's time is made of.
 * User-mode Linux asks its host, which does not say what it makes of; a rate that stays the
 * same has to do there.
 */
#if defined(CONFIG_UML) && defined(CONFIG_X86)
static inline u64 npk_cycles(void)
{
	return __builtin_ia32_rdtsc();
}
#else
static inline u64 npk_cycles(void)
{
	return get_cycles();
}
#endif

#if defined(CONFIG_UML) && defined(CONFIG_X86)
static inline u64 npk_clocksource_cycles(void)
{
	return npk_cycles();
}
#elif defined(NPK_SNAPSHOT_ID)
static inline u64 npk_clocksource_cycles(void)
{
	struct system_time_snapshot snap;

	ktime_get_snapshot_id(CLOCK_MONOTONIC, &snap);
	return snap.cycles;
}
#else
static inline u64 npk_clocksource_cycles(void)
{
	struct system_time_snapshot snap;

	ktime_get_snapshot(&snap);
	return snap.cycles;
}
#endif

/* softnet_data.dropped was a number until 6.10. */
#if defined(NPK_SOFTNET_DROP_COUNTERS)
static inline u32 npk_cpu_softnet_drops(int cpu)
{
	return numa_drop_read(&per_cpu(softnet_data, cpu).drop_counters);
}
#elif defined(NPK_SOFTNET_DROPPED_ATOMIC)
static inline u32 npk_cpu_softnet_drops(int cpu)
{
	return atomic_read(&per_cpu(softnet_data, cpu).dropped);
}
#else
static inline u32 npk_cpu_softnet_drops(int cpu)
{
	return per_cpu(softnet_data, cpu).dropped;
}
#endif

/* Packets that all CPUs' backlogs refused since the system started. */
static inline u64 npk_softnet_drops(void)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += npk_cpu_softnet_drops(cpu);
	return sum;
}

#endif /* NPK_COMPAT_H */
