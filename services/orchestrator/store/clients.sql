-- name: key
-- Finds an API key by its digest.
SELECT id, client_id, livemode, scopes, digest, expires_at, revoked_at, last_used_at FROM api_keys WHERE digest = $1;

-- name: used
-- Notes that a key was used, to the minute: a write for each call would cost more than the call.
UPDATE api_keys SET last_used_at = $2::timestamptz
WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - interval '1 minute');

-- name: client
-- Makes a client, or finds it by its name.
INSERT INTO clients (id, name) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING id;

-- name: issue
-- Keeps the digest of a fresh key.
INSERT INTO api_keys (id, client_id, livemode, scopes, digest, hint, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: revoke
-- Ends a key; every process has noticed when its cache is over.
UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id;

-- name: keys
-- Lists the keys of one mode, all or one of them, the newest first.
SELECT
    k.id, k.client_id, c.name AS client_name, k.scopes, k.livemode, k.hint, k.created_at, k.expires_at, k.revoked_at,
    k.last_used_at
FROM api_keys k
JOIN clients c ON c.id = k.client_id
WHERE k.livemode = $1 AND ($2::text IS NULL OR k.id = $2)
ORDER BY k.id DESC;
