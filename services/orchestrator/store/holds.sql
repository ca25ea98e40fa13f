-- name: place
-- Remembers what processors keep.
INSERT INTO holds (task_id, ordinal, request_id, processor, category, ground, until, count, due_at, placed_at)
SELECT task_id, ordinal, request_id, processor, category, ground, until, count, due_at, placed_at
FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[], $8::int[],
            $9::timestamptz[], $10::timestamptz[])
    AS h(task_id, ordinal, request_id, processor, category, ground, until, count, due_at, placed_at)
ON CONFLICT (task_id, ordinal) DO NOTHING;

-- name: due
-- Which requests have holds whose day has come.
SELECT DISTINCT request_id
FROM (
    SELECT request_id FROM holds
    WHERE state = 'placed' AND due_at IS NOT NULL AND due_at <= $1
    ORDER BY due_at
    LIMIT $2
) first;

-- name: due_of
-- The holds of locked requests whose day has come.
SELECT h.task_id, h.ordinal, h.request_id, h.processor, h.until, h.count, h.due_at, r.in_a_row
FROM holds h
JOIN requests r ON r.id = h.request_id
WHERE h.request_id = ANY ($1::text[]) AND h.state = 'placed' AND h.due_at IS NOT NULL AND h.due_at <= $2
ORDER BY h.request_id, h.until, h.task_id, h.ordinal;

-- name: open
-- Opens follow-up requests in the case, and with what is known of the requester, of those they follow; one that is open
-- already is passed over.
WITH wanted AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::int[], $5::bytea[], $6::timestamptz[], $7::timestamptz[], $8::date[],
        $9::timestamptz[], $10::bytea[], $11::bytea[]
    ) AS w(id, follows, cause, in_a_row, digest, received_at, created_at, due_on, due_at, wrapped, sealed)
),
opened AS (
    INSERT INTO requests (
        id, case_id, client_id, livemode, "right", state, channel, requester_relation, identity_check, language,
        country, idempotency_digest, body_digest, received_at, created_at, due_on, due_on_unpaused, due_at,
        traceparent, follows, cause, in_a_row
    )
    SELECT
        w.id, r.case_id, r.client_id, r.livemode, r."right", 'received', 'follow_up', r.requester_relation,
        r.identity_check, r.language, r.country, w.digest, w.digest, w.received_at, w.created_at, w.due_on, w.due_on,
        w.due_at, r.traceparent, w.follows, w.cause, w.in_a_row
    FROM wanted w
    JOIN requests r ON r.id = w.follows
    ORDER BY w.id
    ON CONFLICT DO NOTHING
    RETURNING id
),
locked_up AS (
    INSERT INTO request_keys (request_id, wrapped) SELECT w.id, w.wrapped FROM wanted w JOIN opened USING (id)
),
packed AS (
    INSERT INTO request_secrets (request_id, sealed) SELECT w.id, w.sealed FROM wanted w JOIN opened USING (id)
)
SELECT id FROM opened;

-- name: end
-- Ends holds, or lets them stay for somebody to look at.
UPDATE holds AS h SET state = c.state, ended_at = $5, follow_up = c.follow_up
FROM unnest($1::text[], $2::int[], $3::text[], $4::text[]) AS c(task_id, ordinal, state, follow_up)
WHERE h.task_id = c.task_id AND h.ordinal = c.ordinal;
