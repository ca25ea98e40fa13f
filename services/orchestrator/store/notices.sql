-- name: requests_of_notices
-- Which requests some notices belong to.
SELECT id, request_id FROM notices WHERE id = ANY ($1::text[]);

-- name: lock
-- Some notices, whose requests are locked.
SELECT id, request_id, kind, state FROM notices WHERE id = ANY ($1::text[]);

-- name: answer
-- Takes the first answer; "sent" also ends an "unknown", since the server's word is better than none.
UPDATE notices AS n
SET state = c.state, reason = c.reason, answered_at = c.at, silence_at = NULL
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS c(id, state, reason, at)
WHERE n.id = c.id;

-- name: unknown
-- Which of these requests have a notice of which nobody knows whether it went out.
SELECT DISTINCT request_id FROM notices WHERE request_id = ANY ($1::text[]) AND state = 'unknown';

-- name: silent
-- Notices that nobody has answered for too long.
SELECT id, request_id, kind, dispatch_no, silences
FROM notices
WHERE state = 'due' AND silence_at <= $1
ORDER BY silence_at
LIMIT $2;

-- name: unanswered
-- Every notice that is not answered: after a change of cluster all of them are sent again.
UPDATE notices SET silence_at = $1 WHERE state = 'due';

-- name: sent_again
-- Counts one more sending.
UPDATE notices AS n
SET dispatch_no = c.dispatch_no, silences = c.silences, silence_at = c.silence_at
FROM unnest($1::text[], $2::int[], $3::int[], $4::timestamptz[]) AS c(id, dispatch_no, silences, silence_at)
WHERE n.id = c.id;
