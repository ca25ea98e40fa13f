-- name: standing
-- What is enrolled under an id.
SELECT id, kind, enrolment_id, secret_version, state FROM processors WHERE id = $1;

-- name: enrol
-- Admits a processor, or a retired one anew under a fresh enrolment; nothing happens while it is enrolled.
INSERT INTO processors (id, kind, enrolment_id, enrolled_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE
SET kind = excluded.kind, enrolment_id = excluded.enrolment_id, secret_version = 1, min_secret_version = 1,
    announced_versions = '{}', state = 'enrolled', manifest = NULL, manifest_version = NULL, pending_manifest = NULL,
    pending_version = NULL, incarnation = NULL, enrolled_at = excluded.enrolled_at, announced_at = NULL,
    retired_at = NULL, retired_reason = NULL
WHERE processors.state = 'retired';

-- name: wake_waiting
-- Lets the planner look again at open requests that have no task yet; locked in id order, as everywhere.
UPDATE requests SET advance = true, advance_after = NULL
WHERE id IN (
    SELECT id FROM requests WHERE completed_at IS NULL AND total_tasks = 0 ORDER BY id FOR UPDATE
);

-- name: processors
-- Every processor with its open tasks; both are few enough to be counted where an operator asks for them.
SELECT
    p.id, p.kind, p.state, p.manifest, p.manifest_version, p.pending_version, p.enrolled_at, p.announced_at,
    p.retired_at, p.retired_reason, coalesce(open.tasks, 0) AS open_tasks
FROM processors p
LEFT JOIN (
    SELECT processor, count(*) AS tasks FROM tasks WHERE state NOT IN ('settled', 'cancelled') GROUP BY processor
) open ON open.processor = p.id
WHERE $1::text IS NULL OR p.id = $1
ORDER BY p.id;
