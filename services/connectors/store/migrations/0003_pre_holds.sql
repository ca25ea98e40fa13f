-- What must be kept although its subject asked for erasure, until it may go: kept here beyond the task, its closing and its
-- tombstone. Nothing personal stands here in the clear: `sealed` holds references, categories and keyed fingerprints of
-- what the items were matched by, under `wrapped`, a data key of this hold alone; deleting the row shreds it.
-- `until` is the first day on which the items may go, null while it is not known.
CREATE TABLE holds (
    task_id    text COLLATE "C" NOT NULL,
    ordinal    integer NOT NULL,
    processor  text COLLATE "C" NOT NULL,
    livemode   boolean NOT NULL,
    ground     text NOT NULL,
    until      date,
    count      integer NOT NULL,
    wrapped    bytea NOT NULL,
    sealed     bytea NOT NULL,
    placed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (task_id, ordinal)
);
