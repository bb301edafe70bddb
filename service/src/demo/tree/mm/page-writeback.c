// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>

int do_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	return mapping->a_ops->writepages(mapping, wbc);
}
