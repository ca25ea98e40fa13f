"""What each state and word of an outcome means for the person who asked; the reference page shows it."""

from typing import Final

from habeas.vocabulary import AttentionReason, Cause, Headline, RequestState, TaskState

REQUEST_STATES: Final[dict[RequestState, str]] = {
    RequestState.RECEIVED: "The request is stored and the clock runs. Nothing was done with the data yet.",
    RequestState.AWAITING_IDENTITY: "It is not yet clear that the requester is the subject; nothing is done before.",
    RequestState.AWAITING_APPROVAL: "Somebody of the controller has to agree first.",
    RequestState.SCHEDULED: "It will start after the cooling-off time, and can be cancelled until then.",
    RequestState.IN_PROGRESS: "The systems that hold the person's data are at work.",
    RequestState.CANCELLING: "It was withdrawn; systems that had started to look are being called off.",
    RequestState.AWAITING_RELEASE: "The answer is ready and waits for somebody to release it.",
    RequestState.COMPLETED: "Every system has answered; `outcome` says what came of it.",
    RequestState.REFUSED: "The controller takes no action, on a lawful ground that the person is told.",
    RequestState.CANCELLED: "It was withdrawn before anything was changed.",
    RequestState.LAPSED: "The requester never showed to be the subject, so nothing was done.",
    RequestState.MERGED: "It is answered together with another request of the same person.",
}
TASK_STATES: Final[dict[TaskState, str]] = {
    TaskState.WAITING: "Something else has to end first.",
    TaskState.READY: "It may be sent.",
    TaskState.DISPATCHED: "It is on its way to the system.",
    TaskState.ACCEPTED: "The system's connector has stored it and works on it; `phase` says how.",
    TaskState.SETTLED: "There is an outcome.",
    TaskState.CANCELLED: "It was called off before it had any effect.",
}
HEADLINES: Final[dict[Headline, str]] = {
    Headline.FULFILLED: "Everything that was found was dealt with as asked.",
    Headline.FULFILLED_WITH_RETENTION: "Done, but for data that has to be kept; see the lines for ground and end.",
    Headline.PARTLY_FULFILLED: "A part was done or searched; the lines say what was not, and why.",
    Headline.NOTHING_FOUND: "Every system that serves the right was searched, and none holds data of this person.",
    Headline.REFUSED: "All that was found has to be kept on a lawful ground.",
    Headline.NOT_FULFILLED: "It could not be done, or no system could be asked; the lines say why.",
}
ATTENTION: Final[dict[AttentionReason, str]] = {
    AttentionReason.SILENT: "A connector said nothing for too long. See whether it runs; then retry.",
    AttentionReason.NEVER_ANNOUNCED: "The processor is enrolled, but no host serves it. Start one, or retire it.",
    AttentionReason.CANNOT_BE_PLANNED: "Planning fails; the timeline says why. Mend it; it is tried again by itself.",
    AttentionReason.NO_PROCESSORS: "No processor is enrolled in its mode, so nothing can be planned. Enrol one.",
    AttentionReason.CREDENTIALS_REJECTED: "The supplier refuses our credentials. Renew them; then retry.",
    AttentionReason.KEEPS_FAILING: "It failed again and again. Look at the connector's log; then retry or skip.",
    AttentionReason.RESIDUE_REMAINS: "Data was still there after every pass. Look at the supplier; then retry.",
    AttentionReason.WRONG_PERSON: "An item was not the subject's when it was read again. Look before anything else.",
    AttentionReason.AMBIGUOUS_IDENTITY: "Two values were found where a person has one. Look; then confirm, or cancel.",
    AttentionReason.UNSEALABLE: "The connector could not open the seal. See whether its enrolment key is current.",
    AttentionReason.MANIFEST_WAITS: "Its manifest has not taken effect. Approve it, or mend the circle in `after`.",
    AttentionReason.WAITS_FOR_ANOTHER: "Another request on the person goes first, and needs somebody. See to that.",
    AttentionReason.NOTICE_UNKNOWN: "Nobody knows whether a mail went out. Look at the mail server.",
    AttentionReason.NOTICE_BOUNCED: "A mail came back, so the person was not told. Retry, or tell them otherwise.",
    AttentionReason.NOTICE_SILENT: "A mail has not gone out yet. See whether notifier and mail server run; then retry.",
    AttentionReason.PACKAGE_NOT_FETCHED: "The copy is given up soon, and nobody has fetched it. Hand it to the person.",
}
CAUSES: Final[dict[Cause, str]] = {
    Cause.HOLD_ENDED: "What had to be kept may go now; this request erases it. It asks for nobody's identity again.",
    Cause.HOLD_RELEASED: "Somebody ended a hold before its time.",
    Cause.RESIDUE_FOUND: "Data was found that had been reported erased.",
    Cause.LATE_ANSWER: "A system answered after the request had ended, and differently.",
    Cause.RESTORED: "A system brought erased data back from a copy.",
    Cause.NEW_INFORMATION: "Something became known that the first request could not take into account.",
}
HOLDS: Final[dict[str, str]] = {
    "hold.placed": "A system keeps data although it was to be erased. `until` is the first day on which it may go; "
    "without one it stays until somebody looks at it.",
    "hold.ended": "That day has come. `follow_up` is the request that erases what was kept.",
    "hold.stays": "It was kept again and again although its day had come. Nothing more happens by itself: look at it.",
}
