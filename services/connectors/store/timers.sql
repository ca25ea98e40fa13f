-- name: accept
-- Takes tasks that are unsettled for longer than it is polite to say nothing.
WITH due AS (
    SELECT id
    FROM tasks
    WHERE state IN ('open', 'parked') AND accepted_no < dispatch_no AND received_at <= now() - make_interval(secs => $2)
        AND processor = ANY ($1::text[])
    ORDER BY id
    LIMIT 500
    FOR UPDATE SKIP LOCKED
)
UPDATE tasks t
SET accepted_no = t.dispatch_no
WHERE t.id = ANY (ARRAY(SELECT id FROM due))
RETURNING t.id, t.request_id, t.processor, t.livemode, t.dispatch_no, t.traceparent;

-- name: to_forget
-- Locks tasks whose time to be forgotten has come.
SELECT id, request_id, processor, livemode, dispatch_no, cancelled, traceparent, answer
FROM tasks
WHERE state <> 'closed' AND forget_after <= now()
ORDER BY id
LIMIT 500
FOR UPDATE SKIP LOCKED;

-- name: delete_old
-- Deletes tombstones that no message can come back to.
DELETE FROM tasks WHERE state = 'closed' AND keep_until <= now();
