-- The `1` of `v5.1`.
ALTER TABLE series ADD COLUMN fraction BIGINT;
-- Whether this version sent the part itself: a reroll of some parts keeps the others of an older version.
ALTER TABLE series_part ADD COLUMN is_own BIGINT NOT NULL DEFAULT 1;
