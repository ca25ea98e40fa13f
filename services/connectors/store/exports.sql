-- name: to_delete
-- Reads of which tasks exports are to be deleted: all of them, or all but the one that the answer names.
SELECT id, exports, answer
FROM tasks
WHERE exports IN ('losers', 'all') AND id <> ALL ($1::text[])
ORDER BY id
LIMIT $2;

-- name: deleted
-- Remembers that it was done, unless more is to be deleted meanwhile.
UPDATE tasks
SET exports = CASE WHEN $2 = 'losers' THEN 'written' END
WHERE id = $1 AND exports = $2;

-- name: look_again
-- Has the store looked through once more for tasks that ended while another attempt at them was under way.
UPDATE tasks
SET exports = CASE WHEN state = 'closed' OR answer::jsonb -> 'export' IS NULL THEN 'all' ELSE 'losers' END
WHERE id = $1 AND state IN ('settled', 'closed');
