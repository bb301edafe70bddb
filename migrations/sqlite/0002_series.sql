CREATE TABLE series (
    id INTEGER PRIMARY KEY NOT NULL,
    thread BIGINT NOT NULL,
    state TEXT NOT NULL,
    review TEXT NOT NULL,
    title TEXT NOT NULL,
    author_name TEXT NOT NULL,
    author_address TEXT NOT NULL,
    version BIGINT NOT NULL,
    total BIGINT NOT NULL,
    received BIGINT NOT NULL,
    is_complete BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    cover BIGINT,
    supersedes BIGINT,
    base_commit TEXT,
    prefixes TEXT NOT NULL,
    reasons TEXT NOT NULL,
    reply_count BIGINT NOT NULL,
    new_count BIGINT NOT NULL DEFAULT 0,
    new_error_count BIGINT NOT NULL DEFAULT 0,
    fixed_count BIGINT NOT NULL DEFAULT 0,
    -- Over everything that assembly says: an unchanged series is not written again.
    assembly_digest TEXT NOT NULL,
    -- Over what the linter reads: only a changed one is linted again.
    input_digest TEXT NOT NULL
);
CREATE INDEX series_by_activity ON series (active_at, id);
CREATE INDEX series_by_thread ON series (thread);
CREATE INDEX series_by_supersedes ON series (supersedes);

-- Place 0 is the cover letter; a place without a mail has not arrived.
CREATE TABLE series_part (
    series BIGINT NOT NULL REFERENCES series (id),
    number BIGINT NOT NULL,
    mail BIGINT,
    version BIGINT NOT NULL,
    title TEXT NOT NULL,
    PRIMARY KEY (series, number)
);
CREATE INDEX series_part_by_mail ON series_part (mail);

CREATE TABLE series_list (
    series BIGINT NOT NULL REFERENCES series (id),
    list BIGINT NOT NULL REFERENCES list (id),
    PRIMARY KEY (series, list)
);
CREATE INDEX series_list_by_list ON series_list (list, series);

-- A series that turned out to be part of another: links to it still lead somewhere.
CREATE TABLE series_alias (
    old BIGINT PRIMARY KEY NOT NULL,
    series BIGINT NOT NULL
);
