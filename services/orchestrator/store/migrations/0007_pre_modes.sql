-- In which mode a processor is asked: a request is planned at the processors of its own mode alone.
ALTER TABLE processors ADD COLUMN livemode boolean NOT NULL DEFAULT true;
