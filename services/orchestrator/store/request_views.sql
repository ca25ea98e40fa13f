-- name: one
-- Reads a request as its client sees it: within a mode, and of one client unless none is named.
SELECT
    r.id, r.case_id, r."right", r.state, r.received_at, r.created_at, r.due_on, r.due_on_unpaused, r.outcome,
    r.total_tasks, r.settled_tasks, r.livemode, r.channel, r.metadata, r.version, r.completed_at, r.informed_at,
    r.follows, r.cause,
    r.overdue OR (r.completed_at IS NULL AND r.due_at < $4 AND r.state <> ALL ($5::text[])) AS overdue,
    coalesce(r.attention, stuck.attention) AS attention, k.wrapped, s.sealed
FROM requests r
LEFT JOIN request_keys k ON k.request_id = r.id
LEFT JOIN request_secrets s ON s.request_id = r.id
LEFT JOIN LATERAL (
    SELECT t.attention || jsonb_build_object('processor', t.processor) AS attention
    FROM tasks t
    WHERE t.request_id = r.id AND t.attention IS NOT NULL AND t.state NOT IN ('settled', 'cancelled')
    ORDER BY t.id
    LIMIT 1
) stuck ON true
WHERE r.id = $1 AND r.livemode = $2 AND ($3::text IS NULL OR r.client_id = $3);

-- name: page
-- Lists requests from the newest on, below an id; each filter counts when it is not null.
SELECT
    r.id, r.case_id, r."right", r.state, r.received_at, r.created_at, r.due_on, r.due_on_unpaused, r.outcome,
    r.total_tasks, r.settled_tasks, r.livemode, r.channel, r.metadata, r.version, r.completed_at, r.informed_at,
    r.follows, r.cause,
    r.overdue OR (r.completed_at IS NULL AND r.due_at < $3 AND r.state <> ALL ($4::text[])) AS overdue,
    coalesce(r.attention, stuck.attention) AS attention, k.wrapped, s.sealed
FROM requests r
LEFT JOIN request_keys k ON k.request_id = r.id
LEFT JOIN request_secrets s ON s.request_id = r.id
LEFT JOIN LATERAL (
    SELECT t.attention || jsonb_build_object('processor', t.processor) AS attention
    FROM tasks t
    WHERE t.request_id = r.id AND t.attention IS NOT NULL AND t.state NOT IN ('settled', 'cancelled')
    ORDER BY t.id
    LIMIT 1
) stuck ON true
WHERE r.livemode = $1
    AND ($2::text IS NULL OR r.client_id = $2)
    AND ($5::text IS NULL OR r.id < $5)
    AND ($6::text IS NULL OR r.state = $6)
    AND ($7::text IS NULL OR r."right" = $7)
    AND ($8::text IS NULL OR EXISTS (SELECT 1 FROM tasks t WHERE t.request_id = r.id AND t.processor = $8))
    AND ($9::bool IS NULL OR (coalesce(r.attention, stuck.attention) IS NOT NULL) = $9)
    AND (
        $10::bool IS NULL
        OR (r.overdue OR (r.completed_at IS NULL AND r.due_at < $3 AND r.state <> ALL ($4::text[]))) = $10
    )
    AND ($11::date IS NULL OR r.due_on < $11)
    AND ($12::timestamptz IS NULL OR r.created_at > $12)
ORDER BY r.id DESC
LIMIT $13;

-- name: visible
-- Whether a request is there and the caller's to see.
SELECT r.id FROM requests r WHERE r.id = $1 AND r.livemode = $2 AND ($3::text IS NULL OR r.client_id = $3);

-- name: task_visible
-- Whether a task is there and its request is the caller's to see.
SELECT t.id
FROM tasks t
JOIN requests r ON r.id = t.request_id
WHERE t.id = $1 AND r.livemode = $2 AND ($3::text IS NULL OR r.client_id = $3);

-- name: tasks
-- Lists the tasks of a request, in the order in which they were planned.
SELECT
    t.id, t.request_id, t.processor, p.manifest ->> 'title' AS processor_title, t.action, t.round, t.state, t.phase,
    t.dispatch_no, t.attention, t.outcome, t.created_at, t.dispatched_at, t.accepted_at, t.settled_at
FROM tasks t
LEFT JOIN processors p ON p.id = t.processor
WHERE t.request_id = $1
ORDER BY t.round, t.created_at, t.id;

-- name: task
-- Reads one task.
SELECT
    t.id, t.request_id, t.processor, p.manifest ->> 'title' AS processor_title, t.action, t.round, t.state, t.phase,
    t.dispatch_no, t.attention, t.outcome, t.created_at, t.dispatched_at, t.accepted_at, t.settled_at
FROM tasks t
LEFT JOIN processors p ON p.id = t.processor
WHERE t.id = $1;

-- name: timeline
-- Lists the facts of a request after a number.
SELECT seq, event_id, type, at, task_id, processor, actor, detail, hash
FROM timeline
WHERE request_id = $1 AND seq > $2
ORDER BY seq
LIMIT $3;
