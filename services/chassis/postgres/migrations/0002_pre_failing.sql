-- Whose proven records failed in a row at which consumer: one that fails alone must not halt the reader of all.
CREATE TABLE failing (
    consumer text NOT NULL,
    sender   text NOT NULL, -- the processor of the kid that proved them
    failures integer NOT NULL,
    PRIMARY KEY (consumer, sender)
);
