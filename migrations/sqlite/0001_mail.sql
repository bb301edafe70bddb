-- Ids are given out here, not by the tables: a deleted id is never given out again, and a batch takes its ids at once.
CREATE TABLE counter (
    name TEXT PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('mail', 0), ('series', 0);

CREATE TABLE list (
    id INTEGER PRIMARY KEY NOT NULL,
    address TEXT NOT NULL UNIQUE,
    policy TEXT NOT NULL
);

-- How far each source has been read; written in the transaction that stores the mails.
CREATE TABLE source (
    list BIGINT NOT NULL REFERENCES list (id),
    name TEXT NOT NULL,
    position TEXT NOT NULL,
    moved_at BIGINT NOT NULL,
    PRIMARY KEY (list, name)
);

-- One row a content: the same mail through two lists is one row, the same message id with another body is two.
CREATE TABLE mail (
    id INTEGER PRIMARY KEY NOT NULL,
    raw_hash TEXT NOT NULL UNIQUE,
    message_id TEXT NOT NULL,
    parent TEXT,
    subject TEXT NOT NULL,
    from_name TEXT NOT NULL,
    from_address TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    -- The digest that assembly reads, as JSON.
    head TEXT NOT NULL,
    -- The smallest mail id of the connected component: all mails that may influence each other's place.
    thread BIGINT NOT NULL,
    kind TEXT NOT NULL,
    -- Why it is that kind, or belongs where it belongs.
    reason TEXT NOT NULL,
    -- The series that it is part of or answers.
    series BIGINT
);
CREATE INDEX mail_by_message_id ON mail (message_id);
CREATE INDEX mail_by_thread ON mail (thread);
CREATE INDEX mail_by_series ON mail (series);

-- Apart from `mail`, so that lists of mails do not read bodies.
CREATE TABLE mail_body (
    mail BIGINT PRIMARY KEY NOT NULL REFERENCES mail (id),
    raw BLOB NOT NULL,
    text TEXT NOT NULL,
    diff BLOB
);

CREATE TABLE mail_list (
    mail BIGINT NOT NULL REFERENCES mail (id),
    list BIGINT NOT NULL REFERENCES list (id),
    source TEXT NOT NULL,
    place TEXT NOT NULL,
    PRIMARY KEY (mail, list)
);
CREATE INDEX mail_list_by_list ON mail_list (list, mail);

-- What joins mails; hashed, because a key may be long.
CREATE TABLE mail_key (
    hash BLOB PRIMARY KEY NOT NULL,
    mail BIGINT NOT NULL REFERENCES mail (id)
);

-- What could not be stored as a mail: kept, counted and shown.
CREATE TABLE refusal (
    id INTEGER PRIMARY KEY NOT NULL,
    list BIGINT NOT NULL REFERENCES list (id),
    raw_hash TEXT NOT NULL,
    source TEXT NOT NULL,
    place TEXT NOT NULL,
    reason TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    raw BLOB NOT NULL,
    refused_at BIGINT NOT NULL,
    UNIQUE (list, raw_hash)
);
