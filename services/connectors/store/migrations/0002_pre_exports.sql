-- What a task has in the object store: nothing (NULL), objects that stay for now, objects of lost attempts that are to be
-- deleted, or objects that are all to be deleted. It is cleared after the deletion, so no crash forgets one.
ALTER TABLE tasks ADD COLUMN exports text CHECK (exports IN ('written', 'losers', 'all'));
CREATE INDEX tasks_with_exports_to_delete ON tasks (id) WHERE exports IN ('losers', 'all');
