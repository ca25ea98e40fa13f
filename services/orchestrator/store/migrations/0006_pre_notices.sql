-- Of which notices somebody has to know: they came back, nobody knows of them, or nobody has answered for too long.
CREATE INDEX notices_troubled ON notices (request_id)
    WHERE state IN ('bounced', 'unknown') OR (state = 'due' AND silences > 0);
DROP INDEX notices_unknown;
