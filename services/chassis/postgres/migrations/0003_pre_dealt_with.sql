-- Who redrove or discarded a dead letter: a client's id, or `command line`; when, and the reason that was given.
ALTER TABLE dead_letters
    ADD COLUMN dealt_at timestamptz,
    ADD COLUMN dealt_by text,
    ADD COLUMN dealt_reason text;
