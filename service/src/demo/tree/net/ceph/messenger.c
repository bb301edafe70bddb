// SPDX-License-Identifier: GPL-2.0
/* One worker a connection: it delivers every message that arrives. */
#include <linux/ceph/messenger.h>

static void ceph_con_process_message(struct ceph_connection *con)
{
	struct ceph_msg *msg = con->in_msg;

	con->in_msg = NULL;
	con->ops->dispatch(con, msg);
}

static void ceph_con_workfn(struct work_struct *work)
{
	struct ceph_connection *con = container_of(work, struct ceph_connection, work);

	if (con->in_msg)
		ceph_con_process_message(con);
	else
		con->ops->fault(con);
}

void ceph_con_init(struct ceph_connection *con, void *private,
		   const struct ceph_connection_operations *ops)
{
	con->private = private;
	con->ops = ops;
	INIT_WORK(&con->work, ceph_con_workfn);
}
