-- The rows of Habeas with the keys that finding them again needs, and no constraint, index or column beyond.
DROP SCHEMA IF EXISTS floor CASCADE;
CREATE SCHEMA floor;
CREATE TABLE floor.requests (
    id text COLLATE "C" PRIMARY KEY, case_id text, client_id text, livemode boolean, "right" text, state text,
    received_at timestamptz, due_on date, identities bytea, wrapped bytea, total_tasks int, open_tasks int,
    timeline_seq int, timeline_hash bytea, outcome text, traceparent text, completed_at timestamptz
);
CREATE INDEX ON floor.requests (id) WHERE state = 'received';
CREATE TABLE floor.tasks (
    id text COLLATE "C" PRIMARY KEY, request_id text COLLATE "C", processor text, action text, state text,
    outcome text, dispatched_at timestamptz, settled_at timestamptz
);
CREATE TABLE floor.timeline (
    request_id text COLLATE "C", seq int, event_id text, type text, at timestamptz, task_id text, processor text,
    detail text, hash bytea, PRIMARY KEY (request_id, seq)
);
CREATE TABLE floor.subjects (processor text, blind bytea, request_id text COLLATE "C", PRIMARY KEY (processor, blind));
CREATE INDEX ON floor.subjects (request_id);
CREATE TABLE floor.held (
    id text COLLATE "C" PRIMARY KEY, request_id text COLLATE "C", processor text, state text, seal text, answer text
);
CREATE TABLE floor.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY, topic text, key text, headers text, value bytea
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
CREATE TABLE floor.reports (
    id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY, topic text, key text, headers text, value bytea
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
