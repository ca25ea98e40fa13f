"""The conformance kit: what every processor must do, as tests that an author inherits.

    class TestHubSpot(ProcessorConformance):
        def vendor(self):
            return MyVendorUnderTest(...)

Only what the manifest serves is tested. What your vendor under test cannot be brought to do is skipped, and the
reason says what to add for it to run. Tests are plain functions with an event loop of their own, so they need pytest
and none of its plugins; each begins with a new vendor from `vendor`.
"""

from habeas.testing.rules.discretion import DiscretionRules
from habeas.testing.rules.enduring import EnduranceRules
from habeas.testing.rules.erasing import ErasureRules
from habeas.testing.rules.exporting import ExportRules
from habeas.testing.rules.finding import FindingRules
from habeas.testing.rules.networks import NetworkRules
from habeas.testing.rules.partial import PartialRules
from habeas.testing.rules.rectifying import RectificationRules
from habeas.testing.rules.standing import StandingRules


class ProcessorConformance(
    FindingRules,
    ErasureRules,
    ExportRules,
    RectificationRules,
    StandingRules,
    EnduranceRules,
    NetworkRules,
    PartialRules,
    DiscretionRules,
):
    """Subclass it, return your vendor from `vendor`, and every rule is a test of yours."""
