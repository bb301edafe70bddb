// SPDX-License-Identifier: GPL-2.0
/* Mounting, and the connection to the server. */
#include "tarnfs.h"

static void tarnfs_dispatch(struct ceph_connection *con, struct ceph_msg *msg)
{
	struct tarnfs_sb *ts = con->private;

	switch (msg->type) {
	case TARNFS_MSG_LEASE:
		tarnfs_handle_lease(ts, msg);
		break;
	case TARNFS_MSG_REVOKE:
		tarnfs_handle_revoke(ts, msg);
		break;
	}
}

static void tarnfs_fault(struct ceph_connection *con)
{
	tarnfs_reconnect(con->private);
}

/* The user gives up a file: nothing is locked here, and nothing waits for us. */
long tarnfs_ioctl_forget(struct super_block *sb, unsigned long ino)
{
	struct inode *inode = ilookup(sb, ino);

	if (!inode)
		return -ENOENT;
	tarnfs_return_leases(inode);
	return 0;
}

const struct ceph_connection_operations tarnfs_con_ops = {
	.dispatch	= tarnfs_dispatch,
	.fault		= tarnfs_fault,
};

static const struct super_operations tarnfs_super_ops = {
	.alloc_inode	= tarnfs_alloc_inode,
	.write_inode	= tarnfs_write_inode,
	.evict_inode	= tarnfs_evict_inode,
};

int tarnfs_fill_super(struct super_block *sb, struct tarnfs_sb *ts)
{
	sb->s_op = &tarnfs_super_ops;
	sb->s_fs_info = ts;
	ts->sb = sb;
	ceph_con_init(&ts->con, ts, &tarnfs_con_ops);
	return 0;
}
