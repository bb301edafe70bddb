-- The latest run of the linter on a series.
CREATE TABLE review (
    series BIGINT PRIMARY KEY NOT NULL REFERENCES series (id),
    state TEXT NOT NULL,
    reason TEXT,
    tree TEXT,
    rev TEXT,
    how TEXT,
    why TEXT,
    final_tree TEXT,
    finished_at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    unchanged_count BIGINT NOT NULL,
    gaps TEXT NOT NULL,
    warnings TEXT NOT NULL,
    -- What was linted: the series' input digest and the heads of the trees.
    input_digest TEXT NOT NULL,
    trees_digest TEXT NOT NULL
);

CREATE TABLE review_patch (
    series BIGINT NOT NULL REFERENCES series (id),
    number BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (series, number)
);

CREATE TABLE finding (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    series BIGINT NOT NULL REFERENCES series (id),
    -- From 1; 0 is the net of the series.
    patch BIGINT NOT NULL,
    state TEXT NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    confidence TEXT NOT NULL,
    file TEXT NOT NULL,
    line BIGINT NOT NULL,
    col BIGINT NOT NULL,
    function TEXT NOT NULL,
    statement TEXT NOT NULL,
    message TEXT NOT NULL,
    help TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    anchor_file TEXT,
    anchor_line BIGINT,
    in_diff BIGINT NOT NULL,
    found_at BIGINT NOT NULL,
    -- Contexts, call chain and related places, as JSON.
    detail TEXT NOT NULL
);
CREATE INDEX finding_by_series ON finding (series, patch);
CREATE INDEX finding_by_time ON finding (found_at, id);
CREATE INDEX finding_by_rule ON finding (rule, patch);
CREATE INDEX finding_by_fingerprint ON finding (fingerprint);
