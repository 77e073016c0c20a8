"""What people are told about notifications: one with everything around it, and those that failed for good, by reason.

Values as `notify.describe_notification`, `notify.dead_letters` and `notify.replay_dead_letters` answer them. Read by
the command line only; made by `xnovu.adapters.operations`. Nothing in here enters a workflow's history.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from xnovu.core.contracts.notifications import Channel, NotificationStatus, WorkflowType
from xnovu.core.records import JsonObject


@dataclass(frozen=True, slots=True)
class Delivery:
    """One line of the delivery log: what became of one channel of one recipient, in one generation."""

    generation: int
    subscriber_id: str
    channel: Channel
    status: str
    detail: str | None
    transaction_id: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Life:
    """A notification as its row has it. `asked_at`: the database's clock; all other times are by it too.

    `workflow` is None where the row names none that this enterprise may use. `reached`: recipients that a generation
    that FAILED in part reached; a replay leaves them out. `delivery_problem`: why one that Novu accepted did not
    arrive. `deliveries`: at most 200, the newest generation first; `delivery_counts`: all of the newest, by status.
    """

    id: int
    enterprise_id: str
    name: str
    status: NotificationStatus
    publish_status: str
    deactivated: bool
    asked_at: datetime
    created_at: datetime
    scheduled_for: datetime | None
    updated_at: datetime
    processed_at: datetime | None
    retracted_at: datetime | None
    retraction_reason: str | None
    retraction_settled_at: datetime | None
    retraction_report: JsonObject | None
    attempts: int
    generation: int
    owner: str | None
    lease_expires_at: datetime | None
    transaction_id: str | None
    reason: str | None
    message: str | None
    channels: tuple[Channel, ...]
    topics: tuple[str, ...]
    recipients: tuple[str, ...]
    workflow_id: int | None
    rule_id: int | None
    dedupe_key: str | None
    workflow: str | None
    workflow_type: WorkflowType | None
    delivery_problem: str | None
    reached: int
    deliveries: tuple[Delivery, ...]
    delivery_counts: Mapping[str, int]

    @property
    def due_at(self) -> datetime:
        return self.scheduled_for or self.created_at

    @property
    def published(self) -> bool:
        return self.publish_status == "PUBLISH" and not self.deactivated


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One notification that failed for good. `generation`: of the row; after a replay, the new one.

    `published`: would be picked up again; False where it is deactivated, too.
    """

    id: int
    name: str
    reason: str
    message: str | None
    failed_at: datetime
    attempts: int
    generation: int
    published: bool
    workflow_key: str | None


@dataclass(frozen=True, slots=True)
class DeadReason:
    """All dead letters of one reason. `examples`: ids of the newest; `message`: of the very newest."""

    reason: str
    count: int
    oldest: datetime
    newest: datetime
    examples: tuple[int, ...]
    message: str | None


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Those that match a filter: all by reason, and the newest one by one."""

    total: int
    reasons: tuple[DeadReason, ...]
    rows: tuple[DeadLetter, ...]


@dataclass(frozen=True, slots=True)
class DeadFilter:
    """Which dead letters. None filters nothing; `since` is aware; `limit` bounds what is answered one by one."""

    reason: str | None = None
    since: datetime | None = None
    ids: tuple[int, ...] | None = None
    limit: int = 20
