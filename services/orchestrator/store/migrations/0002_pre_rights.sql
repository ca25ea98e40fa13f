-- Access and rectification: what was exported, how long the copy is kept, and whose turn it is with a subject.

-- `export` is contracts.exports.ExportReceipt of the report that settled the task. `unknown_fields` names the fields of
-- a rectification that the processor was not asked to correct, since it does not know them. `behind` is the request that
-- has to end (or to end its task at this processor) before this one may be sent.
ALTER TABLE tasks
    ADD COLUMN export jsonb,
    ADD COLUMN unknown_fields jsonb,
    ADD COLUMN behind text COLLATE "C";
DROP INDEX tasks_blocked;
CREATE INDEX tasks_behind ON tasks (behind) WHERE state = 'ready' AND blocked;

-- The copy of an answered access is kept until `package_until`; `package_open` falls when its objects are given up.
ALTER TABLE requests
    ADD COLUMN package_until timestamptz,
    ADD COLUMN package_open boolean NOT NULL DEFAULT false;
CREATE INDEX requests_with_package ON requests (package_until) WHERE package_open;

-- One request at a time acts on a subject, at all processors: it takes its turn when its first action is sent and keeps
-- it until it ends. Two requests have one turn (`ordinal` 1 and on) where they learned too late that they are about one
-- person; then they only keep out of each other's way at each processor.
CREATE TABLE subject_turns (
    blind       bytea NOT NULL,
    ordinal     smallint NOT NULL,
    request_id  text COLLATE "C" NOT NULL,
    PRIMARY KEY (blind, ordinal)
);
CREATE INDEX subject_turns_by_request ON subject_turns (request_id);
INSERT INTO subject_turns (blind, ordinal, request_id)
SELECT blind, row_number() OVER (PARTITION BY blind ORDER BY request_id) - 1, request_id
FROM (SELECT DISTINCT blind, request_id FROM subject_locks) AS held;

-- Whom open requests are about that ask for a copy: what changes the data waits for them. Kept from filing to end.
CREATE TABLE subject_readers (
    blind       bytea NOT NULL,
    request_id  text COLLATE "C" NOT NULL,
    PRIMARY KEY (blind, request_id)
);
CREATE INDEX subject_readers_by_request ON subject_readers (request_id);
