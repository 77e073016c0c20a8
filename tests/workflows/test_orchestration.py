"""The monitors of an enterprise: started, told, stopped, drained, by the orchestration alone, against a real Temporal."""

import asyncio
from datetime import timedelta

import pytest
from fakes.novu import lost_answer
from support.orchestration import (
    ALL,
    a_config,
    apply,
    orchestration,
    run_exactly,
    stop,
)
from support.temporal import Case, eventually
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from xnovu.core.contracts.common import Mode
from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.contracts.orchestration import Monitor, RealtimeConfig, ScheduledConfig
from xnovu_activities.monitors import monitor_id

pytestmark = pytest.mark.stack


async def test_all_monitors_are_started_and_one_delivers(case: Case) -> None:
    row = case.database.add(1)
    async with case.worker():
        status = await apply(case, a_config(case))
        assert (status.config_generation, status.monitors) == (1, ALL)
        await run_exactly(case, ALL)

        async def sent() -> bool:
            return row.status is NotificationStatus.SENT

        await eventually(sent, "the row is delivered")
        await stop(case)
    assert case.novu.people == ["ada"]


async def test_a_lower_generation_is_refused_and_the_same_changes_nothing(case: Case) -> None:
    async with case.worker():
        await apply(case, a_config(case, 5))
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await apply(case, a_config(case, 4))
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.type == "Outdated"
        again = await apply(case, a_config(case, 5, suspend=True))
        assert (again.config_generation, again.monitors) == (5, ALL)
        await stop(case)


async def test_a_monitor_that_is_switched_off_is_stopped_and_started_again(case: Case) -> None:
    async with case.worker():
        await apply(case, a_config(case, 1))
        await run_exactly(case, ALL)
        await apply(case, a_config(case, 2, scheduled=ScheduledConfig(mode=Mode.OFF)))
        await run_exactly(case, [Monitor.REALTIME, Monitor.CRON])
        await apply(case, a_config(case, 3))
        await run_exactly(case, ALL)
        await stop(case)


async def test_suspending_stops_all_and_resuming_starts_them(case: Case) -> None:
    async with case.worker():
        await apply(case, a_config(case, 1))
        await run_exactly(case, ALL)
        assert (await apply(case, a_config(case, 2, suspend=True))).monitors == ()
        await run_exactly(case, [])
        case.database.add(1)
        await apply(case, a_config(case, 3))
        await run_exactly(case, ALL)
        await stop(case)


async def test_a_new_generation_reaches_a_running_monitor(case: Case) -> None:
    """At 60 s between polls the row would wait for longer than the test does."""
    slow = RealtimeConfig(poll_interval=timedelta(seconds=60))
    async with case.worker():
        await apply(case, a_config(case, 1, realtime=slow))
        await run_exactly(case, ALL)

        async def polled() -> bool:
            return "poll" in case.database.calls

        await eventually(polled, "the first poll")
        row = case.database.add(1)
        await apply(case, a_config(case, 2))

        async def sent() -> bool:
            return row.status is NotificationStatus.SENT

        await eventually(sent, "the row is delivered", 15)
        await stop(case)


async def test_a_monitor_that_somebody_terminated_is_started_again(case: Case) -> None:
    async with case.worker():
        await apply(case, a_config(case))
        await run_exactly(case, ALL)
        handle = case.client.get_workflow_handle(monitor_id(Monitor.CRON, case.enterprise.id))
        await handle.terminate()
        await run_exactly(case, ALL, 25)
        await stop(case)


async def test_shutdown_waits_for_what_is_under_way_and_ends_everything(case: Case) -> None:
    row = case.database.add(1)
    case.novu.hold = asyncio.Event()
    async with case.worker():
        await apply(case, a_config(case))

        async def claimed() -> bool:
            return row.status is NotificationStatus.PROCESSING

        await eventually(claimed, "the row is being sent")
        ending = asyncio.create_task(stop(case, 30))
        await run_exactly(case, [])
        assert not ending.done()
        case.novu.hold.set()
        async with asyncio.timeout(20):
            await ending
            await orchestration(case).result()
        assert row.status is NotificationStatus.SENT
        await run_exactly(case, [])


async def test_shutdown_does_not_wait_longer_than_the_drain(case: Case) -> None:
    row = case.database.add(1, status=NotificationStatus.PROCESSING)
    row.owner = "somebody-else"
    async with case.worker():
        await apply(case, a_config(case))
        async with asyncio.timeout(20):
            await stop(case, 0.5)
            await orchestration(case).result()
        await run_exactly(case, [])


async def test_a_shutdown_asked_for_twice_ends_once(case: Case) -> None:
    async with case.worker():
        await apply(case, a_config(case))
        async with asyncio.timeout(30):
            await asyncio.gather(stop(case), stop(case))
            await orchestration(case).result()


async def test_an_unclear_send_found_by_a_monitor_is_not_started_twice(case: Case) -> None:
    case.novu.script = [lost_answer(accepted=True)]
    row = case.database.add(1)
    async with case.worker():
        await apply(case, a_config(case))

        async def sent() -> bool:
            return row.status is NotificationStatus.SENT

        await eventually(sent, "the row is delivered")
        await stop(case)
    assert len(case.novu.requests) == 1
