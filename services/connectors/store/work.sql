-- name: claim
-- Claims due tasks of each processor up to its free places.
WITH wanted AS (
    SELECT c.id
    FROM unnest($1::text[], $2::int[]) AS w(processor, free)
    CROSS JOIN LATERAL (
        SELECT t.id
        FROM tasks t
        WHERE t.processor = w.processor AND t.state = 'open' AND t.holder IS NULL AND t.next_at <= now()
        ORDER BY t.next_at, t.id
        LIMIT w.free
        FOR UPDATE SKIP LOCKED
    ) c
)
UPDATE tasks t
SET holder = $3, fence = t.fence + 1, tries = t.tries + 1
WHERE t.id = ANY (ARRAY(SELECT id FROM wanted))
RETURNING t.id, t.request_id, t.processor, t.livemode, t.dispatch_no, t.cancelled, t.action, t."right", t.due_at,
          t.not_after, t.seal, t.rules, t.traceparent, t.fence, t.tries, t.attempt, t.retries, t.max_passes, t.phase,
          t.attention, t.reason, t.failing_since;

-- name: journals
-- Reads what tasks remember.
SELECT task_id, seq, wrapped, sealed FROM journal WHERE task_id = ANY ($1::text[]) ORDER BY task_id, seq;

-- name: lock_held
-- Locks tasks, in the order of their ids; whoever asks sees whether they are still its own.
SELECT id, holder, fence, dispatch_no, cancelled
FROM tasks
WHERE id = ANY ($1::text[])
ORDER BY id
FOR UPDATE;

-- name: append
-- Appends to journals; a write whose commit was not heard of may come twice.
INSERT INTO journal (task_id, seq, wrapped, sealed)
SELECT * FROM unnest($1::text[], $2::int[], $3::bytea[], $4::bytea[])
ON CONFLICT (task_id, seq) DO NOTHING;

-- name: exporting
-- Remembers of tasks that objects may lie in the store.
UPDATE tasks SET exports = coalesce(exports, 'written') WHERE id = ANY ($1::text[]);

-- name: settle
-- Ends tasks: the answer stays, seal and journal go, and so do the exports that no answer names.
WITH shredded AS (DELETE FROM journal WHERE task_id = ANY ($1::text[]))
UPDATE tasks t
SET state = 'settled', holder = NULL, seal = NULL, rules = NULL, answer = w.answer, findings = w.findings,
    settled_at = now(),
    exports = CASE WHEN t.exports IS NULL THEN NULL WHEN NOT w.exported THEN 'all' WHEN t.fence > 1 THEN 'losers'
                   ELSE 'written' END
FROM unnest($1::text[], $2::text[], $3::text[], $4::bool[]) AS w(id, answer, findings, exported)
WHERE t.id = w.id AND t.id = ANY ($1);

-- name: put_down
-- Puts tasks down unsettled: due again later, or waiting to be asked for; at once where a message came meanwhile.
UPDATE tasks t
SET holder = NULL,
    state = CASE WHEN w.asked_again THEN 'open' ELSE w.state END,
    next_at = now() + make_interval(secs => CASE WHEN w.asked_again THEN 0 ELSE w.after END),
    attempt = CASE WHEN w.asked_again THEN t.attempt ELSE w.attempt END,
    retries = CASE WHEN w.asked_again THEN t.retries ELSE w.retries END,
    phase = w.phase, attention = w.attention, reason = w.reason,
    failing_since = CASE WHEN w.asked_again THEN NULL ELSE w.failing_since END,
    told_until = CASE WHEN w.told THEN now() + make_interval(secs => w.after) ELSE t.told_until END
FROM unnest($1::text[], $2::text[], $3::float8[], $4::int[], $5::int[], $6::text[], $7::text[], $8::text[], $9::bool[],
            $10::timestamptz[], $11::bool[])
    AS w(id, state, after, attempt, retries, phase, attention, reason, asked_again, failing_since, told)
WHERE t.id = w.id AND t.id = ANY ($1);

-- name: cancelled
-- Which of these tasks somebody wants cancelled.
SELECT id FROM tasks WHERE id = ANY ($1::text[]) AND cancelled;

-- name: hand_back
-- Gives back what a worker holds, but for what it has in hand.
UPDATE tasks SET holder = NULL, next_at = now() WHERE holder = $1 AND id <> ALL ($2::text[]);
