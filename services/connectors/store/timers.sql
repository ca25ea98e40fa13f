-- name: accept
-- Takes tasks that are unsettled for longer than it is polite to say nothing: $2 seconds, or $3 where tasks wait in line.
WITH patience AS (
    SELECT w.processor, CASE WHEN EXISTS (
        SELECT FROM tasks t
        WHERE t.processor = w.processor AND t.state = 'open' AND t.holder IS NULL AND t.next_at <= now()
    ) THEN $3::float8 ELSE $2 END AS seconds
    FROM unnest($1::text[]) AS w(processor)
),
due AS (
    SELECT t.id
    FROM tasks t
    JOIN patience p ON p.processor = t.processor
    WHERE t.state IN ('open', 'parked') AND t.accepted_no < t.dispatch_no
        AND t.received_at <= now() - make_interval(secs => $2)
        AND t.received_at <= now() - make_interval(secs => p.seconds)
    ORDER BY t.id
    LIMIT 500
    FOR UPDATE OF t SKIP LOCKED
)
UPDATE tasks t
SET accepted_no = t.dispatch_no,
    told_until = CASE WHEN t.state = 'open' AND t.holder IS NULL THEN greatest(t.next_at, now()) ELSE now() END
WHERE t.id = ANY (ARRAY(SELECT id FROM due))
RETURNING t.id, t.request_id, t.processor, t.livemode, t.dispatch_no, t.traceparent, t.told_until;

-- name: accept_again
-- Takes tasks that are still open $2 seconds after what was last said of them: at work, waiting, or in line.
WITH due AS (
    SELECT t.id
    FROM tasks t
    WHERE t.state = 'open' AND t.told_until <= now() - make_interval(secs => $2) AND t.processor = ANY ($1::text[])
    ORDER BY t.told_until
    LIMIT 500
    FOR UPDATE SKIP LOCKED
)
UPDATE tasks t
SET told_until = CASE WHEN t.holder IS NULL THEN greatest(t.next_at, now()) ELSE now() END
WHERE t.id = ANY (ARRAY(SELECT id FROM due))
RETURNING t.id, t.request_id, t.processor, t.livemode, t.dispatch_no, t.traceparent, t.told_until;

-- name: to_forget
-- Locks tasks whose time to be forgotten has come.
SELECT id, request_id, processor, livemode, dispatch_no, cancelled, traceparent, answer
FROM tasks
WHERE state <> 'closed' AND forget_after <= now()
ORDER BY id
LIMIT 500
FOR UPDATE SKIP LOCKED;

-- name: delete_old
-- Deletes tombstones that no message can come back to, and that have nothing left in the store.
DELETE FROM tasks WHERE state = 'closed' AND keep_until <= now() AND exports IS NULL;
