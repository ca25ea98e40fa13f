-- name: lock_known
-- Locks the tasks that a batch speaks of, in the order of their ids.
SELECT id, state, dispatch_no, cancelled, processor, request_id, livemode, traceparent, answer, findings
FROM tasks
WHERE id = ANY ($1::text[])
ORDER BY id
FOR UPDATE;

-- name: store
-- Stores new tasks, the first $17 as claimed by worker $16; one that another consumer stored meanwhile is not returned.
INSERT INTO tasks (id, request_id, processor, livemode, state, dispatch_no, cancelled, action, "right", due_at,
                   not_after, forget_after, keep_until, seal, rules, traceparent, max_passes, holder, fence, tries)
SELECT w.id, w.request_id, $1, w.livemode, 'open', w.dispatch_no, w.cancelled, w.action, w."right", w.due_at,
       w.not_after, w.forget_after, greatest(w.not_after, w.forget_after), w.seal, w.rules, w.traceparent, $14,
       CASE WHEN place <= $17 THEN $16::text END, (place <= $17)::int, (place <= $17)::int
FROM unnest($2::text[], $3::text[], $4::bool[], $5::int[], $6::bool[], $7::text[], $8::text[], $9::timestamptz[],
            $10::timestamptz[], $11::timestamptz[], $12::text[], $13::text[], $15::text[])
    WITH ORDINALITY
    AS w(id, request_id, livemode, dispatch_no, cancelled, action, "right", due_at, not_after, forget_after, seal,
         rules, traceparent, place)
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: renew
-- Takes a later dispatch of unsettled tasks: the new seal counts, and whoever asked again wants it tried now.
UPDATE tasks t
SET dispatch_no = w.dispatch_no, cancelled = t.cancelled OR w.cancelled, seal = w.seal, rules = w.rules,
    due_at = w.due_at, not_after = w.not_after, forget_after = w.forget_after,
    keep_until = greatest(w.not_after, w.forget_after, t.keep_until), traceparent = w.traceparent,
    state = 'open', next_at = now(), received_at = now(), attempt = 1, retries = 0,
    max_passes = t.max_passes + CASE WHEN t.state = 'parked' AND t.attention = 'residue_remains' THEN $9 ELSE 0 END,
    attention = NULL, failing_since = NULL
FROM unnest($1::text[], $2::int[], $3::bool[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::text[],
            $8::text[], $10::text[])
    AS w(id, dispatch_no, cancelled, due_at, not_after, forget_after, seal, rules, traceparent)
WHERE t.id = w.id AND t.id = ANY ($1);

-- name: cancel
-- Flags unsettled tasks, and has whatever waits looked at now.
UPDATE tasks t
SET cancelled = true, dispatch_no = greatest(t.dispatch_no, w.dispatch_no), state = 'open', next_at = now()
FROM unnest($1::text[], $2::int[]) AS w(id, dispatch_no)
WHERE t.id = w.id AND t.id = ANY ($1);

-- name: bury
-- Leaves a tombstone for tasks that were never stored: cancelled or closed before they came.
INSERT INTO tasks (id, request_id, processor, livemode, state, dispatch_no, cancelled, keep_until, forget_after,
                   answer, settled_at)
SELECT w.id, w.request_id, $1, w.livemode, w.state, w.dispatch_no, w.cancelled, now() + make_interval(days => $2),
       now() + make_interval(days => $2), w.answer, now()
FROM unnest($3::text[], $4::text[], $5::bool[], $6::text[], $7::int[], $8::bool[], $9::text[])
    AS w(id, request_id, livemode, state, dispatch_no, cancelled, answer)
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: close
-- Forgets the subject of tasks, exports too: what stays is a tombstone, with an answer for whoever asks again.
WITH shredded AS (DELETE FROM journal WHERE task_id = ANY ($1::text[]))
UPDATE tasks
SET state = 'closed', seal = NULL, findings = NULL, rules = NULL, holder = NULL, answer = coalesce(answer, $2),
    settled_at = coalesce(settled_at, now()), exports = CASE WHEN exports IS NOT NULL THEN 'all' END
WHERE id = ANY ($1::text[]);

-- name: answer_again
-- Remembers that the stored answer was sent for a later dispatch.
UPDATE tasks t
SET dispatch_no = w.dispatch_no
FROM unnest($1::text[], $2::int[]) AS w(id, dispatch_no)
WHERE t.id = w.id AND t.id = ANY ($1);
