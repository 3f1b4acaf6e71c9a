// SPDX-License-Identifier: GPL-2.0-only
/* /dev/nprobe_k: who reads, what may be mapped how, when there is something. */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "core/ring.h"
#include "npk.h"

/* Records dropped under one hold of a shard's lock: a cache line each is read. */
#define DISCARD_STEP	256

/* The member a file has joined as, or NULL; set once, under npk.join_lock. */
static struct npk_member *member_of(const struct file *file)
{
	return READ_ONCE(file->private_data);
}

static u32 number_of(const struct npk_member *m)
{
	return m - npk.members;
}

static int open(struct inode *inode, struct file *file)
{
	file->private_data = NULL;	/* misc_open() left the miscdevice there */
	return nonseekable_open(inode, file);
}

/* The last reference is gone, mappings included: the next reader may come. */
static int release(struct inode *inode, struct file *file)
{
	struct npk_member *m = member_of(file);

	if (!m)
		return 0;
	mutex_lock(&npk.join_lock);
	WRITE_ONCE(m->left_ns, ktime_get_mono_fast_ns());
	WRITE_ONCE(m->file, NULL);
	mutex_unlock(&npk.join_lock);
	return 0;
}

static struct npk_member *find_member(const struct npk_join *j)
{
	u32 g;

	for (g = 0; g < npk.nr_groups; g++) {
		if (strcmp(npk.groups[g].name, j->group))
			continue;
		if (j->member < npk.groups[g].nr_members)
			return &npk.members[npk.groups[g].first + j->member];
	}
	return NULL;
}

/* Drop so many records, a few under each hold of the lock. */
static void discard(struct npk_shard *s, u32 member, u32 left)
{
	u32 n;

	do {
		spin_lock_bh(&s->lock);
		n = npk_ring_discard(s, member, min_t(u32, left, DISCARD_STEP));
		spin_unlock_bh(&s->lock);
		cond_resched();
		left -= n;
	} while (n);
}

/* Ready the rings for the new reader and say what waits in them. */
static void adopt_rings(struct npk_member *m, struct npk_join *j)
{
	u32 i, n = number_of(m);

	for (i = 0; i < npk.nr_shards; i++) {
		struct npk_shard *s = &npk.shards[i];
		struct npk_ring *r = &s->rings[n];
		const struct npk_rec *rec;
		u32 unread;

		spin_lock_bh(&s->lock);
		npk_ring_adopt(r);
		unread = npk_ring_unread(r);
		rec = &r->data[npk_ring_slot(r->tail, npk.cfg.ring_slots)];
		if (unread && (!j->oldest_ns || rec->last_ns < j->oldest_ns))
			j->oldest_ns = rec->last_ns;
		j->backlog += unread;
		spin_unlock_bh(&s->lock);
		if (j->flags & NPK_JOIN_DISCARD)
			discard(s, n, unread);
	}
}

static int join(struct file *file, struct npk_join *j)
{
	struct npk_member *m;

	if (j->flags & ~NPK_JOIN_DISCARD || j->_resv || j->watermark > npk.cfg.ring_slots)
		return -EINVAL;
	if (strnlen(j->group, sizeof(j->group)) == sizeof(j->group))
		return -EINVAL;
	m = find_member(j);
	if (!m)
		return -ENOENT;
	if (file->private_data || m->file)
		return -EBUSY;
	j->backlog = 0;
	j->oldest_ns = 0;
	adopt_rings(m, j);
	WRITE_ONCE(m->watermark, j->watermark ? j->watermark : npk.cfg.ring_slots / 4);
	m->complained = false;
	WRITE_ONCE(m->file, file);
	WRITE_ONCE(file->private_data, m);
	return 0;
}

static long ioctl_join(struct file *file, void __user *arg)
{
	struct npk_join j;
	int err;

	if (copy_from_user(&j, arg, sizeof(j)))
		return -EFAULT;
	mutex_lock(&npk.join_lock);
	err = join(file, &j);
	mutex_unlock(&npk.join_lock);
	if (!err && copy_to_user(arg, &j, sizeof(j)))
		return -EFAULT;
	return err;
}

static long ioctl_flush(struct file *file)
{
	if (!member_of(file) && !capable(CAP_NET_ADMIN))
		return -EPERM;
	npk_shards_flush(0);
	return 0;
}

static long ioctl_shutdown(void)
{
	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	npk_devices_detach_all("shutdown");
	npk_shards_flush(0);
	return 0;
}

static long ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case NPK_IOC_JOIN:
		return ioctl_join(file, (void __user *)arg);
	case NPK_IOC_FLUSH:
		return ioctl_flush(file);
	case NPK_IOC_SHUTDOWN:
		return ioctl_shutdown();
	}
	return -ENOTTY;
}

static void *region_memory(const struct npk_member *m, u32 ring, u32 region, unsigned long *size)
{
	struct npk_ring *r;

	*size = PAGE_SIZE;
	if (region == NPK_REGION_INFO)
		return ring ? NULL : m->info;
	if (ring >= npk.nr_shards)
		return NULL;
	r = &npk.shards[ring].rings[number_of(m)];
	if (region == NPK_REGION_PROD)
		return r->prod;
	if (region == NPK_REGION_CONS)
		return r->cons;
	*size = PAGE_ALIGN((unsigned long)npk.cfg.ring_slots * sizeof(struct npk_rec));
	return r->data;
}

/*
 * Only the consumer's page may be written, nothing may be executed, and a
 * private copy would silently be another ring.
 */
static int mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long per_ring = (4ULL << 32) >> PAGE_SHIFT;
	const unsigned long per_region = (1ULL << 32) >> PAGE_SHIFT;
	struct npk_member *m = member_of(file);
	u32 region = vma->vm_pgoff % per_ring / per_region;
	unsigned long size;
	void *memory;

	if (!m)
		return -ENXIO;
	if (vma->vm_pgoff % per_region || vma->vm_pgoff / per_ring >= npk.nr_shards)
		return -EINVAL;
	memory = region_memory(m, vma->vm_pgoff / per_ring, region, &size);
	if (!memory || vma->vm_end - vma->vm_start != size)
		return -EINVAL;
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_flags & VM_EXEC)
		return -EACCES;
	if (region != NPK_REGION_CONS) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		npk_vma_clear_maywrite(vma);
	}
	return remap_vmalloc_range(vma, memory, 0);
}

static bool at_watermark(const struct npk_member *m, bool *any)
{
	bool reached = false;
	u32 i, unread;

	*any = false;
	for (i = 0; i < npk.nr_shards && !reached; i++) {
		struct npk_shard *s = &npk.shards[i];

		spin_lock_bh(&s->lock);
		unread = npk_ring_unread(&s->rings[number_of(m)]);
		spin_unlock_bh(&s->lock);
		*any |= unread;
		reached = unread >= m->watermark;
	}
	return reached;
}

static __poll_t poll(struct file *file, poll_table *wait)
{
	struct npk_member *m = member_of(file);
	bool any, aged;

	if (!m)
		return EPOLLERR;
	poll_wait(file, &m->wait, wait);
	/* from here on a record at the watermark wakes again */
	WRITE_ONCE(m->woken, false);
	if (at_watermark(m, &any))
		return EPOLLIN | EPOLLRDNORM;
	aged = READ_ONCE(m->aged);
	WRITE_ONCE(m->aged, false);
	if (any)
		return aged ? EPOLLIN | EPOLLRDNORM : 0;
	/* tables first: what leaves them after this look is in a ring */
	if (READ_ONCE(npk.stopping) && npk_shards_empty() && !npk_member_unread(number_of(m)))
		return EPOLLHUP;
	return 0;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = open,
	.release = release,
	.unlocked_ioctl = ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = mmap,
	.poll = poll,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "nprobe_k",
	.fops = &fops,
	.mode = 0660,
};

/**
 * npk_chardev_start() - make the device node
 *
 * Return: 0 or -errno.
 */
int npk_chardev_start(void)
{
	return misc_register(&device);
}

/**
 * npk_chardev_stop() - remove it; no file is open, or the module would be in use
 */
void npk_chardev_stop(void)
{
	misc_deregister(&device);
}
