"""What passes between NotificationProcessingWorkflow and its activities: ids, counts and reasons, never bodies."""

from datetime import timedelta
from enum import StrEnum

from xnovu.core.contracts.common import Contract, DeliveryConfig, EnterpriseRef


class NotificationStatus(StrEnum):
    """`shared_types.notification_status`. One way: PENDING, PROCESSING, then SENT or FAILED; RETRACTED from any."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    SENT = "SENT"
    FAILED = "FAILED"
    RETRACTED = "RETRACTED"


class Channel(StrEnum):
    """`shared_types.notification_channel_type`."""

    IN_APP = "IN_APP"
    EMAIL = "EMAIL"
    SMS = "SMS"
    CHAT = "CHAT"
    PUSH = "PUSH"


class WorkflowType(StrEnum):
    """`shared_types.notification_workflow_type`: STATIC content lives in Novu, DYNAMIC is rendered here."""

    STATIC = "STATIC"
    DYNAMIC = "DYNAMIC"


class NotificationRef(Contract):
    """One row of `notify.ent_notification`, of exactly this enterprise."""

    enterprise: EnterpriseRef
    notification_id: int


class ProcessingInput(Contract):
    """Input of NotificationProcessingWorkflow; its id is `ids.notification_workflow_id`.

    `shadow`: compute and record what would be sent, claim and send nothing.
    """

    ref: NotificationRef
    delivery: DeliveryConfig = DeliveryConfig()
    shadow: bool = False


class ClaimOutcome(StrEnum):
    """What `notify.claim_notifications` says of one id."""

    CLAIMED = "Claimed"
    RESUMED = "Resumed"
    """PROCESSING under our own owner: an earlier try died, so it may have been sent. Verify first."""
    RETRACTED = "Retracted"
    """Withdrawn and not settled: undo at Novu what can be undone."""
    DONE = "Done"
    """Already SENT, FAILED, or RETRACTED and settled."""
    NOT_DUE = "NotDue"
    """Scheduled for later, not published, deactivated."""
    FOREIGN = "Foreign"
    """PROCESSING under another owner."""
    HELD = "Held"
    """In a batch that lives. It ends it, or its lease ends and the row is found again."""
    LOCKED = "Locked"
    """Somebody's open transaction holds the row. Does not leave the adapter, which raises RowLocked."""
    MISSING = "Missing"


class Next(StrEnum):
    """Where a notification stands after an activity."""

    FINISHED = "Finished"
    """A final status is written, or there was nothing to do."""
    DEFERRED = "Deferred"
    """Not finished: go on step by step with the regular activities."""


class DeliverResult(Contract):
    """Result of the composite local activity. `reason` is an error's reason, or a claim's outcome."""

    next: Next
    status: NotificationStatus | None = None
    reason: str | None = None
    retry_after: timedelta | None = None
    accepted: int = 0
    """Chunks that Novu certainly accepted, from the first on."""
    unclear: bool = False
    """The chunk after those may have been accepted."""
    resumed: bool = False
    """An earlier run died: any chunk may have been accepted."""
    claimed: bool = False
    """This very try made the claim, so nothing was sent before it."""


class FetchResult(Contract):
    """What the workflow needs to know of a row to go on: no payload, no recipient."""

    outcome: ClaimOutcome
    generation: int = 0
    recipients: int = 0
    chunks: int = 0


class WorkflowConfigResult(Contract):
    """The notification's workflow: its key at Novu and whether we render."""

    workflow_key: str
    workflow_type: WorkflowType


class RenderResult(Contract):
    """Proof that the content renders: which channels, and a digest of the result. The content itself stays out."""

    channels: tuple[Channel, ...]
    digest: str


class TriggerInput(Contract):
    """One chunk of at most `ids.RECIPIENTS_PER_TRIGGER` recipients, sorted, of one generation.

    `verify`: an earlier try may have been accepted, so ask Novu's feed before sending. `definite_errors` counts received
    refusals, which Novu caches. `send` False: only verify. `expire_after`: too late to be sent. Idempotency key: `ids.transaction_id(enterprise, notification, generation, chunk)`.
    """

    ref: NotificationRef
    generation: int
    chunk: int
    verify: bool = False
    definite_errors: int = 0
    send: bool = True
    expire_after: timedelta | None = None


class TriggerResult(Contract):
    """Accepted by Novu under this transaction id; `verified`: found in the feed, not sent again.

    `withdrawn`: the notification is not ours to send any more; nothing was sent.
    """

    transaction_id: str
    verified: bool = False
    withdrawn: bool = False


class ChunkOutcome(StrEnum):
    """What became of the send of one chunk."""

    ACCEPTED = "Accepted"
    REFUSED = "Refused"
    """Certainly not accepted."""
    UNCLEAR = "Unclear"
    """It may have been accepted; Novu's feed did not show it."""
    NOT_TRIED = "NotTried"


class ChunkResult(Contract):
    """One chunk of a notification that was not accepted as a whole. `reason` and `message` say why not."""

    chunk: int
    outcome: ChunkOutcome
    reason: str | None = None
    message: str | None = None


class StatusInput(Contract):
    """A move of a notification's status by compare-and-set. `reason` and `message` are required for FAILED.

    `chunks`: of a FAILED one, what became of each of its chunks; empty when nothing was sent.
    """

    ref: NotificationRef
    status: NotificationStatus
    generation: int = 0
    reason: str | None = None
    message: str | None = None
    chunks: tuple[ChunkResult, ...] = ()


class FinishOutcome(StrEnum):
    """What `notify.finish_notifications` says of one row."""

    FINISHED = "Finished"
    ALREADY = "Already"
    """The same final status was written by an earlier try whose answer was lost."""
    RETRACTED = "Retracted"
    """Withdrawn meanwhile: compensate."""
    LOST = "Lost"
    """No longer ours."""
    LOCKED = "Locked"
    """As of a claim."""


class StatusResult(Contract):
    """Result of UpdateNotificationStatus."""

    outcome: FinishOutcome
