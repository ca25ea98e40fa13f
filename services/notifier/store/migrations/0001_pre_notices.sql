-- The notifier's memory. Ids are text in the C collation: they sort by time and read the same everywhere.

-- One row for each notice. `sealed` and `recipients` go as soon as the notice is answered; what is left is a tombstone
-- that keeps a replayed message from being sent again. `fence` counts the claims: a sender that was taken over can
-- no longer hand anything over. `worker` names the lease of the sender that claimed it.
CREATE TABLE notices (
    id           text COLLATE "C" PRIMARY KEY,
    case_id      text COLLATE "C" NOT NULL,
    request_id   text COLLATE "C" NOT NULL,
    livemode     boolean NOT NULL,
    kind         text NOT NULL,
    language     text NOT NULL,
    "right"      text NOT NULL,
    dispatch_no  integer NOT NULL,
    not_after    timestamptz NOT NULL,
    received_on  date NOT NULL,
    due_on       date NOT NULL,
    headline     text,
    recipients   text, -- JSON, as it came
    sealed       text, -- a JWE, as it came
    traceparent  text,
    state        text NOT NULL DEFAULT 'waiting'
                 CHECK (state IN ('waiting', 'claimed', 'handing_over', 'sent', 'bounced', 'unknown', 'lapsed')),
    fence        bigint NOT NULL DEFAULT 0,
    worker       text,
    attempts     integer NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL DEFAULT now(),
    reason       text,
    stored_at    timestamptz NOT NULL DEFAULT now(),
    answered_at  timestamptz,
    CHECK ((state IN ('sent', 'bounced', 'unknown')) = (answered_at IS NOT NULL))
) WITH (fillfactor = 80);

CREATE INDEX notices_due ON notices (next_at) WHERE state = 'waiting';
CREATE INDEX notices_with_a_sender ON notices (worker) WHERE state IN ('claimed', 'handing_over');
CREATE INDEX notices_with_a_seal ON notices (stored_at) WHERE sealed IS NOT NULL;
