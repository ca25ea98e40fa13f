"""What the host decides without touching anything: arrivals, the journal of a task, back-off, what is reported."""
