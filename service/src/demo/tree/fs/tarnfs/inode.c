// SPDX-License-Identifier: GPL-2.0
/* Inodes of tarnfs. */
#include "tarnfs.h"

/* Work that must not run where it was asked for. */
static void tarnfs_inode_work(struct work_struct *work)
{
	struct tarnfs_inode *ti = container_of(work, struct tarnfs_inode, work);

	tarnfs_flush_leases(ti);
	iput(&ti->vfs_inode);
}

struct inode *tarnfs_alloc_inode(struct super_block *sb)
{
	struct tarnfs_inode *ti = tarnfs_zalloc(sb);

	if (!ti)
		return NULL;
	INIT_WORK(&ti->work, tarnfs_inode_work);
	return &ti->vfs_inode;
}

int tarnfs_write_inode(struct inode *inode, struct writeback_control *wbc)
{
	struct tarnfs_inode *ti = TARNFS_I(inode);

	if (!ti->leases)
		return 0;
	return tarnfs_send_attributes(ti, wbc);
}

void tarnfs_evict_inode(struct inode *inode)
{
	truncate_inode_pages_final(inode->i_mapping);
	tarnfs_drop_leases(TARNFS_I(inode));
}
