"""The NotificationRule: when which notification is created for an enterprise.

Only the shape: no behaviour and no I/O. Source of `crds/notificationrules.xnovu.io.yaml` and of its reference page.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, JsonValue

from xnovu.core.api.v1alpha1.common import (
    API_VERSION,
    OFFSET,
    ApiModel,
    Between,
    Column,
    Conditions,
    Count,
    Duration,
    Kind,
    LocalDate,
    Metadata,
    Moment,
    ObjectName,
    Text,
    Timestamp,
    TimeZone,
    condition_column,
    is_duration,
)
from xnovu.core.contracts.notifications import Channel
from xnovu.core.contracts.rules import CatchUpPolicy, DstOverlap
from xnovu.core.schema import UNIQUE, Cel, Match

NOTIFICATION_RULE: Final = Kind(
    kind="NotificationRule",
    plural="notificationrules",
    short_name="nrule",
    columns=(
        Column("ENTERPRISE", ".spec.enterpriseRef.name"),
        # A union: the one of the three that is there.
        Column("SCHEDULE", ".spec.schedule['cron','every','at']"),
        Column("TIMEZONE", ".status.timeZone"),
        Column("NEXT", ".status.nextRuns[0]"),
        Column("LAST", ".status.lastRun.scheduledFor", "date"),
        condition_column("READY", "status"),
        condition_column("STATUS", "reason"),
        Column("AGE", ".metadata.creationTimestamp", "date"),
        condition_column("MESSAGE", "message", wide=True),
    ),
)

Cron = Annotated[
    str,
    Field(min_length=6, max_length=255),
    Match(
        r"(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[0-9A-Za-z*/,?#-]+([ \t]+[0-9A-Za-z*/,?#-]+){4})",
        "write five fields (minute hour day month weekday) such as 0 8 * * 1-5, or one of @hourly, @daily, @weekly,"
        " @monthly, @yearly; a time zone goes into timeZone, an interval into every",
    ),
]

Subscriber = Annotated[str, Field(min_length=1, max_length=255)]
"""A recipient's or a topic's key at Novu."""

JsonObject = Mapping[str, JsonValue]


class DstGap(StrEnum):
    """What happens to a wall time that the change to summer time leaves out."""

    RUN_AFTER = "RunAfter"
    SKIP = "Skip"


class DriftPolicy(StrEnum):
    """What happens when somebody changes the Schedule in Temporal."""

    CORRECT = "Correct"
    REPORT = "Report"
    IGNORE = "Ignore"


class AdoptionPolicy(StrEnum):
    """What happens when the Schedule exists already."""

    NEVER = "Never"
    IF_UNOWNED = "IfUnowned"
    ALWAYS = "Always"


class RuleDeletionPolicy(StrEnum):
    """What happens to the Schedule when the rule is deleted."""

    DELETE = "Delete"
    SUSPEND = "Suspend"
    ORPHAN = "Orphan"


class EnterpriseReference(ApiModel):
    """An Enterprise of the same namespace."""

    name: ObjectName
    """Name of the Enterprise."""


class DstSpec(ApiModel):
    """What happens to wall times at the change to and from summer time."""

    gap: DstGap = DstGap.RUN_AFTER
    """A wall time that is left out: RunAfter runs as soon as the clock has jumped, Skip does not run that day."""

    overlap: DstOverlap = DstOverlap.ONCE
    """A wall time that happens twice: Once runs the first time, Twice runs both times."""


_LOCAL: Final = f".matches(r'^.{{19}}{OFFSET}$')"
_IN_ORDER: Final = f"(self.startAt{_LOCAL} ? timestamp(self.startAt) < timestamp(self.endAt) : self.startAt < self.endAt)"


def _not_both(left: str, right: str) -> str:
    """CEL: one of the two is absent or no duration, so that there is nothing to compare."""
    absent = " || ".join(f"!has(self.{name})" for name in (left, right))
    return f"{absent} || !{is_duration(f'self.{left}')} || !{is_duration(f'self.{right}')}"


class ScheduleSpec(ApiModel):
    """When the rule is due: exactly one of `cron`, `every` and `at`."""

    object_rules: ClassVar = (
        Cel(
            "[has(self.cron), has(self.every), has(self.at)].filter(x, x).size() == 1",
            "set exactly one of cron, every and at",
        ),
        Cel(
            "!has(self.offset) || has(self.every)",
            "offset shifts an interval: use it with every only, or leave it out",
            "offset",
        ),
        Cel(
            f"{_not_both('offset', 'every')} || duration(self.offset) < duration(self.every)",
            "offset must be shorter than every",
            "offset",
        ),
        Cel(
            f"{_not_both('jitter', 'every')} || duration(self.jitter) <= duration(self.every)",
            "jitter must not be longer than every, or runs would overtake each other",
            "jitter",
        ),
        Cel(
            "!has(self.at) || !(has(self.startAt) || has(self.endAt) || has(self.skip))",
            "at is a single time: leave out startAt, endAt and skip",
            "at",
        ),
        Cel(
            f"!has(self.startAt) || !has(self.endAt) || self.startAt{_LOCAL} == self.endAt{_LOCAL}",
            "write startAt and endAt both with an offset, or both without",
            "endAt",
        ),
        Cel(
            f"!has(self.startAt) || !has(self.endAt) || self.startAt{_LOCAL} != self.endAt{_LOCAL} || {_IN_ORDER}",
            "endAt must be after startAt",
            "endAt",
        ),
    )

    cron: Cron | None = None
    """Five fields (minute hour day month weekday), such as `0 8 * * 1-5`, or one of @hourly, @daily, @weekly, @monthly,
    @yearly. When both day and weekday are restricted, Temporal wants both to match, unlike cron."""

    every: Annotated[Duration, Between("1s", "8760h", whole_seconds=True)] | None = None
    """Interval between runs in whole seconds, from 1s to 8760h, counted from 1970-01-01T00:00:00Z."""

    offset: Annotated[Duration, Between("0s", "8760h", whole_seconds=True)] | None = None
    """Shift of an interval: every 1h with offset 15m runs at a quarter past. Shorter than `every`."""

    at: Moment | None = None
    """A single run: a local time of the time zone, such as 2026-12-24T08:00:00, or one with its offset."""

    time_zone: TimeZone | None = None
    """IANA name of the time zone in which the times are meant. Absent: that of the Enterprise."""

    jitter: Annotated[Duration, Between("0s", "24h")] | None = None
    """Each run is put off by a random time of up to this long, so that many rules do not run at once."""

    start_at: Moment | None = None
    """No run before this time; written like `at`."""

    end_at: Moment | None = None
    """No run after this time; written like `at`."""

    skip: Annotated[tuple[LocalDate, ...], Field(max_length=366), UNIQUE] = ()
    """Dates of the time zone without a run, such as holidays: 2026-12-25."""

    dst: DstSpec = DstSpec()
    """What happens to wall times at the change to and from summer time."""


class CatchUpSpec(ApiModel):
    """What happens to runs that were missed, because Temporal or the worker was away."""

    policy: CatchUpPolicy = CatchUpPolicy.LATEST
    """Skip drops them, Latest makes up for the newest one, All for each."""

    window: Annotated[Duration, Between("10s", "720h", whole_seconds=True)] = Duration("10m")
    """How long after its time a run may still be made up for, from 10s to 720h."""


class NotificationSpec(ApiModel):
    """What each run sends, and to whom."""

    object_rules: ClassVar = (
        Cel(
            "(has(self.recipients) && size(self.recipients) > 0) || (has(self.topics) && size(self.topics) > 0)",
            "name at least one recipient or topic",
        ),
    )

    workflow: Annotated[
        str,
        Field(min_length=1, max_length=255),
        Match(
            r"[A-Za-z0-9][A-Za-z0-9._-]*",
            "write the key of a notification workflow: letters, digits, -, _ and .",
        ),
    ]
    """Key of the notification workflow in the enterprise's database."""

    recipients: Annotated[tuple[Subscriber, ...], Field(max_length=1000), UNIQUE] = ()
    """Subscriber ids at Novu."""

    topics: Annotated[tuple[Subscriber, ...], Field(max_length=100), UNIQUE] = ()
    """Keys of topics at Novu; each stands for its subscribers."""

    channels: Annotated[tuple[Channel, ...], Field(max_length=5), UNIQUE] = ()
    """Channels to use. Absent: those of the workflow."""

    payload: Annotated[JsonObject, Field(default_factory=dict)]
    """What the workflow's content refers to: free JSON. Strings are templates over the run, such as `{{ occurrence.date
    }}`."""

    overrides: Annotated[JsonObject, Field(default_factory=dict)]
    """Novu's overrides by provider and channel: free JSON, passed on as it is."""

    tags: Annotated[tuple[Subscriber, ...], Field(max_length=50), UNIQUE] = ()
    """Tags of the created notifications, for people and reports."""

    priority: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Code of a priority in the enterprise's database. Absent: none."""


class NotificationRuleSpec(ApiModel):
    """What is wanted of this rule."""

    enterprise_ref: Annotated[
        EnterpriseReference,
        Cel(
            "self == oldSelf",
            "enterpriseRef cannot be changed: delete this rule and create one for the other Enterprise",
        ),
    ]
    """The Enterprise, of the same namespace, for which the notifications are created. Cannot be changed."""

    suspend: bool | None = None
    """True pauses the Schedule, false lets it run. Absent: a pause made in Temporal's UI stays as it is."""

    schedule: ScheduleSpec
    """When the rule is due: exactly one of `cron`, `every` and `at`."""

    catch_up: CatchUpSpec = CatchUpSpec()
    """What happens to runs that were missed, because Temporal or the worker was away."""

    notification: NotificationSpec
    """What each run sends, and to whom."""

    condition: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """An expression over the run and the enterprise. When it is false, the run is recorded as skipped."""

    drift_policy: DriftPolicy = DriftPolicy.CORRECT
    """What happens when somebody changes the Schedule in Temporal: Correct undoes it, Report says so in the condition
    Synced, Ignore leaves it."""

    adoption_policy: AdoptionPolicy = AdoptionPolicy.NEVER
    """What happens when the Schedule exists already. Never reports a Conflict. IfUnowned takes over what carries no
    other owner's mark, Always takes over anything."""

    deletion_policy: RuleDeletionPolicy = RuleDeletionPolicy.DELETE
    """What happens to the Schedule when this object is deleted: Delete removes it, Suspend pauses it, Orphan leaves it
    running."""


class LastRun(ApiModel):
    """The newest run of the rule."""

    scheduled_for: Timestamp
    """The time that the schedule meant."""

    started_at: Timestamp | None = None
    """When it was started."""

    workflow_id: Text | None = None
    """Id of its workflow in Temporal."""

    run_id: Text | None = None
    """Id of the workflow's run."""

    notification_id: int | None = None
    """Id of the notification that it created in the database; absent when it created none."""

    result: Text | None = None
    """Running, Created, Skipped with its reason, or Failed with its reason."""


class NotificationRuleStatus(ApiModel):
    """What the operator found. Written by the operator only."""

    observed_generation: Annotated[int, Field(ge=-1)] = -1
    """The metadata.generation that this status speaks about; -1 until the operator has seen the object."""

    conditions: Conditions = ()
    """Ready, Reconciling, Stalled, Synced and Suspended."""

    schedule_id: Text | None = None
    """Id of the Schedule in Temporal."""

    time_zone: Text | None = None
    """The time zone in use: the rule's own, or that of its Enterprise."""

    next_runs: Annotated[tuple[Text, ...], Field(max_length=10)] = ()
    """The next three runs, in local time with its offset, without jitter."""

    last_run: LastRun | None = None
    """The newest run of the rule."""

    missed_runs: Count = 0
    """Runs that came too late to be made up for, as counted by Temporal."""

    last_handled_trigger: Text | None = None
    """The newest value of the annotation xnovu.io/trigger-requested-at that was acted upon."""

    last_handled_reconcile: Text | None = None
    """The newest value of the annotation xnovu.io/reconcile-requested-at that was acted upon."""


class NotificationRule(ApiModel):
    """A rule that creates a notification for an Enterprise whenever it is due, by a Schedule in Temporal."""

    definition: ClassVar = NOTIFICATION_RULE

    api_version: Literal["xnovu.io/v1alpha1"] = API_VERSION
    kind: Literal["NotificationRule"] = "NotificationRule"
    metadata: Metadata
    spec: NotificationRuleSpec
    """What is wanted of this rule."""

    status: NotificationRuleStatus = NotificationRuleStatus()
    """What the operator found. Written by the operator only."""
