"""All that a processor author imports: the class to write, what it is given, what it answers with, what it raises."""

from habeas.sdk.errors import CannotFulfil, CredentialsRejected, ProcessorError, RetryLater, WrongPerson
from habeas.sdk.http import Answer, Http, busy, retry_after
from habeas.sdk.manifest import Limits, Manifest, ManifestError, Serves
from habeas.sdk.outcome import File, Identity, Item, Record, Result, Results, Wait
from habeas.sdk.processor import Answered, Exported, Found, Items, Processor
from habeas.sdk.task import Context, Correction, RetentionRule, Task
from habeas.vocabulary import Action, Checked, Disposition, IdentityType, Right

__all__ = [
    "Action",
    "Answer",
    "Answered",
    "CannotFulfil",
    "Checked",
    "Context",
    "Correction",
    "CredentialsRejected",
    "Disposition",
    "Exported",
    "File",
    "Found",
    "Http",
    "Identity",
    "IdentityType",
    "Item",
    "Items",
    "Limits",
    "Manifest",
    "ManifestError",
    "Processor",
    "ProcessorError",
    "Record",
    "Result",
    "Results",
    "RetentionRule",
    "RetryLater",
    "Right",
    "Serves",
    "Task",
    "Wait",
    "WrongPerson",
    "busy",
    "retry_after",
]
