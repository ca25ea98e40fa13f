"""Client of the HTTP API: `Habeas` for ordinary code, `AsyncHabeas` for asyncio, with the same calls.

>>> from habeas.client import Habeas, NewRequest
>>> habeas = Habeas("http://127.0.0.1:8080", key="hab_live_...")
>>> request = habeas.requests.file(NewRequest("erasure", {"email": "jane@example.com"}, contact="jane@example.com"))
>>> habeas.wait_until_settled(request.id).outcome.headline
<Headline.FULFILLED: 'fulfilled'>
"""

from habeas.client.awaited import AsyncHabeas
from habeas.client.blocking import Habeas
from habeas.client.errors import (
    FieldError,
    HabeasError,
    HabeasProblem,
    NotSendable,
    NotSettledInTime,
    PackageBroken,
    Unreachable,
    UnreadableAnswer,
)
from habeas.client.filing import Correction, Identity, NewRequest
from habeas.client.models import (
    Act,
    Asks,
    Attention,
    Consumer,
    DeadLetter,
    Enrolment,
    FiledMany,
    FiledOne,
    Line,
    Outcome,
    Page,
    Processor,
    Recipient,
    Request,
    Task,
    TaskCounts,
    TimelineEntry,
)
from habeas.client.packages import AsyncPackage, Package, SavedPackage
from habeas.client.retries import Retries

__all__ = [
    "Act",
    "Asks",
    "AsyncHabeas",
    "AsyncPackage",
    "Attention",
    "Consumer",
    "Correction",
    "DeadLetter",
    "Enrolment",
    "FieldError",
    "FiledMany",
    "FiledOne",
    "Habeas",
    "HabeasError",
    "HabeasProblem",
    "Identity",
    "Line",
    "NewRequest",
    "NotSendable",
    "NotSettledInTime",
    "Outcome",
    "Package",
    "PackageBroken",
    "Page",
    "Processor",
    "Recipient",
    "Request",
    "Retries",
    "SavedPackage",
    "Task",
    "TaskCounts",
    "TimelineEntry",
    "Unreachable",
    "UnreadableAnswer",
]
