"""F26: a day in which nothing is due. A monitor's history stays short; one that polls in the workflow has 190,000 events.

On Temporal's time-skipping server. The long activities are stand-ins that last ten minutes of the server's time and
heartbeat, as the real ones do; the workflows are the real ones.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from support.runner import sandboxed
from temporalio import activity
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.orchestration import (
    EnterpriseConfig,
    MonitorInput,
    OrchestrationInput,
    PollInput,
    PollResult,
)
from xnovu.worker import WORKFLOWS
from xnovu_activities.monitors import WINDOW
from xnovu_workflows.policies import HEARTBEAT

pytestmark = pytest.mark.stack

DAY = timedelta(hours=24)
STEP = HEARTBEAT - timedelta(seconds=2)
WARNING = 10_240
"""Events at which the server begins to warn (limit.historyCount.warn); it ends a workflow at 51,200."""


class Windows:
    """Long activities on the server's clock. `ended`: how many there were."""

    def __init__(self, environment: WorkflowEnvironment) -> None:
        self._environment = environment
        self.ended = 0

    async def _window(self) -> None:
        here = self._environment.client.get_async_activity_handle(
            task_token=activity.info().task_token
        )
        left = WINDOW
        while left > timedelta(0):
            await self._environment.sleep(min(left, STEP))
            left -= STEP
            # By a call, which is there when it returns: the worker's own heartbeats are throttled by our clock.
            await here.heartbeat()
        self.ended += 1

    @activity.defn(name="PollSupabase")
    async def poll(self, _: PollInput) -> PollResult:
        await self._window()
        return PollResult(polls=1)

    @activity.defn(name="EnsureMonitors")
    async def ensure(self, _: PollInput) -> None:
        await self._window()


@asynccontextmanager
async def a_day_server(program: Path) -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(program), data_converter=pydantic_data_converter
    ) as environment:
        yield environment


@pytest.mark.parametrize(
    "kind", ["RealtimeMonitoringWorkflow", "NotificationOrchestrationWorkflow"]
)
async def test_a_day_of_idling_costs_little_history(
    time_skipping_server: Path, kind: str, record_property: Callable[[str, object], None]
) -> None:
    async with a_day_server(time_skipping_server) as environment:
        windows = Windows(environment)
        async with Worker(
            environment.client,
            task_queue="idle",
            workflows=WORKFLOWS,
            activities=[windows.poll, windows.ensure],
            workflow_runner=sandboxed(),
        ):
            config = EnterpriseConfig(generation=1, enterprise=EnterpriseRef(id=str(uuid4())))
            given = (
                MonitorInput(config=config)
                if kind.startswith("Realtime")
                else OrchestrationInput(config=config)
            )
            began = await environment.get_current_time()
            handle = await environment.client.start_workflow(
                kind, given, id="idle", task_queue="idle"
            )
            await day_over(environment, began)
            found = await lengths(environment, handle.first_execution_run_id)
            await handle.terminate()
    record_property("recovery_seconds", 0)
    record_property("events", max(found))
    assert windows.ended >= DAY // WINDOW - 2
    assert len(found) >= windows.ended
    assert max(found) < WARNING / 100


async def day_over(environment: WorkflowEnvironment, began: datetime) -> None:
    async with asyncio.timeout(120):
        while await environment.get_current_time() - began < DAY:
            await asyncio.sleep(0.05)


async def lengths(environment: WorkflowEnvironment, run_id: str | None) -> list[int]:
    """Events of each run, from the first on."""
    found: list[int] = []
    while run_id:
        handle = environment.client.get_workflow_handle("idle", run_id=run_id)
        events = (await handle.fetch_history()).events
        found.append(len(events))
        last = events[-1].workflow_execution_continued_as_new_event_attributes
        run_id = last.new_execution_run_id
    return found
