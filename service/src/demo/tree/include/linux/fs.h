/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_FS_H
#define _LINUX_FS_H

struct folio;
struct inode;
struct iomap;
struct super_block;
struct writeback_control;

struct address_space_operations {
	int (*writepages)(struct address_space *, struct writeback_control *);
	void (*invalidate_folio)(struct folio *, size_t offset, size_t len);
	bool (*release_folio)(struct folio *, int gfp);
	int (*migrate_folio)(struct address_space *, struct folio *dst, struct folio *src);
	int (*launder_folio)(struct folio *);
};

struct address_space {
	struct inode *host;
	const struct address_space_operations *a_ops;
};

struct folio {
	struct address_space *mapping;
	void *private;
};

struct inode {
	unsigned long i_ino;
	unsigned long i_state;
	atomic_t i_count;
	spinlock_t i_lock;
	struct super_block *i_sb;
	struct address_space *i_mapping;
};

struct super_operations {
	struct inode *(*alloc_inode)(struct super_block *sb);
	int (*write_inode)(struct inode *, struct writeback_control *wbc);
	int (*drop_inode)(struct inode *);
	void (*evict_inode)(struct inode *);
};

struct super_block {
	const struct super_operations *s_op;
	void *s_fs_info;
};

void iput(struct inode *inode);
void ihold(struct inode *inode);
struct inode *igrab(struct inode *inode);
struct inode *ilookup(struct super_block *sb, unsigned long ino);

#endif
