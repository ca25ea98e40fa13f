-- name: requests_of_notices
-- Which requests some notices belong to.
SELECT id, request_id FROM notices WHERE id = ANY ($1::text[]);

-- name: lock
-- Some notices, whose requests are locked.
SELECT id, request_id, kind, state, silences FROM notices WHERE id = ANY ($1::text[]);

-- name: answer
-- Takes the first answer; "sent" also ends an "unknown", since the server's word is better than none.
UPDATE notices AS n
SET state = c.state, reason = c.reason, answered_at = c.at, silence_at = NULL
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS c(id, state, reason, at)
WHERE n.id = c.id;

-- name: troubled
-- What is the matter with notices of these requests; `bounced` before `unknown` before `silent`. What became of an
-- acknowledgement concerns nobody any more once the person has the answer.
SELECT request_id,
       min(CASE state WHEN 'bounced' THEN 1 WHEN 'unknown' THEN 2 ELSE 3 END) AS worst
FROM notices AS n
WHERE request_id = ANY ($1::text[]) AND (state IN ('bounced', 'unknown') OR (state = 'due' AND silences > 0))
  AND NOT (kind = 'acknowledgement' AND EXISTS (
      SELECT 1 FROM notices AS c WHERE c.request_id = n.request_id AND c.kind = 'completion' AND c.state = 'sent'
  ))
GROUP BY request_id;

-- name: silent
-- Notices that nobody has answered for too long. Those of requests whose key is deleted can not be sent any more.
SELECT id, request_id, kind, dispatch_no, silences
FROM notices AS n
WHERE state = 'due' AND silence_at <= $1
  AND EXISTS (SELECT 1 FROM request_keys AS k WHERE k.request_id = n.request_id)
ORDER BY silence_at
LIMIT $2;

-- name: unanswered
-- Notices that are not answered, in id order: after a change of cluster all of them are sent again.
SELECT id, request_id, kind, dispatch_no, silences
FROM notices AS n
WHERE state = 'due' AND id > $1
  AND EXISTS (SELECT 1 FROM request_keys AS k WHERE k.request_id = n.request_id)
ORDER BY id
LIMIT $2;

-- name: retriable
-- Notices of a request that came back, or that nobody has answered for too long.
SELECT id, request_id, kind, dispatch_no, silences
FROM notices
WHERE request_id = $1 AND (state = 'bounced' OR (state = 'due' AND silences > 0))
ORDER BY id;

-- name: put_off
-- Counts what was done about silence, and says when to ask again.
UPDATE notices AS n
SET dispatch_no = c.dispatch_no, silences = c.silences, silence_at = c.silence_at
FROM unnest($1::text[], $2::int[], $3::int[], $4::timestamptz[]) AS c(id, dispatch_no, silences, silence_at)
WHERE n.id = c.id;

-- name: retried
-- Lets notices be due once more, as if they were new.
UPDATE notices AS n
SET state = 'due', reason = NULL, answered_at = NULL, dispatch_no = c.dispatch_no, silences = 0, silence_at = $3
FROM unnest($1::text[], $2::int[]) AS c(id, dispatch_no)
WHERE n.id = c.id;
