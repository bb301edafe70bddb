CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    -- Own message id, the same for the same reply: nothing is composed or sent twice.
    message_id TEXT NOT NULL UNIQUE,
    series BIGINT NOT NULL,
    list TEXT NOT NULL,
    in_reply_to TEXT NOT NULL,
    recipients TEXT NOT NULL,
    cc TEXT NOT NULL,
    subject TEXT NOT NULL,
    raw TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT
);
CREATE INDEX outbox_by_series ON outbox (series);
CREATE INDEX outbox_by_state ON outbox (state, id);
