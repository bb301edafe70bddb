// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>

/* Tells the file system that part of a folio is no longer valid. */
void folio_invalidate(struct folio *folio, size_t offset, size_t length)
{
	const struct address_space_operations *aops = folio->mapping->a_ops;

	if (aops->invalidate_folio)
		aops->invalidate_folio(folio, offset, length);
}
