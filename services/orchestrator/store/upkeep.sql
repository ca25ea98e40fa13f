-- name: shred
-- Deletes the data keys of requests that ended long enough ago, and whose copies of data are given up.
DELETE FROM request_keys WHERE request_id IN (
    SELECT k.request_id
    FROM request_keys AS k JOIN requests AS r ON r.id = k.request_id
    WHERE r.completed_at < $1 AND NOT r.package_open
    ORDER BY k.request_id
    LIMIT $2
)
RETURNING request_id;

-- name: forget_secrets
-- Deletes what nobody can read any more.
DELETE FROM request_secrets WHERE request_id = ANY ($1::text[]);

-- name: mark_overdue
-- Flags open requests past their due date; a flag beside the state, not a state. Locked in id order, as everywhere.
UPDATE requests SET overdue = true
WHERE id IN (
    SELECT id FROM requests
    WHERE completed_at IS NULL AND due_at < $1 AND NOT overdue
    ORDER BY id
    FOR UPDATE
)
RETURNING id;

-- name: packages_over
-- Requests whose copies of data have been kept long enough.
SELECT id FROM requests WHERE package_open AND package_until <= $1 ORDER BY package_until LIMIT $2;
