// SPDX-License-Identifier: GPL-2.0
/* Dirty folios of tarnfs: each holds a reference on its inode. */
#include "tarnfs.h"

/* Takes the folios' references off the inode and says how many there were. */
static int tarnfs_detach_folio(struct folio *folio)
{
	struct tarnfs_inode *ti = TARNFS_I(folio->mapping->host);
	int refs = folio->private ? 1 : 0;

	folio->private = NULL;
	ti->dirty_folios -= refs;
	return refs;
}

static void tarnfs_invalidate_folio(struct folio *folio, size_t offset, size_t length)
{
	struct inode *inode = folio->mapping->host;
	int refs;

	if (offset || length < folio_size(folio))
		return;
	refs = tarnfs_detach_folio(folio);
	tarnfs_put_folio_refs(inode, refs);
}

/* A folio past the end of the file need not be written. */
static bool tarnfs_check_folio(struct folio *folio, struct writeback_control *wbc)
{
	if (folio_pos(folio) < tarnfs_size(folio->mapping->host))
		return true;
	folio_invalidate(folio, 0, folio_size(folio));
	return false;
}

static int tarnfs_write_batch(struct folio_batch *batch, struct writeback_control *wbc)
{
	int i, written = 0;

	for (i = 0; i < folio_batch_count(batch); i++) {
		if (!tarnfs_check_folio(batch->folios[i], wbc))
			continue;
		written += tarnfs_send_folio(batch->folios[i]);
	}
	return written;
}

static int tarnfs_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	struct folio_batch batch;
	int ret = 0;

	while (ret >= 0 && tarnfs_next_batch(mapping, wbc, &batch))
		ret = tarnfs_write_batch(&batch, wbc);
	return ret < 0 ? ret : 0;
}

static bool tarnfs_release_folio(struct folio *folio, int gfp)
{
	return !folio->private;
}

static int tarnfs_migrate_folio(struct address_space *mapping, struct folio *dst,
				struct folio *src)
{
	return filemap_migrate_folio(mapping, dst, src);
}

static int tarnfs_launder_folio(struct folio *folio)
{
	return tarnfs_send_folio(folio);
}

const struct address_space_operations tarnfs_aops = {
	.writepages		= tarnfs_writepages,
	.invalidate_folio	= tarnfs_invalidate_folio,
	.release_folio		= tarnfs_release_folio,
	.migrate_folio		= tarnfs_migrate_folio,
	.launder_folio		= tarnfs_launder_folio,
};
