"""What the operator tells the monitoring workflows of an enterprise, and what they say about themselves."""

from datetime import datetime, timedelta
from enum import StrEnum

from xnovu.core.contracts.common import Contract, DeliveryConfig, EnterpriseRef, Mode


class RealtimeEvent(StrEnum):
    """INSERT: pick up what is due. UPDATE: react to what was withdrawn."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"


class RealtimeConfig(Contract):
    """Intake of notifications that are due at once."""

    mode: Mode = Mode.ACTIVE
    events: tuple[RealtimeEvent, ...] = (RealtimeEvent.INSERT, RealtimeEvent.UPDATE)
    poll_interval: timedelta = timedelta(milliseconds=500)
    batch_size: int = 100
    max_in_flight: int = 200


class CronConfig(Contract):
    """Rules that live in the database."""

    mode: Mode = Mode.ACTIVE
    check_interval: timedelta = timedelta(seconds=60)


class ScheduledConfig(Contract):
    """Notifications with `scheduled_for`."""

    mode: Mode = Mode.ACTIVE
    poll_interval: timedelta = timedelta(seconds=30)
    batch_size: int = 50


class EnterpriseConfig(Contract):
    """Everything the workflows of an enterprise need to know.

    `generation` and `source` are metadata.generation and metadata.uid of the Enterprise. Applied by update: of one object a
    lower generation than the applied one is refused, the same one is a no-op. Another object begins at 1 again and is
    another wish: its configuration replaces that of the object before it. `suspend`: intake stops, what is running finishes.
    """

    generation: int
    source: str = ""
    enterprise: EnterpriseRef
    time_zone: str = "UTC"
    suspend: bool = False
    realtime: RealtimeConfig = RealtimeConfig()
    cron: CronConfig = CronConfig()
    scheduled: ScheduledConfig = ScheduledConfig()
    delivery: DeliveryConfig = DeliveryConfig()

    def supersedes(self, applied: "EnterpriseConfig") -> bool:
        """Whether this one is to be worked with instead of the one that was applied."""
        return self.source != applied.source or self.generation > applied.generation


class Monitor(StrEnum):
    """The three monitoring workflows of an enterprise."""

    REALTIME = "Realtime"
    SCHEDULED = "Scheduled"
    CRON = "Cron"


class OrchestrationInput(Contract):
    """Start and continue-as-new of the orchestration."""

    config: EnterpriseConfig


class MonitorInput(Contract):
    """Start and continue-as-new of a monitoring workflow."""

    config: EnterpriseConfig


class PollInput(Contract):
    """One window of a monitor's long activity (PollSupabase, or EnsureMonitors for the orchestration)."""

    config: EnterpriseConfig
    monitor: Monitor


class PollHealth(Contract):
    """What a monitor's activity heartbeats; the operator reads it from DescribeWorkflowExecution.

    `lag_seconds`: age of the oldest due row, None when nothing waits. `error`: reason and message of the newest
    failed poll, None after a good one. `held`: why nothing is picked up although the polls are well (Novu refuses the
    key). `foreign`: rows that another installation holds and does not end, and who that is. No payload and no recipient is ever in here.
    """

    last_poll_at: datetime | None = None
    lag_seconds: float | None = None
    consecutive_errors: int = 0
    error_reason: str | None = None
    error_message: str | None = None
    pending: int | None = None
    processing: int | None = None
    sent_24h: int | None = None
    failed_24h: int | None = None
    unreached_24h: int | None = None
    held_reason: str | None = None
    held_message: str | None = None
    foreign: int = 0
    foreign_owners: tuple[str, ...] = ()


class PollResult(Contract):
    """Counts of one window of polling; what a monitor's history says."""

    polls: int = 0
    started: int = 0
    retracted: int = 0
    swept: int = 0


class OrchestrationStatus(Contract):
    """Answer of the orchestration's `status` query and of its `apply_config` update."""

    config_generation: int
    monitors: tuple[Monitor, ...]
    stopping: bool = False


class DeletionPolicy(StrEnum):
    """What happens to an enterprise's workflows when its object is deleted."""

    DRAIN = "Drain"
    TERMINATE = "Terminate"
    ORPHAN = "Orphan"


class ShutdownInput(Contract):
    """Argument of the orchestration's `shutdown` update."""

    drain: timedelta


class StopInput(Contract):
    """Argument of the StopMonitors activity: stop them, delete the schedules of database rules, wait for the drain."""

    config: EnterpriseConfig
    drain: timedelta
