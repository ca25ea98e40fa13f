-- The orchestrator's memory. Ids are text in the C collation: they sort by time and read the same everywhere.
-- What belongs to a request names it without a foreign key: only the holder of the request's row writes there, requests
-- are never deleted, and to check each of some thirty rows would cost as much again as to write them.

CREATE TABLE clients (
    id          text COLLATE "C" PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- Only a digest of each key is kept; `hint` is its last four characters, to tell keys apart.
CREATE TABLE api_keys (
    id            text COLLATE "C" PRIMARY KEY,
    client_id     text COLLATE "C" NOT NULL REFERENCES clients,
    livemode      boolean NOT NULL,
    scopes        text[] NOT NULL,
    digest        bytea NOT NULL UNIQUE,
    hint          text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz,
    revoked_at    timestamptz,
    last_used_at  timestamptz
);

-- Enrolled processors. `manifest` is the approved one; a wider one waits in `pending_manifest`.
CREATE TABLE processors (
    id                  text COLLATE "C" PRIMARY KEY,
    kind                text NOT NULL,
    enrolment_id        text COLLATE "C" NOT NULL,
    secret_version      integer NOT NULL DEFAULT 1,
    min_secret_version  integer NOT NULL DEFAULT 1,
    announced_versions  integer[] NOT NULL DEFAULT '{}',
    state               text NOT NULL DEFAULT 'enrolled' CHECK (state IN ('enrolled', 'announced', 'retired')),
    manifest            jsonb,
    manifest_version    integer,
    pending_manifest    jsonb,
    pending_version     integer,
    incarnation         text,
    enrolled_at         timestamptz NOT NULL DEFAULT now(),
    announced_at        timestamptz,
    retired_at          timestamptz,
    retired_reason      text
);

CREATE TABLE cases (
    id          text COLLATE "C" PRIMARY KEY,
    client_id   text COLLATE "C" NOT NULL REFERENCES clients,
    livemode    boolean NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- One subject, one right. `advance` asks the planner to look; `version` counts changes and orders facts;
-- `timeline_seq` and `timeline_hash` are the end of the request's hash chain.
CREATE TABLE requests (
    id                  text COLLATE "C" PRIMARY KEY,
    case_id             text COLLATE "C" NOT NULL REFERENCES cases,
    client_id           text COLLATE "C" NOT NULL REFERENCES clients,
    livemode            boolean NOT NULL,
    "right"             text NOT NULL,
    state               text NOT NULL,
    version             integer NOT NULL DEFAULT 1,
    channel             text NOT NULL,
    requester_relation  text NOT NULL,
    identity_check      text NOT NULL,
    language            text NOT NULL,
    country             text,
    metadata            jsonb NOT NULL DEFAULT '{}',
    idempotency_digest  bytea NOT NULL,
    body_digest         bytea NOT NULL,
    received_at         timestamptz NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    due_on              date NOT NULL,
    due_on_unpaused     date NOT NULL,
    due_at              timestamptz NOT NULL,
    overdue             boolean NOT NULL DEFAULT false,
    round               integer NOT NULL DEFAULT 0,
    total_tasks         integer NOT NULL DEFAULT 0,
    open_tasks          integer NOT NULL DEFAULT 0,
    settled_tasks       integer NOT NULL DEFAULT 0,
    identities_confirmed boolean NOT NULL DEFAULT false, -- an operator looked at what resolvers found
    waiting             boolean NOT NULL DEFAULT false, -- tasks of it wait for others
    complete            boolean NOT NULL DEFAULT true,
    outcome             jsonb,
    attention           jsonb,
    advance             boolean NOT NULL DEFAULT true,
    advance_after       timestamptz,
    timeline_seq        integer NOT NULL DEFAULT 0,
    timeline_hash       bytea NOT NULL DEFAULT '\x',
    traceparent         text,
    completed_at        timestamptz,
    informed_at         timestamptz,
    UNIQUE (client_id, livemode, idempotency_digest)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX requests_to_advance ON requests (id) WHERE advance;
CREATE INDEX requests_by_client ON requests (client_id, id);
CREATE INDEX requests_open_by_due ON requests (due_at) WHERE completed_at IS NULL;

-- The data key of a request, wrapped. Its own table, kept out of long backups: deleting the row shreds the request.
CREATE TABLE request_keys (
    request_id  text COLLATE "C" PRIMARY KEY,
    wrapped     bytea NOT NULL
);

-- What concerns the subject, encrypted under the request's key: identities with provenance, contact, reference.
CREATE TABLE request_secrets (
    request_id  text COLLATE "C" PRIMARY KEY,
    sealed      bytea NOT NULL
);

-- Request x processor x action x round. `findings` is the seal of a resolve report, under the processor's key.
CREATE TABLE tasks (
    id                text COLLATE "C" PRIMARY KEY,
    request_id        text COLLATE "C" NOT NULL,
    processor         text COLLATE "C" NOT NULL,
    action            text NOT NULL,
    round             integer NOT NULL,
    ordinal           integer NOT NULL DEFAULT 0,
    state             text NOT NULL,
    manifest_version  integer,
    dispatch_no       integer NOT NULL DEFAULT 0,
    phase             text,
    progress_fence    bigint NOT NULL DEFAULT -1,
    progress_sequence bigint NOT NULL DEFAULT -1,
    attention         jsonb,
    outcome           jsonb,
    findings          text,
    late              jsonb NOT NULL DEFAULT '[]',
    blocked           boolean NOT NULL DEFAULT false,
    created_at        timestamptz NOT NULL DEFAULT now(),
    dispatched_at     timestamptz,
    accepted_at       timestamptz,
    settled_at        timestamptz,
    silence_at        timestamptz,
    silences          integer NOT NULL DEFAULT 0,
    UNIQUE (request_id, processor, action, round, ordinal)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX tasks_ready ON tasks (id) WHERE state = 'ready' AND NOT blocked;
CREATE INDEX tasks_blocked ON tasks (id) WHERE state = 'ready' AND blocked;
CREATE INDEX tasks_silent ON tasks (silence_at) WHERE state IN ('dispatched', 'accepted');
CREATE INDEX tasks_open_by_processor ON tasks (processor) WHERE state NOT IN ('settled', 'cancelled');

-- The ordered facts of a request; each hash covers the one before.
CREATE TABLE timeline (
    request_id  text COLLATE "C" NOT NULL,
    seq         integer NOT NULL,
    event_id    text COLLATE "C" NOT NULL,
    type        text NOT NULL,
    at          timestamptz NOT NULL,
    task_id     text COLLATE "C",
    processor   text,
    actor       text,
    detail      text NOT NULL DEFAULT '{}', -- JSON, as it was hashed
    hash        bytea NOT NULL,
    PRIMARY KEY (request_id, seq)
);

-- One subject at a time: held from before dispatch until the request ends.
CREATE TABLE subject_locks (
    processor   text COLLATE "C" NOT NULL,
    blind       bytea NOT NULL,
    request_id  text COLLATE "C" NOT NULL,
    PRIMARY KEY (processor, blind)
);
CREATE INDEX subject_locks_by_request ON subject_locks (request_id);

-- What the subject is told.
CREATE TABLE notices (
    id           text COLLATE "C" PRIMARY KEY,
    request_id   text COLLATE "C" NOT NULL,
    case_id      text COLLATE "C" NOT NULL,
    kind         text NOT NULL,
    state        text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sent', 'bounced', 'unknown')),
    reason       text,
    dispatch_no  integer NOT NULL DEFAULT 1,
    silence_at   timestamptz,
    silences     integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL DEFAULT now(),
    answered_at  timestamptz
);
CREATE INDEX notices_silent ON notices (silence_at) WHERE state = 'due';
CREATE INDEX notices_by_request ON notices (request_id);
CREATE INDEX notices_unknown ON notices (request_id) WHERE state = 'unknown';
