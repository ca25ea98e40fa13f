-- name: row
-- Whether a consumer may go on, and how many proven records of whom failed in a row.
SELECT c.halted_at, f.sender, f.failures
FROM consumers AS c LEFT JOIN failing AS f ON f.consumer = c.name
WHERE c.name = $1;

-- name: failed
-- Counts proven records that failed, by who proved them.
WITH more AS (
    INSERT INTO failing AS f (consumer, sender, failures)
    SELECT $1, r.sender, r.failures FROM unnest($2::text[], $3::int[]) AS r(sender, failures) ORDER BY r.sender
    ON CONFLICT (consumer, sender) DO UPDATE SET failures = f.failures + excluded.failures
)
INSERT INTO consumers AS c (name, failures) VALUES ($1, (SELECT sum(n) FROM unnest($3::int[]) AS n))
ON CONFLICT (name) DO UPDATE SET failures = c.failures + excluded.failures;

-- name: went_through
-- A record went through: the row of failures ends.
WITH gone AS (DELETE FROM failing WHERE consumer = $1)
INSERT INTO consumers (name) VALUES ($1)
ON CONFLICT (name) DO UPDATE SET failures = 0;

-- name: halt
-- Stops a consumer until an operator resumes it.
INSERT INTO consumers (name, halted_at, halted_reason) VALUES ($1, now(), $2)
ON CONFLICT (name) DO UPDATE SET halted_at = now(), halted_reason = excluded.halted_reason;
