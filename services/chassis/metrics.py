"""Every metric once: its kind, its labels, what it means and often what to do when it moves."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

# Consumers: records taken; falls to nothing while lag grows when a consumer halted. The orchestrator's are listed by
# `habeas consumers list`, another service's by `habeas run <service> consumers list`; dead letters likewise.
CONSUMED = Counter("habeas_consumed_records_total", "Records taken from Kafka and handled.", ["consumer"])
BATCH_SECONDS = Histogram(
    "habeas_consumer_batch_seconds", "From poll to commit of one batch.", ["consumer"], buckets=_SECONDS
)
BATCH_RETRIES = Counter(
    "habeas_consumer_batch_retries_total", "Batches that failed and were tried again.", ["consumer"]
)
# Each is a record somebody must look at: `dead-letters list`.
DEAD_LETTERS = Counter("habeas_dead_letters_total", "Records that were put aside.", ["consumer", "reason"])
UNKNOWN_FACTS = Counter("habeas_unknown_facts_total", "Facts of an unknown type that were skipped.", ["consumer"])
HALTED = Gauge("habeas_consumer_halted", "1 while a consumer is halted; `consumers resume` ends it.", ["consumer"])

# Relay: its age is the best single sign of trouble between database and broker.
RELAYED = Counter("habeas_relayed_messages_total", "Outbox rows acknowledged by the broker.")
RELAY_FAILURES = Counter("habeas_relay_failures_total", "Sends that failed; the rows are sent again.", ["reason"])
RELAY_LEADER = Gauge("habeas_relay_leader", "1 in the process that relays this service's outbox.")
OUTBOX_DEAD = Counter("habeas_outbox_dead_total", "Outbox rows that can never be sent; find them in the outbox.")

# Loops: liveness comes from their progress.
LOOP_STEPS = Counter("habeas_loop_steps_total", "Steps of a background loop.", ["loop"])
LOOP_FAILURES = Counter("habeas_loop_failures_total", "Steps that failed and were tried again.", ["loop"])
CLUSTER_CHANGED = Counter(
    "habeas_cluster_changed_total", "Another broker cluster than before: everything open is sent again."
)

HTTP_SECONDS = Histogram(
    "habeas_http_seconds", "From request to answer.", ["method", "route", "status"], buckets=_SECONDS
)
