"""What the recordings of all workflows share: a run that is pinned, and a worker whose long activity says what we like."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from support.runner import sandboxed
from support.temporal import Case, eventually
from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.worker import Worker

from xnovu.core.contracts.orchestration import PollInput, PollResult
from xnovu.worker import WORKFLOWS

Handle = WorkflowHandle[Any, Any]
Played = Callable[[Case], Awaitable[Handle]]


OWN_WORKER: Final[set[Played]] = set()


def own_worker(play: Played) -> Played:
    """Mark a path that needs another worker than XNovu's, or none at first."""
    OWN_WORKER.add(play)
    return play


async def first_run(case: Case, handle: Handle) -> Handle:
    """The run that was started, not what it continues as."""
    return case.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)


async def over(handle: Handle) -> Handle:
    """The run, once it has ended, however it ended."""

    async def is_over() -> bool:
        return (await handle.describe()).close_time is not None

    await eventually(is_over, f"{handle.id} has ended", 40)
    return handle


async def pinned(case: Case, workflow_id: str) -> Handle:
    """The run of now, for when others will have followed."""
    found = await case.client.get_workflow_handle(workflow_id).describe()
    return case.client.get_workflow_handle(workflow_id, run_id=found.run_id)


@dataclass
class Windows:
    """Long activities that end as told instead of after ten minutes: None well, an error with it; then they go on."""

    ends: list[Exception | None] = field(default_factory=list)

    async def window(self) -> None:
        if not self.ends:
            # Nothing is told any more: whoever plays this is done, and ends the worker.
            await activity.wait_for_cancelled()
        error = self.ends.pop(0)
        if error is not None:
            raise error


@asynccontextmanager
async def a_worker_of(case: Case, ends: Sequence[Exception | None]) -> AsyncIterator[None]:
    """All workflows, and stand-ins for the activities of their windows."""
    windows = Windows(list(ends))

    @activity.defn(name="PollSupabase")
    async def poll(_: PollInput) -> PollResult:
        await windows.window()
        return PollResult(polls=1)

    @activity.defn(name="SyncSchedules")
    async def sync(_: PollInput) -> PollResult:
        await windows.window()
        return PollResult(polls=1)

    @activity.defn(name="EnsureMonitors")
    async def ensure(_: PollInput) -> None:
        await windows.window()

    @activity.defn(name="StopMonitors")
    async def stop(_: dict[str, object]) -> None:
        return None

    async with Worker(
        case.client,
        task_queue=case.queue,
        workflows=WORKFLOWS,
        activities=[poll, sync, ensure, stop],
        workflow_runner=sandboxed(),
    ):
        yield
