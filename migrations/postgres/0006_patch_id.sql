-- `git patch-id --stable` of every patch that was linted: what `prerequisite-patch-id:` names.
CREATE TABLE patch_id (
    patch_id TEXT NOT NULL,
    mail BIGINT NOT NULL REFERENCES mail (id),
    PRIMARY KEY (patch_id, mail)
);
CREATE INDEX patch_id_by_mail ON patch_id (mail);

-- Series that were linted without a prerequisite, which had not come in.
CREATE TABLE awaited_patch (
    patch_id TEXT NOT NULL,
    series BIGINT NOT NULL REFERENCES series (id),
    PRIMARY KEY (patch_id, series)
);
CREATE INDEX awaited_patch_by_series ON awaited_patch (series);
