"""The Enterprise: one tenant, and how its notifications are picked up and delivered.

Only the shape: no behaviour and no I/O. Source of `crds/enterprises.xnovu.io.yaml` and of its reference page.
"""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from xnovu.core.api.v1alpha1.common import (
    API_VERSION,
    ApiModel,
    Between,
    Column,
    Conditions,
    Count,
    Duration,
    Kind,
    Metadata,
    SecretReference,
    Text,
    Timestamp,
    TimeZone,
    condition_column,
    is_duration,
)
from xnovu.core.contracts.common import Mode
from xnovu.core.contracts.orchestration import DeletionPolicy, RealtimeEvent
from xnovu.core.schema import UNIQUE, Cel, Match

ENTERPRISE: Final = Kind(
    kind="Enterprise",
    plural="enterprises",
    short_name="ent",
    columns=(
        condition_column("READY", "status"),
        condition_column("STATUS", "reason"),
        Column("MODE", ".status.mode"),
        Column("PENDING", ".status.deliveries.pending", "integer"),
        Column("FAILED", ".status.deliveries.failed24h", "integer"),
        Column("RULES", ".status.rules.summary"),
        Column("AGE", ".metadata.creationTimestamp", "date"),
        condition_column("MESSAGE", "message", wide=True),
        Column("ID", ".spec.enterpriseId", wide=True),
    ),
)

EnterpriseId = Annotated[
    str,
    Field(min_length=36, max_length=36),
    Match(
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "write the tenant's UUID in lower case, such as 0b2f6f3e-8d2b-4f4e-9a39-1f6f5e0c7a11",
    ),
    Cel(
        "self == oldSelf",
        "enterpriseId cannot be changed: delete this Enterprise and create one with the other id",
    ),
]

BatchSize = Annotated[int, Field(ge=1, le=1000)]


class RealtimeSpec(ApiModel):
    """Pick-up of notifications that are due at once."""

    mode: Mode = Mode.ACTIVE
    """Active delivers. Shadow records what it would deliver and sends nothing. Off does nothing; write it
    in quotes, since YAML reads a bare Off as false."""

    events: Annotated[tuple[RealtimeEvent, ...], Field(min_length=1, max_length=2), UNIQUE] = (
        RealtimeEvent.INSERT,
        RealtimeEvent.UPDATE,
    )
    """What to react to: INSERT picks up what is due, UPDATE takes back what was withdrawn."""

    poll_interval: Annotated[Duration, Between("100ms", "1h")] = Duration("500ms")
    """How often the database is asked, from 100ms to 1h. One process asks for all enterprises of a database at once."""

    batch_size: BatchSize = 100
    """How many notifications are picked up at once, from 1 to 1000."""

    max_in_flight: Annotated[int, Field(ge=1, le=10000)] = 200
    """How many of this enterprise's notifications may be under way at the same time, from 1 to 10000."""


class CronSpec(ApiModel):
    """Rules that live in the database (CRON and SCHEDULED). NotificationRule objects do not depend on it."""

    mode: Mode = Mode.ACTIVE
    """Active keeps a Temporal Schedule for each rule. Shadow records what they would create. Off does nothing; write it
    in quotes, since YAML reads a bare Off as false."""

    check_interval: Annotated[Duration, Between("1s", "24h")] = Duration("60s")
    """How often the rules are compared with their Schedules, from 1s to 24h."""


class ScheduledSpec(ApiModel):
    """Pick-up of notifications that have a `scheduled_for`."""

    mode: Mode = Mode.ACTIVE
    """Active delivers. Shadow records what it would deliver and sends nothing. Off does nothing; write it
    in quotes, since YAML reads a bare Off as false."""

    poll_interval: Annotated[Duration, Between("1s", "24h")] = Duration("30s")
    """Longest wait between two looks at the database, from 1s to 24h; what is due sooner is picked up in time."""

    batch_size: BatchSize = 50
    """How many notifications are picked up at once, from 1 to 1000."""


_INITIAL: Final = "(has(self.initialInterval) ? self.initialInterval : '1s')"
_MAXIMUM: Final = "(has(self.maximumInterval) ? self.maximumInterval : '5m')"


class RetrySpec(ApiModel):
    """How a delivery is tried again when Novu or the database does not answer."""

    object_rules: ClassVar = (
        Cel(
            f"!{is_duration(_INITIAL)} || !{is_duration(_MAXIMUM)} || duration({_INITIAL}) <= duration({_MAXIMUM})",
            "initialInterval must not be longer than maximumInterval (which is 5m unless you set it)",
        ),
    )

    initial_interval: Annotated[Duration, Between("100ms", "1h")] = Duration("1s")
    """Wait before the second try, from 100ms to 1h."""

    backoff_coefficient: Annotated[float, Field(ge=1, le=10)] = 2
    """Factor from one wait to the next, from 1 to 10."""

    maximum_interval: Annotated[Duration, Between("1s", "24h")] = Duration("5m")
    """Longest wait between two tries, from 1s to 24h."""

    maximum_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """Tries in all, the first included, from 1 to 100; then the notification is FAILED with its reason."""


class DeliverySpec(ApiModel):
    """How notifications are sent."""

    retry: RetrySpec = RetrySpec()
    """How a delivery is tried again when Novu or the database does not answer."""

    rate_per_second: Annotated[float, Field(gt=0, le=10000)] | None = None
    """Most deliveries a second, above 0 and up to 10000; absent: as many as Novu's own limits allow."""

    expire_after: Annotated[Duration, Between("1s", "8760h")] | None = None
    """A notification that is due for longer than this is FAILED with the reason Expired, not sent late. Absent: never."""


class SupabaseSpec(ApiModel):
    """The database of this enterprise."""

    secret_ref: SecretReference
    """A secret of this namespace with the keys `url` and `serviceRoleKey`."""


class NovuSpec(ApiModel):
    """The Novu environment of this enterprise."""

    secret_ref: SecretReference
    """A secret of this namespace with the keys `apiUrl` and `secretKey`."""


class EnterpriseSpec(ApiModel):
    """What is wanted for this tenant."""

    enterprise_id: EnterpriseId
    """UUID of the tenant in the database. Cannot be changed. One Enterprise of the cluster may hold it: a second one is
    Stalled with the reason EnterpriseIdTaken, and the older object wins."""

    display_name: Annotated[str, Field(max_length=255)] | None = None
    """Name of the tenant, for people."""

    time_zone: TimeZone = "UTC"
    """IANA name of the time zone that the tenant's rules use unless they name their own, such as Europe/Berlin."""

    suspend: bool = False
    """True stops the intake and pauses the schedules; what is under way finishes. Nothing is lost meanwhile."""

    realtime: RealtimeSpec = RealtimeSpec()
    """Pick-up of notifications that are due at once."""

    cron: CronSpec = CronSpec()
    """Rules that live in the database (CRON and SCHEDULED). NotificationRule objects do not depend on it."""

    scheduled: ScheduledSpec = ScheduledSpec()
    """Pick-up of notifications that have a `scheduled_for`."""

    delivery: DeliverySpec = DeliverySpec()
    """How notifications are sent: retries, rate, expiry."""

    supabase: SupabaseSpec | None = None
    """The database of this enterprise. Absent: the installation's default."""

    novu: NovuSpec | None = None
    """The Novu environment of this enterprise. Absent: the installation's default."""

    deletion_policy: DeletionPolicy = DeletionPolicy.DRAIN
    """What happens to the workflows when this object is deleted. Drain stops the intake and waits, for a bounded time,
    for what is under way. Terminate ends everything at once. Orphan leaves everything running."""


class OrchestrationReference(ApiModel):
    """The workflow in Temporal that keeps this enterprise's monitors running."""

    workflow_id: Text
    """Id of the workflow."""

    run_id: Text | None = None
    """Id of its current run."""

    started_at: Timestamp | None = None
    """When the current run was started."""

    config_generation: int | None = None
    """The metadata.generation whose configuration the workflow works with."""


class MonitorStatus(ApiModel):
    """How one subsystem is doing."""

    state: Text
    """Starting, Running, Shadow, Failing, Suspended, Off, Stopping or Unknown."""

    last_poll_at: Timestamp | None = None
    """When the database last answered; kept to the minute or coarser, so that a healthy object does not change."""

    lag_seconds: Count | None = None
    """Age in seconds of the oldest notification that waits; absent when none does."""

    consecutive_errors: Count = 0
    """Failed polls since the last good one."""

    message: Text | None = None
    """What the newest failed poll said; absent after a good one."""


class RuleCounts(ApiModel):
    """The NotificationRules that name this enterprise."""

    total: Count = 0
    """How many there are."""

    ready: Count = 0
    """How many of them are ready."""

    summary: Text = "0/0"
    """Ready of all, for the column RULES, such as 3/4."""


class DeliveryCounts(ApiModel):
    """How this enterprise's notifications stand, by the database's clock."""

    pending: Count = 0
    """Due and not yet picked up."""

    processing: Count = 0
    """Under way."""

    sent_24h: Annotated[int, Field(ge=0, alias="sent24h")] = 0
    """Accepted by Novu within the last 24 hours."""

    failed_24h: Annotated[int, Field(ge=0, alias="failed24h")] = 0
    """Failed for good within the last 24 hours."""

    unreached_24h: Annotated[int, Field(ge=0, alias="unreached24h")] = 0
    """Accepted by Novu within the last 24 hours, and not received by all. The row's `delivery_report` says why."""


class EnterpriseStatus(ApiModel):
    """What the operator found. Written by the operator only."""

    observed_generation: Annotated[int, Field(ge=-1)] = -1
    """The metadata.generation that this status speaks about; -1 until the operator has seen the object."""

    conditions: Conditions = ()
    """Ready, Reconciling, Stalled, Synced and Suspended."""

    mode: Text | None = None
    """The modes of the three subsystems in one word for the column MODE: the mode that they share, Mixed, or Suspended."""

    orchestration: OrchestrationReference | None = None
    """The workflow in Temporal that keeps this enterprise's monitors running."""

    realtime: MonitorStatus | None = None
    """How the pick-up of notifications that are due at once is doing."""

    cron: MonitorStatus | None = None
    """How the comparison of the database's rules with their Schedules is doing."""

    scheduled: MonitorStatus | None = None
    """How the pick-up of notifications with a `scheduled_for` is doing."""

    rules: RuleCounts | None = None
    """The NotificationRules that name this enterprise."""

    deliveries: DeliveryCounts | None = None
    """How this enterprise's notifications stand."""

    last_handled_reconcile: Text | None = None
    """The newest value of the annotation xnovu.io/reconcile-requested-at that was acted upon."""


class Enterprise(ApiModel):
    """A tenant whose notifications XNovu picks up from its database and delivers through Novu."""

    definition: ClassVar = ENTERPRISE

    api_version: Literal["xnovu.io/v1alpha1"] = API_VERSION
    kind: Literal["Enterprise"] = "Enterprise"
    metadata: Metadata
    spec: EnterpriseSpec
    """What is wanted for this tenant."""

    status: EnterpriseStatus = EnterpriseStatus()
    """What the operator found. Written by the operator only."""
