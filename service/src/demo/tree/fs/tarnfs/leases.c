// SPDX-License-Identifier: GPL-2.0
/* Leases: what the server lets us cache. */
#include "tarnfs.h"

/* Drops the references of folios that are no longer dirty. */
void tarnfs_put_folio_refs(struct inode *inode, int refs)
{
	struct tarnfs_inode *ti = TARNFS_I(inode);

	if (!refs)
		return;
	if (!ti->dirty_folios)
		tarnfs_clear_dirty(ti);
	while (refs--)
		iput(inode);
}

/* The server grants a lease. */
void tarnfs_handle_lease(struct tarnfs_sb *ts, struct ceph_msg *msg)
{
	struct inode *inode = ilookup(ts->sb, tarnfs_msg_ino(msg));

	if (!inode)
		return;
	TARNFS_I(inode)->leases = tarnfs_msg_leases(msg);
	iput(inode);
}

/* The server wants a lease back. */
void tarnfs_handle_revoke(struct tarnfs_sb *ts, struct ceph_msg *msg)
{
	struct inode *inode = ilookup(ts->sb, tarnfs_msg_ino(msg));
	struct tarnfs_inode *ti;

	if (!inode)
		return;
	ti = TARNFS_I(inode);
	ti->leases &= ~tarnfs_msg_leases(msg);
	/* The worker drops the reference. */
	queue_work(ts->inode_wq, &ti->work);
}

/* Gives all leases of an inode back, and the caller's reference with them. */
void tarnfs_return_leases(struct inode *inode)
{
	struct tarnfs_inode *ti = TARNFS_I(inode);

	tarnfs_send_return(ti, ti->leases);
	ti->leases = 0;
	iput(inode);
}
