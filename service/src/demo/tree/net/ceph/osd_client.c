// SPDX-License-Identifier: GPL-2.0
#include <linux/ceph/messenger.h>

/* Runs in the worker of the connection. */
void ceph_osdc_complete(struct ceph_osd_request *req, int result)
{
	req->r_result = result;
	if (req->r_callback)
		req->r_callback(req);
}
