// SPDX-License-Identifier: GPL-2.0
/* The flusher: dirty inodes to disk. */
#include <linux/fs.h>
#include <linux/workqueue.h>

static int __writeback_single_inode(struct inode *inode, struct writeback_control *wbc)
{
	int ret = do_writepages(inode->i_mapping, wbc);

	if (!ret)
		ret = inode->i_sb->s_op->write_inode(inode, wbc);
	return ret;
}

int writeback_single_inode(struct inode *inode, struct writeback_control *wbc)
{
	return __writeback_single_inode(inode, wbc);
}

static long writeback_sb_inodes(struct super_block *sb, struct writeback_control *wbc)
{
	struct inode *inode = wb_next_inode(sb);

	return __writeback_single_inode(inode, wbc);
}

static long __writeback_inodes_wb(struct super_block *sb, struct writeback_control *wbc)
{
	return writeback_sb_inodes(sb, wbc);
}

static long wb_writeback(struct super_block *sb, struct writeback_control *wbc)
{
	return __writeback_inodes_wb(sb, wbc);
}

static long wb_do_writeback(struct super_block *sb, struct writeback_control *wbc)
{
	return wb_writeback(sb, wbc);
}

void wb_workfn(struct work_struct *work)
{
	wb_do_writeback(wb_super(work), wb_control(work));
}
