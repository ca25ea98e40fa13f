-- name: standing
-- What is enrolled under an id.
SELECT id, kind, livemode, enrolment_id, secret_version, state FROM processors WHERE id = $1;

-- name: enrol
-- Admits a processor, or a retired one anew under a fresh enrolment; nothing happens while it is enrolled. Versions go
-- on from one enrolment to the next: a key id that was used once never means another key. Its mode stays for ever.
INSERT INTO processors (id, kind, enrolment_id, enrolled_at, livemode, enrolled_by) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE
SET kind = excluded.kind, enrolment_id = excluded.enrolment_id,
    secret_version = processors.secret_version + 1, min_secret_version = processors.secret_version + 1,
    announced_versions = '{}', state = 'enrolled', manifest = NULL, manifest_version = NULL, pending_manifest = NULL,
    pending_version = NULL, incarnation = NULL, enrolled_at = excluded.enrolled_at, announced_at = NULL,
    retired_at = NULL, retired_reason = NULL, rotated_at = NULL, rotated_by = NULL, revoked_at = NULL, revoked_by = NULL,
    moved_from = NULL, moved_at = NULL, enrolled_by = excluded.enrolled_by, approved_at = NULL, approved_by = NULL,
    retired_by = NULL
WHERE processors.state = 'retired' AND processors.livemode = excluded.livemode
RETURNING enrolment_id;

-- name: lock_versions
-- One processor with the versions of its secret, locked.
SELECT id, kind, livemode, enrolment_id, secret_version, min_secret_version, announced_versions, state
FROM processors
WHERE id = $1
FOR UPDATE;

-- name: rotate
-- Makes the next version. The one that was newest, which a host has announced, stays valid beside it; earlier ones end.
UPDATE processors
SET secret_version = secret_version + 1, min_secret_version = secret_version, rotated_at = $2, rotated_by = $3
WHERE id = $1
RETURNING secret_version;

-- name: revoke
-- Refuses what versions below one prove.
UPDATE processors SET min_secret_version = $2, revoked_at = $3, revoked_by = $4
WHERE id = $1 AND min_secret_version < $2;

-- name: wake_waiting
-- Lets the planner look again at open requests of a mode that have no task yet; locked in id order, as everywhere.
UPDATE requests SET advance = true, advance_after = NULL
WHERE id IN (
    SELECT id FROM requests WHERE completed_at IS NULL AND total_tasks = 0 AND livemode = $1 ORDER BY id FOR UPDATE
);

-- name: processors
-- Every processor with its open tasks, and what was last done with it on purpose; all are few enough to be counted where
-- an operator asks for them.
SELECT
    p.id, p.kind, p.livemode, p.state, p.manifest, p.manifest_version, p.pending_manifest, p.pending_version, p.enrolled_at, p.announced_at,
    p.retired_at, p.retired_reason, p.secret_version, p.min_secret_version, p.announced_versions, p.rotated_at,
    p.rotated_by, p.revoked_at, p.revoked_by, p.moved_from, p.moved_at, p.enrolled_by, p.approved_at,
    p.approved_by, p.retired_by, coalesce(open.tasks, 0) AS open_tasks, done.acts
FROM processors p
LEFT JOIN (
    SELECT processor, count(*) AS tasks FROM tasks WHERE state NOT IN ('settled', 'cancelled') GROUP BY processor
) open ON open.processor = p.id
LEFT JOIN LATERAL (
    SELECT jsonb_agg(to_jsonb(last) - 'processor' - 'ordinal' ORDER BY last.ordinal DESC) AS acts
    FROM (SELECT * FROM processor_acts a WHERE a.processor = p.id ORDER BY a.ordinal DESC LIMIT $2) last
) done ON true
WHERE $1::text IS NULL OR p.id = $1
ORDER BY p.id;
