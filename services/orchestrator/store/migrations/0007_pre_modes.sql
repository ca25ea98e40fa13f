-- In which mode a processor is asked: a request is planned at the processors of its own mode alone.
ALTER TABLE processors ADD COLUMN livemode boolean NOT NULL DEFAULT true;

-- Where the data of a processor was before its manifest named another country, and until when.
ALTER TABLE processors
    ADD COLUMN moved_from text,
    ADD COLUMN moved_at timestamptz;
