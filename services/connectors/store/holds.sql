-- name: held
-- What a task kept at one processor.
SELECT ordinal, ground, until, wrapped, sealed
FROM holds
WHERE task_id = $1 AND processor = $2 AND livemode = $3
ORDER BY ordinal;

-- name: place
-- Keeps what tasks must keep; a write whose commit was not heard of may come twice.
INSERT INTO holds (task_id, ordinal, processor, livemode, ground, until, count, wrapped, sealed)
SELECT task_id, ordinal, processor, livemode, ground, until, count, wrapped, sealed
FROM unnest($1::text[], $2::int[], $3::text[], $4::bool[], $5::text[], $6::date[], $7::int[], $8::bytea[], $9::bytea[])
    AS h(task_id, ordinal, processor, livemode, ground, until, count, wrapped, sealed)
ON CONFLICT (task_id, ordinal) DO NOTHING;

-- name: release
-- Shreds holds that are over: what tasks kept until some day.
DELETE FROM holds h
USING unnest($1::text[], $2::date[]) AS over(task_id, until)
WHERE h.task_id = over.task_id AND h.until IS NOT DISTINCT FROM over.until;
