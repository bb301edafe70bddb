/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __FS_CEPH_MESSENGER_H
#define __FS_CEPH_MESSENGER_H

#include <linux/workqueue.h>

struct ceph_connection;

struct ceph_msg {
	int type;
	void *front;
};

struct ceph_connection_operations {
	struct ceph_connection *(*get)(struct ceph_connection *);
	void (*put)(struct ceph_connection *);
	void (*dispatch)(struct ceph_connection *con, struct ceph_msg *m);
	void (*fault)(struct ceph_connection *con);
	void (*peer_reset)(struct ceph_connection *con);
	struct ceph_msg *(*alloc_msg)(struct ceph_connection *con, int type);
	void (*reencode_message)(struct ceph_msg *msg);
	void *(*get_authorizer)(struct ceph_connection *con);
	int (*verify_authorizer_reply)(struct ceph_connection *con);
	int (*invalidate_authorizer)(struct ceph_connection *con);
};

struct ceph_connection {
	void *private;
	const struct ceph_connection_operations *ops;
	struct ceph_msg *in_msg;
	struct work_struct work;
};

struct ceph_osd_request {
	void *r_priv;
	int r_result;
	void (*r_callback)(struct ceph_osd_request *req);
};

struct ceph_mds_request {
	void (*r_callback)(struct ceph_mds_request *req);
};

struct ceph_mon_generic_request {
	void (*complete_cb)(struct ceph_mon_generic_request *req);
};

struct ceph_client {
	int (*extra_mon_dispatch)(struct ceph_client *client, struct ceph_msg *msg);
};

void ceph_con_init(struct ceph_connection *con, void *private,
		   const struct ceph_connection_operations *ops);
void ceph_osdc_complete(struct ceph_osd_request *req, int result);

#endif
