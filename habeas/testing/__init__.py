"""What a processor's author tests with: the conformance kit, a ledger that dies on demand, hostile vendors, people."""

from habeas.testing.memory import Crash, Crashed, MemoryExports, MemoryLedger, Time

__all__ = ["Crash", "Crashed", "MemoryExports", "MemoryLedger", "Time"]
