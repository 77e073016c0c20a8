"""The long activities of the monitors: polling for what is due, and keeping the monitors themselves running.

Each runs for a window of minutes and heartbeats a PollHealth, which the operator reads; the history gets counts only.
Polling asks for state, never from a cursor: whatever is due is found, however late it was committed. A due row is
handed on by starting its workflow, whose id is the mutex. Registered by the worker, called by the monitoring workflows.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from xnovu.adapters.schedules import Schedules
from xnovu.adapters.turns import FairGate
from xnovu.core import ids
from xnovu.core.contracts.common import Mode
from xnovu.core.contracts.notifications import NotificationRef, ProcessingInput
from xnovu.core.contracts.orchestration import (
    EnterpriseConfig,
    Monitor,
    MonitorInput,
    PollHealth,
    PollInput,
    PollResult,
    RealtimeEvent,
    StopInput,
)
from xnovu.core.errors import ConfigurationError, TemporalUnavailable, XNovuError
from xnovu.core.records import PollAnswer, PollRequest
from xnovu_activities.batch import Backlog, BatchLane, Item
from xnovu_activities.beating import Pause, wait_beating, work_beating
from xnovu_activities.boundary import guarded
from xnovu_activities.measures import Measures
from xnovu_activities.ports import Tenants
from xnovu_activities.upkeep import Notes, Upkeep

WINDOW: Final = timedelta(minutes=10)
"""How long one activity polls: 36 events a window instead of 9 a poll."""

COUNTS_EVERY: Final = 10.0
SWEEP_EVERY: Final = 10.0
CHECK_EVERY: Final = 10.0
"""Seconds between two looks at the counts, at stale rows, at the monitors."""

PAUSE_LOOKS: Final = 3
"""Looks at an enterprise's Schedules after its cron was stopped: the list of them is some seconds late."""

REMEMBER: Final = 20.0
"""Seconds for which a started row is not started again: it needs some time until it is claimed."""

STARTS_AT_ONCE: Final = 20
AT_ONCE: Final = 0.05
"""Seconds to the next poll when there is more."""

NOVU_PAUSE: Final = 0.25
"""Seconds to the next poll when Novu's rate limit leaves room for a part of what is due."""

UPKEEP_ENDS: Final = 5.0
"""Seconds for what runs beside the polls to come to its end."""

LONGEST_BACKOFF: Final = 15.0
"""Seconds between polls of a database that has been away for long; half the bound of recovery (the fault matrix, F15)."""

WORKFLOW_TYPES: Final = {
    Monitor.REALTIME: "RealtimeMonitoringWorkflow",
    Monitor.SCHEDULED: "ScheduledNotificationWorkflow",
    Monitor.CRON: "CronSchedulingWorkflow",
}
_ENTERPRISE: Final = SearchAttributeKey.for_keyword(ids.SEARCH_ATTRIBUTE_ENTERPRISE)
_log: Final = logging.getLogger("xnovu.monitors")


def monitor_id(monitor: Monitor, enterprise_id: str) -> str:
    match monitor:
        case Monitor.REALTIME:
            return ids.realtime_workflow_id(enterprise_id)
        case Monitor.SCHEDULED:
            return ids.scheduled_workflow_id(enterprise_id)
        case Monitor.CRON:
            return ids.cron_workflow_id(enterprise_id)


def mode_of(config: EnterpriseConfig, monitor: Monitor) -> Mode:
    """What a monitor does now; a suspended enterprise takes nothing in."""
    if config.suspend:
        return Mode.OFF
    return {
        Monitor.REALTIME: config.realtime.mode,
        Monitor.SCHEDULED: config.scheduled.mode,
        Monitor.CRON: config.cron.mode,
    }[monitor]


class Starter:
    """Starts the workflow of a notification. Starting twice is starting once: the running one is used."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue
        self._gate = FairGate(STARTS_AT_ONCE)

    async def start(
        self, request: ProcessingInput, *, priority: int = 3, delay: timedelta | None = None
    ) -> None:
        """Idempotency key: the workflow id. Raises TemporalUnavailable."""
        async with self._gate.turn(request.ref.enterprise.id):
            await self._start(request, priority, WorkflowIDConflictPolicy.USE_EXISTING, delay)

    async def resume(self, request: ProcessingInput) -> bool:
        """Start it if no run of it is open; False: it runs. Asks Temporal's history, not its (late) visibility.

        Raises TemporalUnavailable.
        """
        async with self._gate.turn(request.ref.enterprise.id):
            try:
                await self._start(request, 3, WorkflowIDConflictPolicy.FAIL)
            except WorkflowAlreadyStartedError:
                return False
        return True

    async def _start(
        self,
        request: ProcessingInput,
        priority: int,
        conflict: WorkflowIDConflictPolicy,
        delay: timedelta | None = None,
    ) -> None:
        enterprise, notification_id = request.ref.enterprise, request.ref.notification_id
        try:
            await self._client.start_workflow(
                "NotificationProcessingWorkflow",
                request,
                id=ids.notification_workflow_id(enterprise.id, notification_id),
                task_queue=self._task_queue,
                id_conflict_policy=conflict,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                search_attributes=attributes(enterprise.id),
                priority=Priority(priority_key=priority, fairness_key=enterprise.id),
                start_delay=delay,
                request_eager_start=delay is None,
            )
        except RPCError as error:
            raise TemporalUnavailable(
                f"Temporal did not start a delivery: {error.status}"
            ) from None


def attributes(enterprise_id: str) -> TypedSearchAttributes:
    return TypedSearchAttributes([SearchAttributePair(_ENTERPRISE, enterprise_id)])


@dataclass(slots=True)
class _Window:
    """What one polling activity remembers."""

    until: float
    health: PollHealth = field(default_factory=PollHealth)
    result: PollResult = field(default_factory=PollResult)
    recent: dict[int, float] = field(default_factory=dict)
    counted: float = 0.0
    swept: float = 0.0
    notes: Notes = field(default_factory=Notes)

    def fresh(self, found: Iterable[int], now: float) -> list[int]:
        """Those that were not started a moment ago."""
        self.recent = {i: t for i, t in self.recent.items() if now - t < REMEMBER}
        return [i for i in found if i not in self.recent]

    def note(self, begun: Collection[int], counter: str) -> None:
        """Remember and count what was handed on. `counter`: a field of PollResult."""
        self.recent.update(dict.fromkeys(begun, time.monotonic()))
        before: int = getattr(self.result, counter)
        self.result = self.result.model_copy(update={counter: before + len(begun)})


@dataclass(frozen=True, slots=True)
class MonitorActivities:
    """`pause`: seconds to wait; a test gives its own."""

    tenants: Tenants
    client: Client
    task_queue: str
    starter: Starter
    upkeep: Upkeep
    batches: BatchLane
    backlog: Backlog
    measures: Measures
    window: timedelta = WINDOW
    sweep_seconds: float = SWEEP_EVERY
    pause: Pause = asyncio.sleep

    @activity.defn(name="PollSupabase")
    @guarded
    async def poll_supabase(self, request: PollInput) -> PollResult:
        """Poll until the window is over. Read-only but for what it starts, so it may run twice."""
        state = _Window(until=time.monotonic() + self.window.total_seconds())
        self.measures.monitors(1)
        upkeep = self._keep_up(request, state)
        try:
            while time.monotonic() < state.until:
                wait = await self._poll_once(request, state)
                left = max(state.until - time.monotonic(), 0)
                await wait_beating(min(wait, left), state.health, self.pause)
        finally:
            self.measures.monitors(-1)
            if upkeep is not None:
                upkeep.cancel()
                await asyncio.wait({upkeep}, timeout=UPKEEP_ENDS)
        return state.result.model_copy(update={"swept": state.notes.swept})

    def _keep_up(self, request: PollInput, state: _Window) -> asyncio.Task[None] | None:
        """The work beside the polls, of one monitor an enterprise: the first that is active. A shadow sends nothing."""
        polling = (Monitor.REALTIME, Monitor.SCHEDULED)
        active = [m for m in polling if mode_of(request.config, m) is Mode.ACTIVE]
        if not active or request.monitor is not active[0]:
            return None
        return asyncio.create_task(self.upkeep.run(request.config, state.notes))

    async def _poll_once(self, request: PollInput, state: _Window) -> float:
        """One poll; answers the seconds to wait."""
        config, now = request.config, time.monotonic()
        held = self.tenants.trouble(config.enterprise)
        asked = _question(request, state, now, self.sweep_seconds, held=held is not None)
        try:
            answer = await self.tenants.database(config.enterprise).poll(asked)
            wait = await self._hand_on(request, asked, answer, state, now)
        except XNovuError as error:
            errors = state.health.consecutive_errors + 1
            state.health = state.health.model_copy(
                update={
                    "consecutive_errors": errors,
                    "error_reason": error.reason,
                    "error_message": error.message,
                }
            )
            if errors in {1, 10} or errors % 100 == 0:
                _log.warning(
                    "%s poll of %s: %s", request.monitor, config.enterprise.id, error.message
                )
            return min(LONGEST_BACKOFF, 0.5 * 1.5 ** min(errors, 20))
        state.health = _healthy(state.health, answer, state.notes, held)
        if asked.counts:
            state.counted = now
        if asked.sweep:
            state.swept = now
        if answer.stale:
            state.notes.stale.set()
        return wait

    async def _hand_on(
        self, request: PollInput, asked: PollRequest, answer: PollAnswer, state: _Window, now: float
    ) -> float:
        """Start what is withdrawn, take in what is due; answers the seconds to the next poll."""
        priorities = {row.id: row.priority for row in answer.due}
        await self._start_all(
            request, asked, state, dict.fromkeys(state.fresh(answer.withdrawn, now), 3), "retracted"
        )
        due = state.fresh(priorities, now)
        room, wait = await self._room(request, len(due), shadow=asked.shadow)
        taken = {i: priorities[i] for i in due[:room]}
        if taken and not asked.shadow and self.backlog.add(len(taken)):
            await self._deliver_batch(request, state, taken)
        else:
            await self._start_all(request, asked, state, taken, "started")
        state.result = state.result.model_copy(update={"polls": state.result.polls + 1})
        full = len(taken) >= min(asked.limit, asked.max_in_flight) > 0
        return wait or _wait(request, answer, full=full)

    async def _room(
        self, request: PollInput, due: int, *, shadow: bool
    ) -> tuple[int, float | None]:
        """How many of the due rows may begin now, and when to look again if it is not all of them.

        The rest waits as PENDING: no attempt is used, no slot held, and what is more urgent may still come first.
        """
        if not due or shadow:
            return due, None
        config = request.config
        room = min(due, self.tenants.novu(config.enterprise).allowance())
        wait = NOVU_PAUSE if 0 < room < due else None
        rate = config.delivery.rate_per_second
        if rate is not None and room:
            paced = await self.tenants.database(config.enterprise).take_pace(room, rate)
            if paced.granted < room:
                room, wait = paced.granted, max(paced.wait_seconds, AT_ONCE)
        return room, wait

    async def _deliver_batch(
        self, request: PollInput, state: _Window, taken: Mapping[int, int]
    ) -> None:
        items = [
            Item(_processing(request, notification_id, shadow=False), priority)
            for notification_id, priority in taken.items()
        ]
        await work_beating(lambda stopped: self.batches.deliver(items, stopped), state.health)
        state.note(taken, "started")

    async def _start_all(
        self,
        request: PollInput,
        asked: PollRequest,
        state: _Window,
        wanted: Mapping[int, int],
        counter: str,
    ) -> None:
        """Start the workflows of these rows, each with its priority."""
        starts = [
            self.starter.start(
                _processing(request, notification_id, shadow=asked.shadow), priority=priority
            )
            for notification_id, priority in wanted.items()
        ]
        ends = await asyncio.gather(*starts, return_exceptions=True)
        state.note([i for i, end in zip(wanted, ends, strict=True) if end is None], counter)
        for end in ends:
            if end is not None:
                raise end

    @activity.defn(name="EnsureMonitors")
    @guarded
    async def ensure_monitors(self, request: PollInput) -> None:
        """Start the monitors that should run, stop those that should not, tell them their configuration."""
        until = time.monotonic() + self.window.total_seconds()
        config = request.config
        for monitor in Monitor:
            await self._ensure(config, monitor, tell=True)
        pauses = PAUSE_LOOKS if mode_of(config, Monitor.CRON) is Mode.OFF else 0
        while time.monotonic() < until:
            if pauses > 0:
                pauses -= 1
                await self._pause_database_rules(config)
            health = PollHealth(last_poll_at=datetime.now(UTC))
            await wait_beating(CHECK_EVERY, health, self.pause)
            if await self._is_superseded():
                return
            for monitor in Monitor:
                await self._ensure(config, monitor, tell=False)

    async def _pause_database_rules(self, config: EnterpriseConfig) -> None:
        """Rules of the database rest while nobody keeps their Schedules; SyncSchedules lets them run again."""
        schedules = Schedules(self.client, self.task_queue)
        for found in (await schedules.list(config.enterprise.id)).values():
            if ids.parse_database_schedule_id(found.id) is not None and not found.paused:
                await schedules.pause(
                    found.id, "XNovu: the enterprise is suspended, or its cron is Off"
                )

    async def _ensure(self, config: EnterpriseConfig, monitor: Monitor, *, tell: bool) -> None:
        workflow_id = monitor_id(monitor, config.enterprise.id)
        try:
            running = await self._is_running(workflow_id)
            if mode_of(config, monitor) is Mode.OFF:
                if running:
                    await self.client.get_workflow_handle(workflow_id).cancel()
                return
            if running and not tell:
                return
            await self.client.start_workflow(
                WORKFLOW_TYPES[monitor],
                MonitorInput(config=config),
                id=workflow_id,
                task_queue=self.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                search_attributes=attributes(config.enterprise.id),
                start_signal="configure",
                start_signal_args=[config],
            )
        except RPCError as error:
            raise TemporalUnavailable(
                f"Temporal did not answer about {workflow_id}: {error.status}"
            ) from None

    async def _is_superseded(self) -> bool:
        """Whether the workflow wants this activity no longer. A cancellation arrives late, and must undo nothing."""
        here = activity.info()
        try:
            found = await self.client.get_workflow_handle(
                here.workflow_id or "", run_id=here.workflow_run_id
            ).describe()
        except RPCError as error:
            raise TemporalUnavailable(f"Temporal did not answer: {error.status}") from None
        wanted = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        return not any(
            a.activity_id == here.activity_id and a.state == wanted
            for a in found.raw_description.pending_activities
        )

    async def _is_running(self, workflow_id: str) -> bool:
        try:
            found = await self.client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return found.status is WorkflowExecutionStatus.RUNNING

    @activity.defn(name="StopMonitors")
    @guarded
    async def stop_monitors(self, request: StopInput) -> None:
        """Stop the intake, remove the Schedules of the database's rules, wait for what is under way, bounded."""
        until = time.monotonic() + request.drain.total_seconds()
        enterprise = request.config.enterprise
        await self._cancel_monitors(enterprise.id)
        schedules = Schedules(self.client, self.task_queue)
        for schedule_id in await schedules.list(enterprise.id):
            if ids.parse_database_schedule_id(schedule_id) is not None:
                await schedules.delete(schedule_id)
        asked = PollRequest(enterprise.id, "realtime", limit=0, max_in_flight=0, counts=True)
        while await self._cancel_monitors(enterprise.id) or time.monotonic() < until:
            activity.heartbeat()
            try:
                answer = await self.tenants.database(enterprise).poll(asked)
                under_way = answer.counts is not None and answer.counts.processing > 0
            except XNovuError:
                # Nothing can be under way in a database that is away; its rows are kept and found again.
                under_way = False
            if not under_way and not await self._cancel_monitors(enterprise.id):
                return
            await self.pause(0.5)

    async def _cancel_monitors(self, enterprise_id: str) -> int:
        """How many still run. Repeated until none does: a window that ends just now may begin another."""
        running = 0
        for monitor in Monitor:
            workflow_id = monitor_id(monitor, enterprise_id)
            try:
                if await self._is_running(workflow_id):
                    running += 1
                    await self.client.get_workflow_handle(workflow_id).cancel()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise TemporalUnavailable(
                        f"Temporal did not answer about {workflow_id}: {error.status}"
                    ) from None
        return running


def _question(
    request: PollInput, state: _Window, now: float, sweep_seconds: float, *, held: bool
) -> PollRequest:
    """`held`: nothing can be sent now, so nothing is taken in; what is withdrawn and the counts are asked for."""
    config = request.config
    shadow = mode_of(config, request.monitor) is Mode.SHADOW
    counts = now - state.counted >= COUNTS_EVERY
    if request.monitor is Monitor.SCHEDULED:
        return PollRequest(
            config.enterprise.id,
            "scheduled",
            config.scheduled.batch_size,
            0 if held and not shadow else config.realtime.max_in_flight,
            shadow=shadow,
        )
    intake = RealtimeEvent.INSERT in config.realtime.events and (shadow or not held)
    return PollRequest(
        config.enterprise.id,
        "realtime",
        config.realtime.batch_size,
        config.realtime.max_in_flight if intake else 0,
        withdrawn=RealtimeEvent.UPDATE in config.realtime.events and not shadow,
        sweep=not shadow and now - state.swept >= sweep_seconds,
        counts=counts,
        shadow=shadow,
    )


def _processing(request: PollInput, notification_id: int, *, shadow: bool) -> ProcessingInput:
    return ProcessingInput(
        ref=NotificationRef(enterprise=request.config.enterprise, notification_id=notification_id),
        delivery=request.config.delivery,
        shadow=shadow,
    )


def _healthy(
    before: PollHealth, answer: PollAnswer, notes: Notes, held: ConfigurationError | None
) -> PollHealth:
    counts = answer.counts
    return PollHealth(
        last_poll_at=datetime.now(UTC),
        lag_seconds=answer.lag_seconds,
        pending=counts.pending if counts else before.pending,
        processing=counts.processing if counts else before.processing,
        sent_24h=counts.sent_24h if counts else before.sent_24h,
        failed_24h=counts.failed_24h if counts else before.failed_24h,
        unreached_24h=notes.unreached_24h,
        held_reason=held.reason if held else None,
        held_message=held.message if held else None,
        foreign=notes.foreign,
        foreign_owners=notes.foreign_owners,
    )


def _wait(request: PollInput, answer: PollAnswer, *, full: bool) -> float:
    """Seconds to the next poll: at once after a full batch, in time for what is due next.

    Monitors with one interval poll at the same moments, so that they share a round trip (`adapters.polling`).
    """
    if full:
        return AT_ONCE
    if request.monitor is Monitor.REALTIME:
        interval = request.config.realtime.poll_interval.total_seconds()
        return interval - time.monotonic() % interval
    interval = request.config.scheduled.poll_interval.total_seconds()
    due = answer.next_due_seconds
    return interval if due is None else min(interval, max(due, 0.05))
