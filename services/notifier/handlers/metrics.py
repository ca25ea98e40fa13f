"""What the notifier counts."""

from prometheus_client import Counter, Histogram

TAKEN = Counter("habeas_notices_taken_total", "Notices that came, by what was done with them.", ["what"])
# `unknown` needs a person: nobody knows whether those mails went out.
ANSWERED = Counter("habeas_notices_answered_total", "Notices that got their answer.", ["answer"])
POSTPONED = Counter("habeas_notices_postponed_total", "Tries that came to nothing and are made again.", ["reason"])
TAKEN_OVER = Counter("habeas_notices_taken_over_total", "Notices of a sender that was gone.", ["state"])
HAND_OVER_SECONDS = Histogram(
    "habeas_notice_hand_over_seconds",
    "From claim to the receiving server's answer.",
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300),
)
