-- name: read
-- The next rows in the order in which they were decided, without those of some topics.
SELECT id, topic, key, headers, value
FROM outbox
WHERE id > $1 AND dead IS NULL AND topic <> ALL ($3::text[])
ORDER BY id
LIMIT $2;

-- name: delete
-- Forgets rows that the broker acknowledged.
DELETE FROM outbox WHERE id = ANY ($1::bigint[]);

-- name: bury
-- Sets a row aside that can never be sent.
UPDATE outbox SET dead = $2 WHERE id = $1;
