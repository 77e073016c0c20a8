"""F26: a day in which nothing is due, and one in which nothing works. A monitor's history stays short.

One that polls in the workflow every five seconds, as the plan's example does, writes some 190,000 events in that time and
is ended by the server after a quarter of it. On Temporal's time-skipping server, which does not skip while an activity
runs: the long activities are stand-ins that end at once, one for every ten minutes. The workflows are the real ones.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from support.runner import sandboxed
from support.temporal import eventually
from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
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
from xnovu_workflows.windows import PAUSE

pytestmark = pytest.mark.stack

WINDOWS_A_DAY = timedelta(hours=24) // WINDOW
HOUR = timedelta(hours=1)
MANY = 10_240 / 100
"""A hundredth of what the server warns at (limit.historyCount.warn); it ends a workflow at 51,200."""

KINDS = ["RealtimeMonitoringWorkflow", "NotificationOrchestrationWorkflow"]


@dataclass
class Windows:
    """Long activities that are over at once. `left`: how many go well, then the next ones wait for ever."""

    left: int
    fails: bool = False
    begun: int = 0

    async def _window(self) -> None:
        self.begun += 1
        if self.begun > self.left:
            activity.raise_complete_async()
        if self.fails:
            raise ApplicationError("a defect of XNovu", type="InternalError", non_retryable=True)

    @activity.defn(name="PollSupabase")
    async def poll(self, _: PollInput) -> PollResult:
        await self._window()
        return PollResult(polls=1)

    @activity.defn(name="EnsureMonitors")
    async def ensure(self, _: PollInput) -> None:
        await self._window()


@asynccontextmanager
async def monitoring(
    program: Path, kind: str, windows: Windows
) -> AsyncIterator[tuple[WorkflowEnvironment, WorkflowHandle[object, object]]]:
    """One workflow of the kind, on a server whose time skips."""
    config = EnterpriseConfig(generation=1, enterprise=EnterpriseRef(id=str(uuid4())))
    monitor = kind.startswith("Realtime")
    given = MonitorInput(config=config) if monitor else OrchestrationInput(config=config)
    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=str(program), data_converter=pydantic_data_converter
        ) as environment,
        Worker(
            environment.client,
            task_queue="idle",
            workflows=WORKFLOWS,
            activities=[windows.poll, windows.ensure],
            workflow_runner=sandboxed(),
        ),
    ):
        handle = await environment.client.start_workflow(kind, given, id="idle", task_queue="idle")
        yield environment, handle
        await environment.client.get_workflow_handle("idle").terminate()


async def lengths(environment: WorkflowEnvironment, run_id: str | None) -> list[int]:
    """Events of each run, from the first on."""
    found: list[int] = []
    while run_id:
        handle = environment.client.get_workflow_handle("idle", run_id=run_id)
        events = (await handle.fetch_history()).events
        found.append(len(events))
        run_id = events[
            -1
        ].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_a_day_of_idling_leaves_short_histories(
    time_skipping_server: Path, kind: str, record_property: Callable[[str, object], None]
) -> None:
    windows = Windows(left=WINDOWS_A_DAY)
    async with monitoring(time_skipping_server, kind, windows) as (environment, handle):

        async def day_over() -> bool:
            return windows.begun > WINDOWS_A_DAY

        await eventually(day_over, f"{WINDOWS_A_DAY} windows", 90)
        found = await lengths(environment, handle.first_execution_run_id)
    record_property("events_of_the_longest_run", max(found))
    assert len(found) == WINDOWS_A_DAY + 1
    assert max(found) < MANY


async def test_an_hour_of_failing_is_no_tight_circle(time_skipping_server: Path) -> None:
    windows = Windows(left=10**6, fails=True)
    async with monitoring(time_skipping_server, KINDS[0], windows) as (environment, handle):
        await environment.sleep(HOUR)
        begun = windows.begun
        found = await lengths(environment, handle.first_execution_run_id)
    assert HOUR // PAUSE * 0.9 <= begun <= HOUR // PAUSE + 1
    assert max(found) < MANY
