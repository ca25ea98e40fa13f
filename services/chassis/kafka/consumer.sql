-- name: halted
-- Whether a consumer may go on, and how many proven records failed in a row.
SELECT failures, halted_at FROM consumers WHERE name = $1;

-- name: count_failures
-- Counts proven records that failed.
INSERT INTO consumers AS c (name, failures) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET failures = c.failures + excluded.failures
RETURNING failures;

-- name: count_success
-- A record went through: the row of failures ends.
INSERT INTO consumers (name) VALUES ($1)
ON CONFLICT (name) DO UPDATE SET failures = 0;

-- name: halt
-- Stops a consumer until an operator resumes it.
INSERT INTO consumers (name, halted_at, halted_reason) VALUES ($1, now(), $2)
ON CONFLICT (name) DO UPDATE SET halted_at = now(), halted_reason = excluded.halted_reason;
