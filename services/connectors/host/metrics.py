"""What the host counts, each metric once."""

from prometheus_client import Counter, Gauge

ARRIVED = Counter("habeas_tasks_arrived_total", "Tasks that were stored.", ["processor"])
# Late messages are replays, or a host that was away longer than the orchestrator waits; it sends again by itself.
LATE = Counter("habeas_tasks_late_total", "Messages past their not_after, which were ignored.", ["processor"])
SETTLED = Counter("habeas_tasks_settled_total", "Tasks that ended.", ["processor", "headline"])
PUT_DOWN = Counter("habeas_tasks_put_down_total", "Tries that did not end a task.", ["processor", "state"])
LEASES_LOST = Counter(
    "habeas_tasks_lease_lost_total", "Tries that another worker or a message cut short.", ["processor"]
)
IN_HAND = Gauge("habeas_tasks_in_hand", "Tasks being worked on.", ["processor"])
WRITES = Counter("habeas_task_writes_total", "Writes of tasks, many to a transaction.")
COMMITS = Counter("habeas_task_commits_total", "Transactions that carried those writes.")
BROKEN_ENROLMENTS = Gauge("habeas_enrolments_broken", "Folders that cannot be served; the log says why.")
