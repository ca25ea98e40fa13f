-- name: file
-- Stores filed requests with case, key, secrets, first timeline entry and, for copies, whom they are about; one that
-- exists already is passed over.
-- In the order of the unique key, so that two processes that file the same requests never lock crosswise.
WITH filed AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::bool[], $4::text[], $5::bool[], $6::text[], $7::text[], $8::text[], $9::text[],
        $10::text[], $11::text[], $12::text[], $13::bytea[], $14::bytea[], $15::timestamptz[], $16::timestamptz[],
        $17::date[], $18::timestamptz[], $19::bytea[], $20::text[], $21::text[], $22::text[], $23::bytea[], $24::bytea[]
    ) AS row(
        id, case_id, own_case, client_id, livemode, "right", state, channel, requester_relation,
        identity_check, language, country, idempotency_digest, body_digest, received_at, created_at,
        due_on, due_at, timeline_hash, traceparent, event_id, metadata, wrapped, sealed
    )
),
stored AS (
    INSERT INTO requests (
        id, case_id, client_id, livemode, "right", state, channel, requester_relation, identity_check, language,
        country, metadata, idempotency_digest, body_digest, received_at, created_at, due_on, due_on_unpaused, due_at,
        timeline_seq, timeline_hash, traceparent
    )
    SELECT
        id, case_id, client_id, livemode, "right", state, channel, requester_relation, identity_check, language,
        country, metadata::jsonb, idempotency_digest, body_digest, received_at, created_at, due_on, due_on, due_at,
        1, timeline_hash, traceparent
    FROM filed
    WHERE own_case OR EXISTS (
        SELECT 1 FROM cases c
        WHERE c.id = filed.case_id AND c.client_id = filed.client_id AND c.livemode = filed.livemode
    )
    ORDER BY client_id, livemode, idempotency_digest
    ON CONFLICT (client_id, livemode, idempotency_digest) DO NOTHING
    RETURNING id
),
won AS (
    SELECT filed.* FROM filed JOIN stored USING (id)
),
opened AS (
    INSERT INTO cases (id, client_id, livemode, created_at)
    SELECT case_id, client_id, livemode, created_at FROM won WHERE own_case
),
locked_up AS (
    INSERT INTO request_keys (request_id, wrapped) SELECT id, wrapped FROM won
),
packed AS (
    INSERT INTO request_secrets (request_id, sealed) SELECT id, sealed FROM won
),
noted AS (
    INSERT INTO timeline (request_id, seq, event_id, type, at, actor, hash)
    SELECT id, 1, event_id, 'request.received', created_at, client_id, timeline_hash FROM won
),
read AS (
    INSERT INTO subject_readers (request_id, blind)
    SELECT DISTINCT id, blind FROM unnest($25::text[], $26::bytea[]) AS known(id, blind) JOIN won USING (id)
)
SELECT id FROM won;

-- name: filed_before
-- Finds the ids and body digests of requests by client, mode and idempotency digest.
SELECT r.id, r.client_id, r.livemode, r.idempotency_digest, r.body_digest
FROM unnest($1::text[], $2::bool[], $3::bytea[]) AS wanted(client_id, livemode, idempotency_digest)
JOIN requests r USING (client_id, livemode, idempotency_digest);
