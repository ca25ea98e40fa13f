-- Who had a new version of a processor's secret made, and who revoked older ones.
ALTER TABLE processors
    ADD COLUMN rotated_at timestamptz,
    ADD COLUMN rotated_by text COLLATE "C",
    ADD COLUMN revoked_at timestamptz,
    ADD COLUMN revoked_by text COLLATE "C";
