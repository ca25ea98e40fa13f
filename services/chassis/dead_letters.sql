-- name: add
-- Keeps records once for each consumer and place on the broker.
INSERT INTO dead_letters (consumer, topic, "partition", "offset", reason, proven, event_id, sealed, expires_at)
SELECT $1, r.topic, r."partition", r."offset", r.reason, r.proven, r.event_id, r.sealed, now() + make_interval(secs => $9::float8 * 86400)
FROM unnest($2::text[], $3::int[], $4::bigint[], $5::text[], $6::bool[], $7::text[], $8::bytea[])
    AS r(topic, "partition", "offset", reason, proven, event_id, sealed)
ON CONFLICT (consumer, topic, "partition", "offset") DO NOTHING;

-- name: page
-- Lists letters from the newest on, below a number.
SELECT id, consumer, topic, "partition", "offset", reason, proven, event_id, at, expires_at, state, dealt_at, dealt_by,
       dealt_reason
FROM dead_letters
WHERE ($1::bigint IS NULL OR id < $1) AND ($2::text IS NULL OR state = $2)
ORDER BY id DESC
LIMIT $3;

-- name: whole
-- Reads one letter with its sealed bytes.
SELECT id, consumer, topic, "partition", "offset", reason, proven, event_id, at, expires_at, state, dealt_at, dealt_by,
       dealt_reason, sealed
FROM dead_letters
WHERE id = $1;

-- name: lock_dead
-- Locks one letter that nobody has dealt with.
SELECT id, consumer, topic, "partition", "offset", sealed FROM dead_letters WHERE id = $1 AND state = 'dead' FOR UPDATE;

-- name: mark
-- Says what was done with a letter, by whom and why.
UPDATE dead_letters SET state = $2, dealt_at = now(), dealt_by = $3, dealt_reason = $4 WHERE id = $1;

-- name: send_again
-- Puts a letter's record back into the outbox as it came.
INSERT INTO outbox (topic, key, headers, value) VALUES ($1, $2, $3, $4);

-- name: expire
-- Deletes letters that have passed their time.
DELETE FROM dead_letters WHERE expires_at < now() RETURNING id;

-- name: consumers
-- Lists the consumers of this service and whether they halted.
SELECT name, failures, halted_at, halted_reason FROM consumers ORDER BY name;

-- name: resume
-- Lets a halted consumer go on.
WITH gone AS (DELETE FROM failing WHERE consumer = $1)
UPDATE consumers SET failures = 0, halted_at = NULL, halted_reason = NULL WHERE name = $1 RETURNING name;
