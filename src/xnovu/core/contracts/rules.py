"""What RuleExecutionWorkflow and CronSchedulingWorkflow exchange with their activities."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field, JsonValue

from xnovu.core.contracts.common import Contract, DeliveryConfig, EnterpriseRef


class NotificationTemplate(Contract):
    """`spec.notification` of a NotificationRule: what each occurrence sends. Strings in `payload` are templates."""

    workflow: str
    recipients: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    payload: dict[str, JsonValue] = Field(default_factory=dict)
    overrides: dict[str, JsonValue] = Field(default_factory=dict)
    tags: tuple[str, ...] = ()
    priority: str | None = None


class CatchUpPolicy(StrEnum):
    """What happens to occurrences that were missed within the window."""

    SKIP = "Skip"
    LATEST = "Latest"
    ALL = "All"


class DstOverlap(StrEnum):
    """Whether a wall time that happens twice fires once or twice."""

    ONCE = "Once"
    TWICE = "Twice"


class ResourceRule(Contract):
    """A rule that is a NotificationRule object; its content travels in the Schedule's action (through the codec)."""

    namespace: str
    name: str
    uid: str
    notification: NotificationTemplate
    condition: str | None = None


class RuleSchedule(Contract):
    """When a rule is due: exactly one of `cron`, `every` and `at`, as `spec.schedule` of a NotificationRule says it.

    `at`, `start_at` and `end_at` are ISO 8601, local times of the rule's zone or instants with an offset. `skip` are
    local dates. `run_after_gap`: a wall time that summer time leaves out runs as soon as the clock has jumped.
    """

    cron: str | None = None
    every: timedelta | None = None
    offset: timedelta = timedelta(0)
    at: str | None = None
    start_at: str | None = None
    end_at: str | None = None
    skip: tuple[str, ...] = ()
    jitter: timedelta = timedelta(0)
    run_after_gap: bool = True


class RuleExecutionInput(Contract):
    """Argument of RuleExecutionWorkflow. Exactly one of `resource` and `database_rule_id` is set.

    The occurrence is not in here: it is the `TemporalScheduledStartTime` search attribute, so that a Schedule's
    action is the same for all of its runs.
    """

    enterprise: EnterpriseRef
    rule_key: str
    time_zone: str = "UTC"
    resource: ResourceRule | None = None
    database_rule_id: int | None = None
    catch_up: CatchUpPolicy = CatchUpPolicy.LATEST
    catch_up_window: timedelta = timedelta(minutes=10)
    overlap: DstOverlap = DstOverlap.ONCE
    delivery: DeliveryConfig = DeliveryConfig()
    schedule: RuleSchedule | None = None
    """Lets EvaluateRule tell a superseded occurrence and a late one from one that jitter put off. None: it cannot."""


class Occurrence(Contract):
    """One time at which a rule is due. `nominal` is aware: what the schedule meant, before jitter."""

    rule: RuleExecutionInput
    nominal: datetime
    manual: bool = False
    """Fired by hand (trigger-now, backfill): neither late nor superseded."""


class Verdict(StrEnum):
    """What EvaluateRule says of an occurrence."""

    CREATE = "Create"
    SKIP = "Skip"


class EvaluateResult(Contract):
    """`reason` says why an occurrence is skipped: Inactive, ConditionFalse, Superseded, TooLate, or RepeatedWallTime for
    one that only Temporal sees when clocks are put back.
    """

    verdict: Verdict
    reason: str | None = None


class CreateResult(Contract):
    """The notification of this occurrence. `created` is False when an earlier try made it already.

    Idempotency key: `ids.occurrence_key`, kept unique per enterprise by the database.
    """

    notification_id: int
    created: bool


class ExecutionResult(Contract):
    """Result of RuleExecutionWorkflow; what a rule's status says of its last run."""

    verdict: Verdict
    reason: str | None = None
    notification_id: int | None = None


class FetchRulesInput(Contract):
    """One window of CronSchedulingWorkflow's long activity is a PollInput; this fetches rules once, for people."""

    enterprise: EnterpriseRef
