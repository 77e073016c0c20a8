"""The statuses that people see, made of what was found. No I/O; written by `xnovu_operator.reconcile` when they differ.

Times and counts that move by themselves are coarse on purpose: a healthy object must not be written all the time.
"""

from datetime import UTC, datetime
from typing import Final

from pydantic import JsonValue

from xnovu.core.api.v1alpha1 import (
    DeliveryCounts,
    Enterprise,
    MonitorStatus,
    NotificationRule,
    OrchestrationReference,
    RuleCounts,
)
from xnovu.core.clock import check_time_zone
from xnovu.core.contracts.common import Mode
from xnovu.core.contracts.orchestration import Monitor, PollHealth
from xnovu.core.errors import ClaimedElsewhere, ScheduleInvalid
from xnovu.core.ids import orchestration_workflow_id
from xnovu.core.plan import Problem
from xnovu.core.reasons import Reason
from xnovu.core.schedules import FoundSchedule
from xnovu_operator.temporal import Running

COARSE_MINUTES: Final = 10
AFTER_RUN_SECONDS: Final = 3.0

NOTICEABLE_LAG: Final = 5
"""Seconds; below this a lag is nobody's concern."""

FAILING_AFTER: Final = 3
"""Polls in a row that fail before an enterprise is called degraded: one alone is a hiccup."""


def monitor_status(mode: Mode, running: Running | None, *, suspended: bool) -> MonitorStatus:
    """How one subsystem is doing."""
    if suspended or mode is Mode.OFF:
        return MonitorStatus(state="Suspended" if suspended else "Off")
    health = running.health if running else None
    if running is None or health is None:
        return MonitorStatus(state="Starting")
    lag = int(health.lag_seconds or 0)
    failing = health.consecutive_errors >= FAILING_AFTER
    state = "Failing" if failing else "Shadow" if mode is Mode.SHADOW else "Running"
    return MonitorStatus(
        state=state,
        last_poll_at=_coarse(health.last_poll_at),
        lag_seconds=lag if lag >= NOTICEABLE_LAG else None,
        consecutive_errors=health.consecutive_errors if failing else 0,
        message=health.error_message,
    )


def health(
    enterprise: Enterprise, monitors: dict[Monitor, Running | None]
) -> dict[Monitor, MonitorStatus]:
    """How each subsystem is doing."""
    suspended = enterprise.spec.suspend
    return {
        monitor: monitor_status(mode, monitors.get(monitor), suspended=suspended)
        for monitor, mode in modes(enterprise).items()
    }


def _coarse(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    utc = moment.astimezone(UTC)
    return utc.replace(minute=utc.minute - utc.minute % COARSE_MINUTES, second=0, microsecond=0)


def modes(enterprise: Enterprise) -> dict[Monitor, Mode]:
    spec = enterprise.spec
    return {
        Monitor.REALTIME: spec.realtime.mode,
        Monitor.SCHEDULED: spec.scheduled.mode,
        Monitor.CRON: spec.cron.mode,
    }


def mode_word(enterprise: Enterprise) -> str:
    """For the column MODE."""
    if enterprise.spec.suspend:
        return "Suspended"
    different = set(modes(enterprise).values())
    return different.pop().value if len(different) == 1 else "Mixed"


def degraded(
    monitors: dict[Monitor, MonitorStatus], running: dict[Monitor, Running | None]
) -> Problem | None:
    """What of an enterprise does not work although nothing about the object is wrong."""
    for monitor, status in monitors.items():
        if status.state == "Failing":
            return Problem(Reason.MONITOR_FAILING, f"{monitor.value}: {status.message}")
    for monitor in monitors:
        found = running.get(monitor)
        if found is not None and found.health is not None:
            problem = _held(found.health) or _foreign(found.health)
            if problem is not None:
                return problem
    return None


def _held(health: PollHealth) -> Problem | None:
    """Novu cannot be spoken to, so nothing is taken in; it goes on by itself."""
    if health.held_reason is None:
        return None
    return Problem(
        health.held_reason, f"{health.held_message}; notifications wait and none is lost"
    )


def _foreign(health: PollHealth) -> Problem | None:
    """Another installation holds rows and does not end them."""
    if not health.foreign:
        return None
    return Problem(
        ClaimedElsewhere.reason,
        f"{health.foreign} notifications are held by {', '.join(health.foreign_owners)} and not ended: let one"
        " installation work on a database, or start the workers of that one",
    )


def starting(monitors: dict[Monitor, MonitorStatus]) -> Problem | None:
    names = [m.value for m, s in monitors.items() if s.state == "Starting"]
    if not names:
        return None
    return Problem(
        Reason.MONITOR_NOT_RUNNING,
        f"{', '.join(names)}: no news yet; look whether a worker runs and serves the same task queue",
    )


def deliveries(monitors: dict[Monitor, Running | None]) -> DeliveryCounts | None:
    running = monitors.get(Monitor.REALTIME)
    health = running.health if running else None
    if health is None or health.pending is None:
        return None
    return DeliveryCounts(
        pending=health.pending,
        processing=health.processing or 0,
        sent_24h=health.sent_24h or 0,
        failed_24h=health.failed_24h or 0,
        unreached_24h=health.unreached_24h or 0,
    )


def rule_counts(rules: list[NotificationRule]) -> RuleCounts:
    ready = sum(
        any(c.type == "Ready" and c.status == "True" for c in rule.status.conditions)
        for rule in rules
    )
    return RuleCounts(total=len(rules), ready=ready, summary=f"{ready}/{len(rules)}")


def orchestration(
    enterprise: Enterprise, running: Running | None, generation: int | None
) -> OrchestrationReference:
    return OrchestrationReference(
        workflow_id=orchestration_workflow_id(enterprise.spec.enterprise_id),
        run_id=running.run_id if running else None,
        started_at=running.started_at if running else None,
        config_generation=generation,
    )


def next_runs(found: FoundSchedule | None, time_zone: str, *, paused: bool) -> tuple[str, ...]:
    """Local times with their offset, to the second; none while paused."""
    if found is None or paused:
        return ()
    try:
        zone = check_time_zone(time_zone)
    except ScheduleInvalid:
        return ()
    return tuple(run.astimezone(zone).isoformat(timespec="seconds") for run in found.next_runs)


def look_again(found: FoundSchedule | None, now: datetime) -> float | None:
    """Seconds until what is said of the runs is out of date; a run needs a moment until it has a result."""
    if found is None or found.paused or not found.next_runs:
        return None
    return max(AFTER_RUN_SECONDS, (found.next_runs[0] - now).total_seconds() + AFTER_RUN_SECONDS)


def suspended(
    found: NotificationRule, enterprise: Enterprise | None, *, paused: bool
) -> Problem | None:
    """Why a rule does not run although it could."""
    if enterprise is not None and enterprise.spec.suspend:
        return Problem(Reason.SUSPENDED, f"the Enterprise {enterprise.metadata.name} is suspended")
    if found.spec.suspend:
        return Problem(Reason.SUSPENDED, "spec.suspend is true")
    if paused:
        return Problem(
            Reason.PAUSED_IN_TEMPORAL, "paused in Temporal; spec.suspend: false lets it run again"
        )
    return None


def difference(before: JsonValue, wanted: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The merge patch from one status to another: null for what goes, lists whole, nothing for what stays."""
    old = before if isinstance(before, dict) else {}
    patch: dict[str, JsonValue] = {key: None for key in old if key not in wanted}
    for key, value in wanted.items():
        was = old.get(key)
        if was == value:
            continue
        if isinstance(value, dict) and isinstance(was, dict):
            patch[key] = difference(was, value)
        else:
            patch[key] = value
    return patch
