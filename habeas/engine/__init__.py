"""Carries one task through a processor: locate, store, re-read, hold, act, verify, retry; pure, over ports."""

from habeas.engine.holds import Hold
from habeas.engine.ports import (
    Again,
    Clock,
    ExportReceipt,
    Exports,
    Held,
    LeaseLost,
    Ledger,
    OutcomeLine,
    Park,
    Progress,
    Settled,
    StoredItem,
    Verdict,
)
from habeas.engine.work import MOST_ATTEMPTS, MOST_PASSES, work

__all__ = [
    "MOST_ATTEMPTS",
    "MOST_PASSES",
    "Again",
    "Clock",
    "ExportReceipt",
    "Exports",
    "Held",
    "Hold",
    "LeaseLost",
    "Ledger",
    "OutcomeLine",
    "Park",
    "Progress",
    "Settled",
    "StoredItem",
    "Verdict",
    "work",
]
