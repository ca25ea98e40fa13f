-- A request that follows another because what was known of it has changed: why, and the how manieth in a row it is.
ALTER TABLE requests
    ADD COLUMN follows text COLLATE "C",
    ADD COLUMN cause text,
    ADD COLUMN in_a_row integer NOT NULL DEFAULT 0;
CREATE INDEX requests_following ON requests (follows) WHERE follows IS NOT NULL;

-- A task that acts on what an earlier task kept until a day, instead of searching.
ALTER TABLE tasks
    ADD COLUMN follows text COLLATE "C",
    ADD COLUMN held_until date;

-- What processors keep although it was asked to be erased: one row for each such line of a task's outcome. `until` is the
-- first day on which it may go; at `due_at` a follow-up request is opened, `follow_up` names it, and the hold has ended.
-- A hold without an end has no `due_at`; one that would be followed too often `stays` until somebody looks.
CREATE TABLE holds (
    task_id     text COLLATE "C" NOT NULL,
    ordinal     integer NOT NULL,
    request_id  text COLLATE "C" NOT NULL,
    processor   text COLLATE "C" NOT NULL,
    category    text NOT NULL,
    ground      text,
    until       date,
    count       integer NOT NULL,
    state       text NOT NULL DEFAULT 'placed' CHECK (state IN ('placed', 'ended', 'stays')),
    due_at      timestamptz,
    placed_at   timestamptz NOT NULL,
    ended_at    timestamptz,
    follow_up   text COLLATE "C",
    PRIMARY KEY (task_id, ordinal)
);
CREATE INDEX holds_due ON holds (due_at) WHERE state = 'placed' AND due_at IS NOT NULL;
CREATE INDEX holds_by_request ON holds (request_id);
