-- name: lock_requests
-- Locks requests in the order of their ids, so that two writers never wait for each other in a ring.
SELECT id, case_id, client_id, livemode, "right", state, version, language, received_at, created_at, due_on, due_at,
       round, total_tasks, open_tasks, settled_tasks, waiting, complete, outcome, attention, advance,
       advance_after, timeline_seq, timeline_hash, traceparent, completed_at, informed_at,
       identities_confirmed, package_until, package_open
FROM requests
WHERE id = ANY ($1::text[])
ORDER BY id
FOR UPDATE;

-- name: try_lock_requests
-- The same, leaving out requests that somebody else has.
SELECT id, case_id, client_id, livemode, "right", state, version, language, received_at, created_at, due_on, due_at,
       round, total_tasks, open_tasks, settled_tasks, waiting, complete, outcome, attention, advance,
       advance_after, timeline_seq, timeline_hash, traceparent, completed_at, informed_at,
       identities_confirmed, package_until, package_open
FROM requests
WHERE id = ANY ($1::text[])
ORDER BY id
FOR UPDATE SKIP LOCKED;

-- name: claim_to_plan
-- Requests that the planner was asked to look at.
SELECT id, case_id, client_id, livemode, "right", state, version, language, received_at, created_at, due_on, due_at,
       round, total_tasks, open_tasks, settled_tasks, waiting, complete, outcome, attention, advance,
       advance_after, timeline_seq, timeline_hash, traceparent, completed_at, informed_at,
       identities_confirmed, package_until, package_open
FROM requests
WHERE advance AND (advance_after IS NULL OR advance_after <= $1)
ORDER BY id
LIMIT $2
FOR UPDATE SKIP LOCKED;

-- name: claim_these_to_plan
-- Some of them.
SELECT id, case_id, client_id, livemode, "right", state, version, language, received_at, created_at, due_on, due_at,
       round, total_tasks, open_tasks, settled_tasks, waiting, complete, outcome, attention, advance,
       advance_after, timeline_seq, timeline_hash, traceparent, completed_at, informed_at,
       identities_confirmed, package_until, package_open
FROM requests
WHERE id = ANY ($2::text[]) AND advance AND (advance_after IS NULL OR advance_after <= $1)
ORDER BY id
FOR UPDATE SKIP LOCKED;

-- name: tasks_of_requests
-- Every task of some requests.
SELECT id, request_id, processor, action, round, ordinal, state, manifest_version, dispatch_no, phase, progress_fence,
       progress_sequence, attention, outcome, findings, late, blocked, dispatched_at, accepted_at, settled_at,
       silence_at, silences, export, unknown_fields, behind, follows, held_until
FROM tasks
WHERE request_id = ANY ($1::text[])
ORDER BY id;

-- name: tasks_by_id
-- Some tasks.
SELECT id, request_id, processor, action, round, ordinal, state, manifest_version, dispatch_no, phase, progress_fence,
       progress_sequence, attention, outcome, findings, late, blocked, dispatched_at, accepted_at, settled_at,
       silence_at, silences, export, unknown_fields, behind, follows, held_until
FROM tasks
WHERE id = ANY ($1::text[])
ORDER BY id;

-- name: requests_of_tasks
-- Which requests some tasks belong to.
SELECT id, request_id FROM tasks WHERE id = ANY ($1::text[]);

-- name: ready_tasks
-- Tasks that may be sent, oldest first.
SELECT id, request_id FROM tasks WHERE state = 'ready' AND NOT blocked ORDER BY id LIMIT $1;

-- name: silent_tasks
-- Tasks that nobody has spoken of for too long.
SELECT id, request_id
FROM tasks
WHERE silence_at <= $1 AND state IN ('dispatched', 'accepted')
ORDER BY silence_at
LIMIT $2;

-- name: unanswered_tasks
-- Tasks that were sent and not settled: after a change of cluster all of them are sent again.
SELECT id, request_id FROM tasks WHERE state IN ('dispatched', 'accepted') AND id > $1 ORDER BY id LIMIT $2;

-- name: secrets_of_requests
-- Wrapped keys and sealed secrets of some requests.
SELECT k.request_id, k.wrapped, s.sealed
FROM request_keys AS k
JOIN request_secrets AS s USING (request_id)
WHERE k.request_id = ANY ($1::text[]);

-- name: save_secrets
-- Replaces sealed secrets.
UPDATE request_secrets AS s SET sealed = c.sealed
FROM unnest($1::text[], $2::bytea[]) AS c(request_id, sealed)
WHERE s.request_id = c.request_id;

-- name: save_requests
-- Writes the changed columns of locked requests.
UPDATE requests AS r
SET state = c.state, version = c.version, round = c.round, total_tasks = c.total_tasks, open_tasks = c.open_tasks,
    settled_tasks = c.settled_tasks, complete = c.complete, outcome = c.outcome::jsonb,
    attention = c.attention::jsonb, advance = c.advance, advance_after = c.advance_after,
    timeline_seq = c.timeline_seq, timeline_hash = c.timeline_hash, completed_at = c.completed_at,
    informed_at = c.informed_at, waiting = c.waiting, identities_confirmed = c.identities_confirmed,
    package_until = c.package_until, package_open = c.package_open
FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::bool[], $9::text[],
            $10::text[], $11::bool[], $12::timestamptz[], $13::int[], $14::bytea[], $15::timestamptz[],
            $16::timestamptz[], $17::bool[], $18::bool[], $19::timestamptz[], $20::bool[])
    AS c(id, state, version, round, total_tasks, open_tasks, settled_tasks, complete, outcome, attention, advance,
         advance_after, timeline_seq, timeline_hash, completed_at, informed_at, waiting, identities_confirmed,
         package_until, package_open)
WHERE r.id = c.id;

-- name: insert_tasks
-- Adds tasks.
INSERT INTO tasks (id, request_id, processor, action, round, ordinal, state, manifest_version, attention, outcome,
                   settled_at, dispatch_no, blocked, dispatched_at, silence_at, unknown_fields, behind,
                   follows, held_until)
SELECT id, request_id, processor, action, round, ordinal, state, manifest_version, attention::jsonb, outcome::jsonb,
       settled_at, dispatch_no, blocked, dispatched_at, silence_at, unknown_fields::jsonb, behind,
       follows, held_until
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::text[], $8::int[], $9::text[],
            $10::text[], $11::timestamptz[], $12::int[], $13::bool[], $14::timestamptz[], $15::timestamptz[],
            $16::text[], $17::text[], $18::text[], $19::date[])
    AS c(id, request_id, processor, action, round, ordinal, state, manifest_version, attention, outcome, settled_at,
         dispatch_no, blocked, dispatched_at, silence_at, unknown_fields, behind, follows, held_until);

-- name: save_tasks
-- Writes the changed columns of tasks whose requests are locked.
UPDATE tasks AS t
SET state = c.state, manifest_version = c.manifest_version, dispatch_no = c.dispatch_no, phase = c.phase,
    progress_fence = c.progress_fence, progress_sequence = c.progress_sequence, attention = c.attention::jsonb,
    outcome = c.outcome::jsonb, findings = c.findings, late = c.late::jsonb, blocked = c.blocked,
    dispatched_at = c.dispatched_at, accepted_at = c.accepted_at, settled_at = c.settled_at,
    silence_at = c.silence_at, silences = c.silences, export = c.export::jsonb,
    unknown_fields = c.unknown_fields::jsonb, behind = c.behind
FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[], $6::bigint[], $7::bigint[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::bool[], $13::timestamptz[], $14::timestamptz[],
            $15::timestamptz[], $16::timestamptz[], $17::int[], $18::text[], $19::text[], $20::text[])
    AS c(id, state, manifest_version, dispatch_no, phase, progress_fence, progress_sequence, attention, outcome,
         findings, late, blocked, dispatched_at, accepted_at, settled_at, silence_at, silences, export, unknown_fields,
         behind)
WHERE t.id = c.id;

-- name: insert_timeline
-- Appends facts to timelines.
INSERT INTO timeline (request_id, seq, event_id, type, at, task_id, processor, actor, detail, hash)
SELECT request_id, seq, event_id, type, at, task_id, processor, actor, detail, hash
FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::bytea[])
    AS c(request_id, seq, event_id, type, at, task_id, processor, actor, detail, hash);

-- name: insert_notices
-- Adds notices; one that exists already is left alone.
INSERT INTO notices (id, request_id, case_id, kind, silence_at, due_at)
SELECT id, request_id, case_id, kind, silence_at, due_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
    AS c(id, request_id, case_id, kind, silence_at, due_at)
ON CONFLICT (id) DO NOTHING;
