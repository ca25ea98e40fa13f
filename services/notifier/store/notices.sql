-- name: keep
-- Stores notices, or what a later dispatch says of one that is unanswered or came back: that is tried anew. An earlier
-- or equal dispatch changes nothing.
INSERT INTO notices AS known (id, case_id, request_id, livemode, kind, language, "right", dispatch_no, not_after,
                              received_on, due_on, headline, recipients, sealed, traceparent)
SELECT n.id, n.case_id, n.request_id, n.livemode, n.kind, n.language, n."right", n.dispatch_no, n.not_after,
       n.received_on, n.due_on, n.headline, n.recipients, n.sealed, n.traceparent
FROM unnest($1::text[], $2::text[], $3::text[], $4::bool[], $5::text[], $6::text[], $7::text[], $8::int[],
            $9::timestamptz[], $10::date[], $11::date[], $12::text[], $13::text[], $14::text[], $15::text[])
    AS n(id, case_id, request_id, livemode, kind, language, "right", dispatch_no, not_after, received_on, due_on,
         headline, recipients, sealed, traceparent)
ORDER BY n.id COLLATE "C"
ON CONFLICT (id) DO UPDATE
SET language = excluded.language,
    dispatch_no = excluded.dispatch_no,
    not_after = excluded.not_after,
    received_on = excluded.received_on,
    due_on = excluded.due_on,
    headline = excluded.headline,
    recipients = excluded.recipients,
    sealed = excluded.sealed,
    traceparent = excluded.traceparent,
    stored_at = now(),
    next_at = CASE known.state WHEN 'waiting' THEN least(known.next_at, now())
                               WHEN 'lapsed' THEN now() WHEN 'bounced' THEN now() ELSE known.next_at END,
    attempts = CASE known.state WHEN 'bounced' THEN 0 ELSE known.attempts END,
    reason = CASE known.state WHEN 'bounced' THEN NULL ELSE known.reason END,
    answered_at = NULL,
    state = CASE WHEN known.state IN ('lapsed', 'bounced') THEN 'waiting' ELSE known.state END
WHERE known.dispatch_no < excluded.dispatch_no AND (known.answered_at IS NULL OR known.state = 'bounced');

-- name: repeat
-- Finds those among notices that were answered before, so that the answer can be given again. One that came back is
-- none of them once it is dispatched anew.
WITH asked AS (
    SELECT n.id, n.dispatch_no FROM unnest($1::text[], $2::int[]) AS n(id, dispatch_no)
), locked AS (
    SELECT known.id FROM notices AS known JOIN asked USING (id)
    WHERE known.answered_at IS NOT NULL AND NOT (known.state = 'bounced' AND known.dispatch_no < asked.dispatch_no)
    ORDER BY known.id FOR UPDATE OF known
)
UPDATE notices AS known
SET dispatch_no = greatest(known.dispatch_no, asked.dispatch_no)
FROM asked JOIN locked USING (id)
WHERE known.id = asked.id
RETURNING known.id, known.case_id, known.request_id, known.livemode, known.kind, known.dispatch_no, known.state,
          known.reason, known.answered_at, known.traceparent;

-- name: claim
-- Gives a sender, while its lease lasts, the notices that are due and whose time is not over.
WITH due AS (
    SELECT id FROM notices
    WHERE state = 'waiting' AND next_at <= now() AND not_after > now() AND sealed IS NOT NULL
      AND EXISTS (SELECT 1 FROM leases WHERE name = $1 AND expires_at > clock_timestamp())
    ORDER BY next_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE notices AS n
SET state = 'claimed', worker = $1, fence = n.fence + 1, attempts = n.attempts + 1
FROM due WHERE n.id = due.id
RETURNING n.id, n.request_id, n.livemode, n.kind, n.language, n."right", n.received_on, n.due_on, n.headline,
          n.recipients, n.sealed, n.fence, n.attempts;

-- name: hand_over
-- The last moment at which a claim may be withdrawn: returns the notices whose message may now be sent.
WITH mine AS (
    SELECT n.id FROM notices AS n JOIN unnest($2::text[], $3::bigint[]) AS m(id, fence) USING (id, fence)
    WHERE n.state = 'claimed' AND n.worker = $1
      AND EXISTS (SELECT 1 FROM leases WHERE name = $1 AND expires_at > clock_timestamp())
    ORDER BY n.id FOR UPDATE OF n
)
UPDATE notices AS n SET state = 'handing_over' FROM mine WHERE n.id = mine.id RETURNING n.id;

-- name: answer
-- Records what became of notices and forgets what was sealed. `sent` and `bounced` are certain, so they also put an
-- `unknown` right that was said of the same claim meanwhile.
WITH mine AS (
    SELECT n.id, a.state, a.reason FROM notices AS n
    JOIN unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) AS a(id, fence, state, reason) USING (id, fence)
    WHERE n.state IN ('claimed', 'handing_over') OR (n.state = 'unknown' AND a.state <> 'unknown')
    ORDER BY n.id FOR UPDATE OF n
)
UPDATE notices AS n
SET state = mine.state, reason = mine.reason, answered_at = now(), worker = NULL, sealed = NULL, recipients = NULL
FROM mine WHERE n.id = mine.id
RETURNING n.id, n.case_id, n.request_id, n.livemode, n.kind, n.dispatch_no, n.state, n.reason, n.answered_at, n.traceparent;

-- name: put_back
-- Gives claims back that certainly came to nothing, to be tried again after some seconds.
WITH mine AS (
    SELECT n.id, p.seconds, p.reason FROM notices AS n
    JOIN unnest($1::text[], $2::bigint[], $3::float8[], $4::text[]) AS p(id, fence, seconds, reason) USING (id, fence)
    WHERE n.state IN ('claimed', 'handing_over')
    ORDER BY n.id FOR UPDATE OF n
)
UPDATE notices AS n
SET state = 'waiting', worker = NULL, next_at = now() + make_interval(secs => mine.seconds), reason = mine.reason
FROM mine WHERE n.id = mine.id;

-- name: take_over
-- Finds notices whose sender is gone: a claim is free again; what was being handed over is unknown from now on.
WITH left_behind AS (
    SELECT n.id FROM notices AS n
    WHERE n.state IN ('claimed', 'handing_over')
      AND NOT EXISTS (SELECT 1 FROM leases WHERE name = n.worker AND expires_at > clock_timestamp())
    ORDER BY n.id LIMIT $1
    FOR UPDATE OF n SKIP LOCKED
)
UPDATE notices AS n
SET state = CASE n.state WHEN 'claimed' THEN 'waiting' ELSE 'unknown' END,
    next_at = now(),
    worker = NULL,
    reason = CASE n.state WHEN 'claimed' THEN NULL ELSE 'sender_lost' END,
    answered_at = CASE n.state WHEN 'claimed' THEN NULL ELSE now() END,
    sealed = CASE n.state WHEN 'claimed' THEN n.sealed END,
    recipients = CASE n.state WHEN 'claimed' THEN n.recipients END
FROM left_behind WHERE n.id = left_behind.id
RETURNING n.id, n.case_id, n.request_id, n.livemode, n.kind, n.dispatch_no, n.state, n.reason, n.answered_at, n.traceparent;

-- name: lapse
-- Forgets what is sealed in notices that came too late to be sent, or that nobody could send for very long.
UPDATE notices SET state = 'lapsed', sealed = NULL, recipients = NULL
WHERE state = 'waiting' AND sealed IS NOT NULL
  AND (not_after <= now() OR stored_at < now() - make_interval(secs => $1))
RETURNING id;

-- name: forget_senders
-- Deletes leases of senders that are long gone and left nothing behind.
DELETE FROM leases AS l
WHERE l.name LIKE 'sender/%' AND l.expires_at < now() - interval '1 hour'
  AND NOT EXISTS (SELECT 1 FROM notices AS n WHERE n.worker = l.name AND n.state IN ('claimed', 'handing_over'));
