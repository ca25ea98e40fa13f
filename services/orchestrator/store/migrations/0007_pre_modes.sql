-- In which mode a processor is asked: a request is planned at the processors of its own mode alone.
ALTER TABLE processors ADD COLUMN livemode boolean NOT NULL DEFAULT true;

-- Where the data of a processor was before its manifest named another country, and until when.
ALTER TABLE processors
    ADD COLUMN moved_from text,
    ADD COLUMN moved_at timestamptz;

-- Who enrolled it, approved its manifest and retired it, as far as it stands now.
ALTER TABLE processors
    ADD COLUMN enrolled_by text COLLATE "C",
    ADD COLUMN approved_at timestamptz,
    ADD COLUMN approved_by text COLLATE "C",
    ADD COLUMN retired_by text COLLATE "C";

-- Whatever was deliberately done with a processor, in its order; kept when its id is enrolled anew. `detail` is JSON
-- without personal data: the reason of a retirement, what an approval allowed, a version.
CREATE TABLE processor_acts (
    processor  text COLLATE "C" NOT NULL,
    ordinal    integer NOT NULL,
    act        text NOT NULL CHECK (act IN ('enrolled', 'approved', 'rotated', 'revoked', 'retired')),
    at         timestamptz NOT NULL,
    actor      text COLLATE "C" NOT NULL,
    detail     jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (processor, ordinal)
);
