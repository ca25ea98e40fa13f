-- What a host remembers of its tasks. Nothing personal stands here in the clear: `seal` and `findings` are under the
-- processor's key, the journal is under a data key of the task. A closed task is a tombstone without either.

-- `next_at` is when to work on it; `holder` the worker that does, under `fence`. `tries` counts all tries, `attempt`
-- those that met a defect since a person last asked, `retries` the pauses in a row that the host chose itself.
-- `phase`, `attention` and `reason` are what was last reported. `rules` is JSON: retention and purposes.
CREATE TABLE tasks (
    id            text COLLATE "C" PRIMARY KEY,
    request_id    text COLLATE "C" NOT NULL,
    processor     text COLLATE "C" NOT NULL,
    livemode      boolean NOT NULL,
    state         text NOT NULL CHECK (state IN ('open', 'parked', 'unsealable', 'settled', 'closed')),
    dispatch_no   integer NOT NULL,
    cancelled     boolean NOT NULL DEFAULT false,
    action        text,
    "right"       text,
    due_at        timestamptz,
    not_after     timestamptz,
    forget_after  timestamptz,
    keep_until    timestamptz NOT NULL,
    seal          text,
    rules         text,
    traceparent   text,
    received_at   timestamptz NOT NULL DEFAULT now(),
    accepted_no   integer NOT NULL DEFAULT 0,
    holder        text,
    fence         bigint NOT NULL DEFAULT 0,
    next_at       timestamptz NOT NULL DEFAULT now(),
    tries         integer NOT NULL DEFAULT 0,
    attempt       integer NOT NULL DEFAULT 1,
    retries       integer NOT NULL DEFAULT 0,
    max_passes    integer NOT NULL DEFAULT 3,
    phase         text,
    attention     text,
    reason        text,
    answer        text,
    findings      text,
    settled_at    timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX tasks_to_claim ON tasks (processor, next_at, id) WHERE state = 'open' AND holder IS NULL;
CREATE INDEX tasks_held ON tasks (holder) WHERE holder IS NOT NULL;
CREATE INDEX tasks_to_accept ON tasks (received_at) WHERE state IN ('open', 'parked') AND accepted_no < dispatch_no;
-- "IS NOT NULL" keeps it from claims: statistics of an hour when all tasks were closed make it look small.
CREATE INDEX tasks_to_forget ON tasks (forget_after) WHERE forget_after IS NOT NULL AND state <> 'closed';
CREATE INDEX tasks_to_delete ON tasks (keep_until) WHERE state = 'closed';

-- What a task found and did, in order; `wrapped` on the first row is the task's data key. Deleting the rows shreds it.
CREATE TABLE journal (
    task_id  text COLLATE "C" NOT NULL,
    seq      integer NOT NULL,
    wrapped  bytea,
    sealed   bytea NOT NULL,
    PRIMARY KEY (task_id, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.02);

-- One row for each worker process: it lives while it beats.
CREATE TABLE workers (
    id          text PRIMARY KEY,
    expires_at  timestamptz NOT NULL
);
