-- name: register
-- Makes a worker known.
INSERT INTO workers (id, expires_at) VALUES ($1, clock_timestamp() + make_interval(secs => $2));

-- name: beat
-- Prolongs a worker's life; nothing is returned for one that was given up.
UPDATE workers SET expires_at = clock_timestamp() + make_interval(secs => $2) WHERE id = $1 RETURNING id;

-- name: give_up
-- Gives up workers that stopped beating, and frees what nobody alive holds: also what one claimed as it was given up.
WITH dead AS (DELETE FROM workers WHERE expires_at < clock_timestamp() RETURNING id)
UPDATE tasks SET holder = NULL
WHERE holder IS NOT NULL
    AND holder NOT IN (SELECT id FROM workers WHERE id NOT IN (SELECT id FROM dead))
RETURNING id;

-- name: leave
-- Takes a worker off the list.
DELETE FROM workers WHERE id = $1;
