-- name: package_request
-- Reads what says whether a request has a package yet, or still.
SELECT r.id, r.case_id, r."right", r.state, r.language, r.livemode, r.received_at, r.completed_at, r.due_on, r.outcome,
       r.package_until, r.package_open
FROM requests r
WHERE r.id = $1;

-- name: package_tasks
-- Lists the export tasks of a request with what they left, and how their processors describe themselves.
SELECT t.id, t.processor, t.outcome, t.export, p.manifest
FROM tasks t
LEFT JOIN processors p ON p.id = t.processor
WHERE t.request_id = $1 AND t.action = 'export'
ORDER BY t.processor, t.created_at, t.id;
