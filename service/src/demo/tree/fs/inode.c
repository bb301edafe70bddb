// SPDX-License-Identifier: GPL-2.0
/* Life and death of inodes. */
#include <linux/fs.h>

void ihold(struct inode *inode)
{
	atomic_inc(&inode->i_count);
}

struct inode *igrab(struct inode *inode)
{
	spin_lock(&inode->i_lock);
	if (inode->i_state & I_FREEING) {
		spin_unlock(&inode->i_lock);
		return NULL;
	}
	atomic_inc(&inode->i_count);
	spin_unlock(&inode->i_lock);
	return inode;
}

/* Waits for writeback of the inode, then throws it away. */
static void evict(struct inode *inode)
{
	inode_wait_for_writeback(inode);
	inode->i_sb->s_op->evict_inode(inode);
}

void iput(struct inode *inode)
{
	if (!inode)
		return;
	if (atomic_dec_and_lock(&inode->i_count, &inode->i_lock))
		evict(inode);
}
