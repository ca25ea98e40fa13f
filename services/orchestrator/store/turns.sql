-- name: about
-- Which requests have a turn with which subjects, in their order; without one, which open requests ask for a copy.
SELECT t.blind, t.ordinal, t.request_id
FROM unnest($1::bytea[]) AS wanted(blind)
JOIN subject_turns AS t USING (blind)
UNION ALL
SELECT r.blind, NULL, r.request_id
FROM unnest($1::bytea[]) AS wanted(blind)
JOIN subject_readers AS r USING (blind)
ORDER BY 1, 2;

-- name: running
-- At which of these processors which of these requests have an action that was sent and is not settled.
SELECT DISTINCT t.request_id, t.processor
FROM unnest($1::text[], $2::text[]) AS wanted(request_id, processor)
JOIN tasks AS t USING (request_id, processor)
WHERE t.state IN ('dispatched', 'accepted') AND t.action <> 'resolve';

-- name: take_turns
-- Takes places that nobody has; fewer rows than asked for mean that somebody was quicker.
INSERT INTO subject_turns (blind, ordinal, request_id)
SELECT blind, ordinal, request_id
FROM unnest($1::bytea[], $2::smallint[], $3::text[]) AS wanted(blind, ordinal, request_id)
ORDER BY blind, ordinal
ON CONFLICT (blind, ordinal) DO NOTHING
RETURNING request_id;

-- name: waited_for
-- What may be told of requests that others wait for.
SELECT id, client_id, livemode, attention FROM requests WHERE id = ANY ($1::text[]);

-- name: read
-- Notes whom requests for a copy are about.
INSERT INTO subject_readers (request_id, blind)
SELECT request_id, blind
FROM unnest($1::text[], $2::bytea[]) AS known(request_id, blind)
ON CONFLICT (blind, request_id) DO NOTHING;

-- name: release
-- Ends the turns of ended requests; returns the tasks of others that waited for them and may try again.
WITH turns AS (
    DELETE FROM subject_turns WHERE request_id = ANY ($1::text[])
),
readers AS (
    DELETE FROM subject_readers WHERE request_id = ANY ($2::text[])
)
UPDATE tasks SET blocked = false
WHERE id IN (
    SELECT id FROM tasks
    WHERE behind = ANY ($1::text[]) AND state = 'ready' AND blocked
    ORDER BY id
    FOR UPDATE SKIP LOCKED
)
RETURNING id;

-- name: unblock
-- Lets tasks try again where what they wait for has changed: a net below the release, for a request that ended while
-- they were being blocked, for a task that was in the way at a processor, and for a request that needs a person by now.
UPDATE tasks SET blocked = false
WHERE id IN (
    SELECT t.id
    FROM tasks AS t
    JOIN requests AS r ON r.id = t.behind
    WHERE t.state = 'ready' AND t.blocked AND (
        r.completed_at IS NOT NULL
        OR (r.attention IS NULL) <> (t.attention IS NULL)
        OR (
            EXISTS (SELECT 1 FROM subject_turns AS own WHERE own.request_id = t.request_id)
            AND NOT EXISTS (
                SELECT 1 FROM tasks AS o
                WHERE o.request_id = t.behind AND o.processor = t.processor AND o.action <> 'resolve'
                  AND o.state IN ('dispatched', 'accepted')
            )
        )
    )
    ORDER BY t.id
    FOR UPDATE OF t SKIP LOCKED
)
RETURNING id;
