"""What a processor's author tests with: the conformance kit, a ledger that dies on demand, hostile vendors, people."""

from habeas.testing.conformance import ProcessorConformance
from habeas.testing.memory import Crash, Crashed, DyingLedger, MemoryExports, MemoryLedger, Time
from habeas.testing.quality import RULES, QualityError, read_quality
from habeas.testing.subjects import Person, person
from habeas.testing.trial import Trial
from habeas.testing.vendor import NotArranged, VendorUnderTest

__all__ = [
    "RULES",
    "Crash",
    "Crashed",
    "DyingLedger",
    "MemoryExports",
    "MemoryLedger",
    "NotArranged",
    "Person",
    "ProcessorConformance",
    "QualityError",
    "Time",
    "Trial",
    "VendorUnderTest",
    "person",
    "read_quality",
]
