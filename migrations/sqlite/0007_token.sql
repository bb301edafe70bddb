-- Who may hand mails over by HTTP. Only the hash is kept: what was printed once cannot be read again.
CREATE TABLE token (
    id INTEGER PRIMARY KEY NOT NULL,
    list BIGINT NOT NULL REFERENCES list (id),
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT
);
