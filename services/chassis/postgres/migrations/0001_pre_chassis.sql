-- What every service has in its own schema, whatever its domain.

-- Messages to send: written in the transaction that decides them, deleted once the broker has them.
CREATE TABLE outbox (
    id        bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    topic     text NOT NULL,
    key       text NOT NULL,
    headers   text NOT NULL, -- JSON object of ASCII names and values
    value     bytea NOT NULL,
    dead      text -- why it can never be sent; an alarm stands beside it
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);

-- Who may do what only one may do: the relay, a timer loop. The epoch counts the holders.
CREATE TABLE leases (
    name       text PRIMARY KEY,
    holder     text NOT NULL,
    epoch      bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Records that a consumer could not take. The bytes are encrypted and go at expires_at.
CREATE TABLE dead_letters (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer     text NOT NULL,
    topic        text NOT NULL,
    "partition"  integer NOT NULL,
    "offset"     bigint NOT NULL,
    reason       text NOT NULL,
    proven       boolean NOT NULL,
    event_id     text,
    sealed       bytea NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    state        text NOT NULL DEFAULT 'dead' CHECK (state IN ('dead', 'redriven', 'discarded')),
    UNIQUE (consumer, topic, "partition", "offset")
);
CREATE INDEX dead_letters_by_expiry ON dead_letters (expires_at);

-- Consumers that stopped rather than pour a bad deploy into the dead letters; the halt outlives the process.
CREATE TABLE consumers (
    name          text PRIMARY KEY,
    failures      integer NOT NULL DEFAULT 0, -- proven records that failed in a row
    halted_at     timestamptz,
    halted_reason text
);

-- The broker cluster that this database has spoken with: another one means that messages may be gone.
CREATE TABLE cluster (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    id         text NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT now()
);
