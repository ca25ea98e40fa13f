-- What the probe's handler has taken, once for each event, and how often it was tried.
CREATE TABLE seen (
    event_id  text PRIMARY KEY,
    key       text NOT NULL,
    place     bigint GENERATED ALWAYS AS IDENTITY
);
