-- `due_at` is when a queued job may run and when the lease of a leased one ends, so that claiming and taking over
-- is one statement; `attempts` is the fencing token of everything that a worker writes.
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    priority BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    worker TEXT,
    last_error TEXT,
    -- Asked for again while a worker has it: it runs once more when that worker is done.
    is_again BIGINT NOT NULL DEFAULT 0,
    UNIQUE (kind, subject)
);
CREATE INDEX job_due ON job (state, due_at);
