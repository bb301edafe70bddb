/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TARNFS_H
#define _TARNFS_H

#include <linux/ceph/messenger.h>
#include <linux/fs.h>
#include <linux/workqueue.h>

#define TARNFS_MSG_LEASE	1
#define TARNFS_MSG_REVOKE	2

struct tarnfs_sb {
	struct super_block *sb;
	struct workqueue_struct *inode_wq;
	struct ceph_connection con;
};

struct tarnfs_inode {
	struct inode vfs_inode;
	struct work_struct work;
	unsigned long flags;
	int dirty_folios;
	int leases;
};

static inline struct tarnfs_inode *TARNFS_I(struct inode *inode)
{
	return container_of(inode, struct tarnfs_inode, vfs_inode);
}

/* inode.c */
int tarnfs_write_inode(struct inode *inode, struct writeback_control *wbc);
void tarnfs_evict_inode(struct inode *inode);
struct inode *tarnfs_alloc_inode(struct super_block *sb);

/* leases.c */
void tarnfs_put_folio_refs(struct inode *inode, int refs);
void tarnfs_return_leases(struct inode *inode);
void tarnfs_handle_lease(struct tarnfs_sb *ts, struct ceph_msg *msg);
void tarnfs_handle_revoke(struct tarnfs_sb *ts, struct ceph_msg *msg);

extern const struct address_space_operations tarnfs_aops;
extern const struct ceph_connection_operations tarnfs_con_ops;

#endif
