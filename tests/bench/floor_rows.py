"""The statements of the bare script: each is one set, and nothing is asked twice."""

STATE_FILED = """
WITH row AS (SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[], $6::timestamptz[])
    AS r(id, case_id, identities, wrapped, hash, at)),
stored AS (
    INSERT INTO floor.requests (id, case_id, client_id, livemode, "right", state, received_at, due_on, identities,
                                wrapped, total_tasks, open_tasks, timeline_seq, timeline_hash, traceparent)
    SELECT id, case_id, $7, true, 'erasure', 'received', at, at::date + 30, identities, wrapped, 0, 0, 1, hash, $8
    FROM row
    ON CONFLICT (id) DO NOTHING RETURNING id
)
INSERT INTO floor.timeline (request_id, seq, event_id, type, at, detail, hash)
SELECT row.id, 1, row.id, 'request.received', at, '{}', hash FROM row JOIN stored USING (id)
"""

CLAIM = """
SELECT id, case_id, timeline_seq, timeline_hash FROM floor.requests WHERE state = 'received'
ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED
"""

STARTED = """
UPDATE floor.requests r SET state = 'in_progress', total_tasks = 4, open_tasks = 4, timeline_seq = w.seq,
    timeline_hash = w.hash
FROM unnest($1::text[], $2::int[], $3::bytea[]) AS w(id, seq, hash) WHERE r.id = w.id
"""

TASKS = """
INSERT INTO floor.tasks (id, request_id, processor, action, state, dispatched_at)
SELECT id, request_id, processor, 'erase', 'dispatched', now()
FROM unnest($1::text[], $2::text[], $3::text[]) AS w(id, request_id, processor)
"""

SUBJECTS = """
INSERT INTO floor.subjects (processor, blind, request_id)
SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[]) ORDER BY 1, 2 ON CONFLICT DO NOTHING
"""

TIMELINE = """
INSERT INTO floor.timeline (request_id, seq, event_id, type, at, task_id, processor, detail, hash)
SELECT request_id, seq, event_id, type, now(), task_id, processor, detail, hash
FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])
    AS w(request_id, seq, event_id, type, task_id, processor, detail, hash)
"""

LOCK = """
SELECT id, case_id, open_tasks, timeline_seq, timeline_hash FROM floor.requests WHERE id = ANY ($1::text[])
ORDER BY id FOR UPDATE
"""

SETTLED = """
UPDATE floor.tasks t SET state = 'settled', outcome = w.outcome, settled_at = now()
FROM unnest($1::text[], $2::text[]) AS w(id, outcome) WHERE t.id = w.id AND t.state <> 'settled'
RETURNING t.id, t.request_id, t.processor
"""

ADVANCED = """
UPDATE floor.requests r SET open_tasks = w.open_tasks, timeline_seq = w.seq, timeline_hash = w.hash,
    state = CASE WHEN w.open_tasks = 0 THEN 'completed' ELSE state END,
    outcome = CASE WHEN w.open_tasks = 0 THEN $5 END, completed_at = CASE WHEN w.open_tasks = 0 THEN now() END
FROM unnest($1::text[], $2::int[], $3::int[], $4::bytea[]) AS w(id, open_tasks, seq, hash) WHERE r.id = w.id
"""

FREED = "DELETE FROM floor.subjects WHERE request_id = ANY ($1::text[])"

# A connector's task: stored, worked on and answered at once.
HELD = """
INSERT INTO floor.held (id, request_id, processor, state, seal, answer)
SELECT id, request_id, $1, 'settled', seal, $2
FROM unnest($3::text[], $4::text[], $5::text[]) AS w(id, request_id, seal)
ON CONFLICT (id) DO NOTHING RETURNING id, request_id
"""

CLOSED = "UPDATE floor.held SET state = 'closed', seal = NULL WHERE id = ANY ($1::text[])"

SEND = """
INSERT INTO floor.{outbox} (topic, key, headers, value)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
"""
READ = "SELECT id, topic, key, headers, value FROM floor.{outbox} ORDER BY id LIMIT 2000"
SENT = "DELETE FROM floor.{outbox} WHERE id = ANY ($1::bigint[])"
