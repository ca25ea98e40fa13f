-- name: shred
-- Deletes the data keys of requests that ended long enough ago, and whose copies of data are given up. One whose
-- completion notice has no answer yet waits for it until $2: without its key the person can never be told.
DELETE FROM request_keys WHERE request_id IN (
    SELECT k.request_id
    FROM request_keys AS k JOIN requests AS r ON r.id = k.request_id
    WHERE r.completed_at < $1 AND NOT r.package_open
      AND (r.completed_at < $2 OR NOT EXISTS (
          SELECT 1 FROM notices AS n WHERE n.request_id = r.id AND n.kind = 'completion' AND n.state = 'due'
      ))
    ORDER BY k.request_id
    LIMIT $3
)
RETURNING request_id;

-- name: forget_secrets
-- Deletes what nobody can read any more.
DELETE FROM request_secrets WHERE request_id = ANY ($1::text[]);

-- name: mark_overdue
-- Flags requests past their due date; a flag beside the state, not a state. The clock of one with a contact ends when
-- the person was told, not when it was completed. Locked in id order, as everywhere.
WITH late AS (
    SELECT id FROM requests WHERE completed_at IS NULL AND due_at < $1
    UNION ALL
    SELECT request_id FROM notices
    WHERE kind = 'completion' AND (state IN ('bounced', 'unknown') OR (state = 'due' AND silences > 0))
)
UPDATE requests SET overdue = true
WHERE id IN (
    SELECT id FROM requests
    WHERE id IN (SELECT id FROM late) AND due_at < $1 AND informed_at IS NULL AND NOT overdue
    ORDER BY id
    FOR UPDATE
)
RETURNING id;

-- name: packages_not_fetched
-- Requests whose copies of data are given up by $1, and of whose copies none went out whole; shown if nothing else is.
SELECT id FROM requests AS r
WHERE package_open AND package_until <= $1 AND attention IS NULL
  AND NOT EXISTS (SELECT 1 FROM timeline AS t WHERE t.request_id = r.id AND t.type = 'package.sent')
ORDER BY package_until
LIMIT $2;

-- name: packages_over
-- Requests whose copies of data have been kept long enough.
SELECT id FROM requests WHERE package_open AND package_until <= $1 ORDER BY package_until LIMIT $2;
