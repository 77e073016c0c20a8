"""The worker process: polls, delivers and executes rules. It never reconciles and has no Kubernetes token.

Wires settings, clients, activities and workflows together; decides nothing. Workflows run outside Temporal's sandbox
here: the import rules and the sandboxed runs of the tests guard determinism, and the sandbox would cost memory and time
at every start. Called by `xnovu worker`.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol

from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner

from xnovu.adapters import temporal
from xnovu.adapters.schedules import Schedules
from xnovu.adapters.temporal import connect, data_converter, ensure_search_attributes
from xnovu.adapters.tenants import EnterpriseTenants
from xnovu.core.errors import TemporalUnavailable
from xnovu.settings import Settings
from xnovu.telemetry import health_server, set_up_logs
from xnovu_activities.batch import Backlog, BatchLane
from xnovu_activities.feed import FeedReader
from xnovu_activities.measures import Measures
from xnovu_activities.monitors import MonitorActivities, Starter
from xnovu_activities.notifications import NotificationActivities
from xnovu_activities.ports import Tenants
from xnovu_activities.rules import RuleActivities
from xnovu_activities.sweeper import Sweeper
from xnovu_activities.upkeep import Upkeep
from xnovu_workflows.cron_scheduling import CronSchedulingWorkflow
from xnovu_workflows.notification_orchestration import NotificationOrchestrationWorkflow
from xnovu_workflows.notification_processing import NotificationProcessingWorkflow
from xnovu_workflows.realtime_monitoring import RealtimeMonitoringWorkflow
from xnovu_workflows.rule_execution import RuleExecutionWorkflow
from xnovu_workflows.scheduled_notification import ScheduledNotificationWorkflow

WORKFLOWS: Final[Sequence[type]] = (
    NotificationOrchestrationWorkflow,
    RealtimeMonitoringWorkflow,
    ScheduledNotificationWorkflow,
    CronSchedulingWorkflow,
    RuleExecutionWorkflow,
    NotificationProcessingWorkflow,
)
HEARTBEAT_EVERY: Final = timedelta(seconds=3)
"""Most often that a heartbeat is sent: how soon a monitor hears that it was cancelled, and a person how it is."""

RETRY_SECONDS: Final = 2.0
_log: Final = logging.getLogger("xnovu.worker")


def build(
    client: Client,
    settings: Settings,
    tenants: Tenants,
    measures: Measures,
    runner: WorkflowRunner | None = None,
    *,
    installation: str | None = None,
) -> Worker:
    """The worker with all workflows and activities; a test gives its own runner and tenants.

    `installation`: who claims rows (`adapters.temporal.installation`); None: the namespace, which is enough where nobody
    else works on the database.
    """
    given, queue = settings.worker, settings.temporal.task_queue
    starter = Starter(client, queue)
    owner = installation or client.namespace
    notifications = NotificationActivities(
        tenants, owner, timedelta(seconds=given.verify_delay_seconds), measures
    )
    upkeep = Upkeep(
        Sweeper(tenants, starter, owner, measures),
        FeedReader(tenants, measures, given.feed_check_seconds),
    )
    monitors = MonitorActivities(
        tenants,
        client,
        queue,
        starter,
        upkeep,
        BatchLane(tenants, owner, starter, measures),
        Backlog(given.batch_above),
        measures,
        sweep_seconds=given.sweep_seconds,
    )
    rules = RuleActivities(tenants, Schedules(client, queue), starter, measures)
    return Worker(
        client,
        task_queue=queue,
        workflows=WORKFLOWS,
        activities=[
            notifications.deliver_notification,
            notifications.fetch_notification,
            notifications.validate_notification,
            notifications.fetch_workflow_config,
            notifications.render_template,
            notifications.trigger_novu,
            notifications.update_notification_status,
            monitors.poll_supabase,
            monitors.ensure_monitors,
            monitors.stop_monitors,
            rules.evaluate_rule,
            rules.create_notification,
            rules.hand_over,
            rules.fetch_active_rules,
            rules.sync_schedules,
        ],
        workflow_runner=runner or UnsandboxedWorkflowRunner(),
        max_cached_workflows=given.max_cached_workflows,
        max_concurrent_activities=given.max_concurrent_activities,
        max_concurrent_local_activities=given.max_concurrent_local_activities,
        max_heartbeat_throttle_interval=HEARTBEAT_EVERY,
        default_heartbeat_throttle_interval=HEARTBEAT_EVERY,
        graceful_shutdown_timeout=timedelta(seconds=min(given.graceful_shutdown_seconds, 3.0)),
    )


class Build(Protocol):
    """Makes the worker (`build`)."""

    def __call__(
        self,
        client: Client,
        settings: Settings,
        tenants: Tenants,
        measures: Measures,
        *,
        installation: str | None = None,
    ) -> Worker: ...


def run(settings: Settings, build: Build = build) -> int:
    """Work until SIGTERM or SIGINT; the process ends here, with 0 unless the worker itself failed.

    `build` makes the worker; the fault suite gives one that wraps what it is made of.
    """
    set_up_logs(settings.log)
    # Keys that cannot be used end the process here, with a line that says why.
    data_converter(settings.temporal)
    code = asyncio.run(_main(settings, build))
    # Threads of Temporal's Rust core may still call Python while the interpreter is taken apart, which now and then
    # ends in SIGABRT. Everything is closed by now, so there is nothing to take apart.
    logging.shutdown()
    os._exit(code)


async def _main(settings: Settings, build: Build) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    state = {"problem": "not connected to Temporal yet"}
    given = settings.worker

    def ready() -> str | None:
        return state["problem"] or None

    async with health_server(
        given.bind_address, given.health_port, alive=lambda: None, ready=ready
    ):
        connected = await _connected(settings, stop, state)
        if connected is None:
            return 0
        return await _work(*connected, settings, build, stop, state)


async def _connected(
    settings: Settings, stop: asyncio.Event, state: dict[str, str]
) -> tuple[Client, str] | None:
    """A client of a Temporal that has what we need, and who we are there; waits for it, None when we are to stop."""
    given = settings.worker
    prometheus = PrometheusConfig(
        bind_address=f"{given.bind_address}:{given.metrics_port}",
        durations_as_seconds=True,
        counters_total_suffix=True,
        unit_suffix=True,
    )
    runtime = Runtime(telemetry=TelemetryConfig(metrics=prometheus))
    stopping = asyncio.create_task(stop.wait())
    while not stop.is_set():
        trying = asyncio.create_task(_try(settings, runtime))
        await asyncio.wait({trying, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not trying.done():
            trying.cancel()
            return None
        try:
            connected = trying.result()
        except TemporalUnavailable as error:
            if state["problem"] != error.message:
                _log.warning("waiting for Temporal: %s", error.message)
            state["problem"] = error.message
            await asyncio.wait({stopping}, timeout=RETRY_SECONDS)
        else:
            stopping.cancel()
            return connected
    return None


async def _try(settings: Settings, runtime: Runtime) -> tuple[Client, str]:
    client = await connect(settings.temporal, runtime=runtime)
    await ensure_search_attributes(client, manage=False)
    return client, await temporal.installation(client)


async def _work(
    client: Client,
    owner: str,
    settings: Settings,
    build: Build,
    stop: asyncio.Event,
    state: dict[str, str],
) -> int:
    async with EnterpriseTenants(settings) as tenants:
        measures = Measures(
            client.service_client.config.runtime.metric_meter
            if client.service_client.config.runtime
            else Runtime.default().metric_meter
        )
        worker = build(client, settings, tenants, measures, installation=owner)
        working = asyncio.create_task(worker.run())
        stopping = asyncio.create_task(stop.wait())
        state["problem"] = ""
        _log.info("working on queue %s of %s", settings.temporal.task_queue, client.namespace)
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        state["problem"] = "stopping"
        if working.done():
            stopping.cancel()
            await working
            return 1
        await worker.shutdown()
        await working
        _log.info("stopped")
        return 0
