"""All that a processor author imports: the class to write, what it is given, what it answers with, what it raises."""

from habeas.sdk.errors import CannotFulfil, CredentialsRejected, ProcessorError, RetryLater, WrongPerson
from habeas.sdk.http import Answer, Http, Stream, busy, retry_after
from habeas.sdk.manifest import FieldSpec, Limits, Manifest, ManifestError, Serves
from habeas.sdk.outcome import File, Identity, Item, Record, Result, Results, Unlisted, Values, Wait
from habeas.sdk.processor import Answered, Exported, Found, Items, Processor, Read
from habeas.sdk.task import Change, Context, Correction, RetentionRule, Task
from habeas.vocabulary import Action, Checked, CountedFrom, Disposition, IdentityType, Right

__all__ = [
    "Action",
    "Answer",
    "Answered",
    "CannotFulfil",
    "Change",
    "Checked",
    "Context",
    "Correction",
    "CountedFrom",
    "CredentialsRejected",
    "Disposition",
    "Exported",
    "FieldSpec",
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
    "Read",
    "Record",
    "Result",
    "Results",
    "RetentionRule",
    "RetryLater",
    "Right",
    "Serves",
    "Stream",
    "Task",
    "Unlisted",
    "Values",
    "Wait",
    "WrongPerson",
    "busy",
    "retry_after",
]
