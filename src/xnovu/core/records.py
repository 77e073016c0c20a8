"""Rows of the `notify` schema, as the values that the rest of XNovu works with.

Not models of the tables: only what is used, already narrowed. `adapters.supabase` makes them, activities and the core
read them. Nothing in here enters a workflow's history.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import JsonValue

from xnovu.core.contracts.notifications import (
    Channel,
    ClaimOutcome,
    FinishOutcome,
    NotificationStatus,
    WorkflowType,
)

JsonObject = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Unclear:
    """Sends of an earlier generation that may have been accepted, and the topics that they addressed."""

    transactions: tuple[str, ...]
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notification:
    """One row of `ent_notification`. `priority` is the code of its priority, `generation` its replays so far.

    `malformed`: columns that hold no JSON object and so are empty in here; such a row cannot be delivered.
    `reached`, `reached_topics`: got it from an earlier generation, which FAILED in part; `unclear`: may have.
    `rounds`: highest number of a send to those alone that the feed missed.
    """

    id: int
    enterprise_id: str
    name: str
    status: NotificationStatus
    payload: JsonObject
    recipients: tuple[str, ...]
    channels: tuple[Channel, ...]
    overrides: JsonObject
    tags: tuple[str, ...]
    topics: tuple[str, ...]
    priority: str | None
    workflow_id: int | None
    generation: int
    due_at: datetime
    attempts: int
    malformed: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    reached_topics: tuple[str, ...] = ()
    unclear: tuple[Unclear, ...] = ()
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Workflow:
    """One published row of `ent_notification_workflow`; `enterprise_id` None means that all enterprises may use it.

    `malformed`: columns that hold no JSON object and so are empty in here; nothing can be delivered with it.
    """

    id: int
    key: str
    type: WorkflowType
    enterprise_id: str | None
    default_channels: tuple[Channel, ...]
    payload_schema: JsonObject | None
    template_overrides: JsonObject
    malformed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """One published row of `ent_notification_template`; an enterprise's own wins over a global one of the same key."""

    key: str
    channel: Channel
    enterprise_id: str | None
    subject: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of `ent_notification_rule`. `active`: published and not deactivated."""

    id: int
    enterprise_id: str
    name: str
    trigger_type: str
    trigger_config: JsonObject
    rule_payload: JsonValue
    workflow_id: int | None
    active: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class PollRequest:
    """What one monitor wants to know in one round trip.

    `kind`: rows without (`realtime`) or with (`scheduled`) a `scheduled_for`. `limit` bounds `due`, and so does the
    room under `max_in_flight`. `withdrawn`, `sweep`, `counts` ask for the parts of the answer of that name.
    `shadow`: due rows that have no shadow record yet.
    """

    enterprise_id: str
    kind: Literal["realtime", "scheduled"]
    limit: int
    max_in_flight: int
    withdrawn: bool = False
    sweep: bool = False
    counts: bool = False
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class DueRow:
    """A row to start a workflow for. `priority`: 1 (first) to 5, from the priority's sort order; 3 without one."""

    id: int
    priority: int


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """How an enterprise's notifications stand, by the database's clock."""

    pending: int
    processing: int
    sent_24h: int
    failed_24h: int


@dataclass(frozen=True, slots=True)
class PollAnswer:
    """What the database says, in its own clock.

    `stale`: PROCESSING with an expired lease, whoever holds it. `lag_seconds`: age of the oldest due row, None when none waits.
    `next_due_seconds`: until the next `scheduled_for`, None when there is none.
    """

    enterprise_id: str
    due: tuple[DueRow, ...]
    withdrawn: tuple[int, ...]
    stale: tuple[int, ...]
    lag_seconds: float | None
    next_due_seconds: float | None
    counts: DeliveryCounts | None


@dataclass(frozen=True, slots=True)
class Claim:
    """One id to claim, and for whom (`ids.claim_owner`, `ids.batch_owner`). `lease_seconds` None: the process's own."""

    enterprise_id: str
    notification_id: int
    owner: str
    lease_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """Answer for one claim. The row and its workflow are there unless `outcome` is MISSING or FOREIGN.

    `workflow` is None when the notification names none, or one that is not published or not this enterprise's.
    """

    notification_id: int
    outcome: ClaimOutcome
    notification: Notification | None
    workflow: Workflow | None


@dataclass(frozen=True, slots=True)
class Finish:
    """One move to a final status, by compare-and-set on PROCESSING, owner and generation.

    `delivery_state`: of a FAILED one, what `core.partial` remembers for a replay; None leaves it as it is.
    `feed_seconds`: when Novu's feed is asked what became of it, set by the adapter; None: never.
    """

    enterprise_id: str
    notification_id: int
    owner: str
    generation: int
    status: Literal[NotificationStatus.SENT, NotificationStatus.FAILED]
    transaction_id: str | None
    error_details: JsonObject | None
    delivery_state: JsonObject | None = None
    feed_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """Answer for one finish."""

    notification_id: int
    outcome: FinishOutcome


@dataclass(frozen=True, slots=True)
class Release:
    """A row that its batch lets go. `next_owner`: its own workflow where it may have been sent, else `released`."""

    enterprise_id: str
    notification_id: int
    owner: str
    next_owner: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How much of an enterprise's rate was granted, and the seconds until more of it is there."""

    granted: int
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class NewNotification:
    """A notification that a rule creates. `dedupe_key` (`ids.occurrence_key`) is unique per enterprise."""

    enterprise_id: str
    name: str
    dedupe_key: str
    workflow_key: str | None
    workflow_id: int | None
    rule_id: int | None
    payload: JsonObject
    recipients: tuple[str, ...]
    topics: tuple[str, ...]
    channels: tuple[str, ...]
    overrides: JsonObject
    tags: tuple[str, ...]
    priority: str | None


@dataclass(frozen=True, slots=True)
class TriggerRequest:
    """One call of Novu's trigger endpoint. `recipients` are subscriber ids, at most `ids.RECIPIENTS_PER_TRIGGER`."""

    workflow_key: str
    recipients: tuple[str, ...]
    topics: tuple[str, ...]
    payload: JsonObject
    overrides: JsonObject
    transaction_id: str
    idempotency_key: str


class JobState(StrEnum):
    """What a step of Novu's workflow is for one recipient."""

    DELIVERED = "Delivered"
    """Done: the provider took it. Whether a person read it is not known."""
    FAILED = "Failed"
    SKIPPED = "Skipped"
    """Left out by a condition, a preference, or merged into another digest."""
    CANCELLED = "Cancelled"
    UNDER_WAY = "UnderWay"
    """Queued, running, delayed, or of a state that is not known here."""


@dataclass(frozen=True, slots=True)
class FeedJob:
    """One step. `channel` is None for what is no channel, such as a delay. `detail` is Novu's own word, cut."""

    channel: Channel | None
    state: JobState
    detail: str


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """What Novu's activity feed shows of one transaction for one recipient."""

    subscriber_id: str
    jobs: tuple[FeedJob, ...]


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep finds: rows of our own or of nobody whose lease is over, and how many others hold, who do not end."""

    stale: tuple[int, ...]
    foreign_count: int
    foreign_owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DueFeed:
    """A notification whose feed is to be looked at. `checks`: looks before; `age_seconds`: since its final status."""

    notification: Notification
    checks: int
    age_seconds: float


@dataclass(frozen=True, slots=True)
class DueFeeds:
    """What there is to look at, when the next one is due, and how many of the last 24 hours did not arrive."""

    rows: tuple[DueFeed, ...]
    next_due_seconds: float | None
    unreached_24h: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of `notification_delivery`: one recipient on one channel. `status` is a JobState, or `NotSeen`."""

    generation: int
    subscriber_id: str
    channel: str
    status: str
    detail: str
    transaction_id: str


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """What a look at the feed found, written once per check. `next_seconds` None: nothing more is expected."""

    notification_id: int
    generation: int
    checks: int
    next_seconds: float | None
    report: JsonObject
    problem: str | None
    deliveries: tuple[Delivery, ...]
