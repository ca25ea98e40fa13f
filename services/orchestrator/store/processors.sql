-- name: all
-- Every enrolled processor.
SELECT id, kind, enrolment_id, secret_version, min_secret_version, announced_versions, state, manifest, manifest_version,
       pending_manifest, livemode, retired_by
FROM processors
ORDER BY id;

-- name: valid_versions
-- Which versions of which secrets prove anything: none of a retired processor's do.
SELECT id, enrolment_id, secret_version, min_secret_version FROM processors WHERE state <> 'retired';

-- name: lock
-- One processor, locked.
SELECT id, kind, state, manifest, manifest_version, pending_manifest, pending_version, incarnation, announced_at
FROM processors
WHERE id = $1
FOR UPDATE;

-- name: hear
-- Takes note that a host said the same again.
UPDATE processors SET announced_at = greatest(announced_at, $2) WHERE id = $1;

-- name: announce
-- Takes an announcement whose manifest is approved. Where the data was is remembered when it says another country.
UPDATE processors
SET moved_from = CASE WHEN manifest ->> 'country' <> $2::jsonb ->> 'country' THEN manifest ->> 'country' ELSE moved_from END,
    moved_at = CASE WHEN manifest ->> 'country' <> $2::jsonb ->> 'country' THEN $7 ELSE moved_at END,
    state = CASE WHEN state = 'retired' THEN state ELSE 'announced' END,
    manifest = $2, manifest_version = $3, announced_versions = $4, incarnation = $5, announced_at = $6,
    pending_manifest = NULL, pending_version = NULL
WHERE id = $1;

-- name: hold_manifest
-- Keeps a manifest that asks for more, or closes a circle, until an operator approves it; key versions count at once.
UPDATE processors
SET pending_manifest = $2, pending_version = $3, announced_versions = $4, incarnation = $5, announced_at = $6
WHERE id = $1;

-- name: approve
-- Lets the pending manifest take effect; where the data was is remembered as above.
UPDATE processors
SET moved_from = CASE WHEN manifest ->> 'country' <> pending_manifest ->> 'country' THEN manifest ->> 'country'
                      ELSE moved_from END,
    moved_at = CASE WHEN manifest ->> 'country' <> pending_manifest ->> 'country' THEN $2 ELSE moved_at END,
    approved_at = $2, approved_by = $3, state = 'announced', manifest = pending_manifest, manifest_version = pending_version,
    pending_manifest = NULL, pending_version = NULL
WHERE id = $1;

-- name: retire
-- Takes a processor off the list, with the reason.
UPDATE processors SET state = 'retired', retired_at = $2, retired_reason = $3, retired_by = $4 WHERE id = $1;

-- name: act
-- Writes down what somebody deliberately did with a processor, whose row the transaction holds.
INSERT INTO processor_acts (processor, ordinal, act, at, actor, detail)
SELECT $1, coalesce(max(ordinal), 0) + 1, $2, $3, $4, $5::jsonb FROM processor_acts WHERE processor = $1;

-- name: one_at_a_time
-- Until this transaction ends, no other that asks the same goes on.
SELECT pg_advisory_xact_lock(hashtext('habeas manifests'));

-- name: orders
-- After which kinds the manifests in effect of the other processors of its mode ask to come.
SELECT kind, manifest -> 'after' AS after
FROM processors
WHERE id <> $1 AND state <> 'retired' AND manifest IS NOT NULL
  AND livemode = (SELECT livemode FROM processors WHERE id = $1);

-- name: requests_touched
-- Open requests that a change of this processor may concern: of its mode, those with an open task of it, and those in
-- progress.
SELECT DISTINCT r.id
FROM requests AS r
LEFT JOIN tasks AS t ON t.request_id = r.id AND t.processor = $1
WHERE r.completed_at IS NULL AND r.state IN ('in_progress', 'cancelling')
  AND r.livemode = (SELECT livemode FROM processors WHERE id = $1)
  AND (t.state IS NULL OR t.state NOT IN ('settled', 'cancelled'));

-- name: wake_requests
-- Asks the planner to look at requests again; locked in id order, as everywhere.
UPDATE requests SET advance = true, advance_after = NULL
WHERE id IN (SELECT id FROM requests WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE);
