-- `told_until` is when the orchestrator last heard that a task is here, or the moment for which it was told to wait: some time
-- after that it has to hear again. `failing_since` is when the tries began that all failed.
ALTER TABLE tasks ADD COLUMN told_until timestamptz, ADD COLUMN failing_since timestamptz;
CREATE INDEX tasks_to_tell_again ON tasks (told_until) WHERE state = 'open' AND told_until IS NOT NULL;
