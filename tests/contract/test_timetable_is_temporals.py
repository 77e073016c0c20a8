"""Our reading of schedules against the real server: the same expressions refused, the same times worked out."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import uuid4

import pytest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.service import RPCError, RPCStatusCode

from xnovu.core import clock, cron
from xnovu.core.contracts.rules import RuleSchedule
from xnovu.core.errors import ScheduleInvalid
from xnovu.core.timetable import next_occurrences

pytestmark = pytest.mark.stack

NEW_YORK = "America/New_York"


@pytest.fixture
async def client(temporal_address: str) -> Client:
    return await Client.connect(temporal_address)


async def created(client: Client, spec: ScheduleSpec) -> ScheduleHandle:
    action = ScheduleActionStartWorkflow("Nothing", id="nothing", task_queue="nobody")
    state = ScheduleState(paused=True)
    return await client.create_schedule(
        f"timetable-{uuid4()}", Schedule(action=action, spec=spec, state=state)
    )


@pytest.fixture
async def temporals(client: Client) -> AsyncIterator[object]:
    made: list[ScheduleHandle] = []

    async def times(spec: ScheduleSpec) -> list[datetime]:
        made.append(await created(client, spec))
        return list((await made[-1].describe()).info.next_action_times)

    yield times
    for handle in made:
        await handle.delete()


@pytest.mark.parametrize("start", ["2027-03-12T00:00:00-05:00", "2027-11-05T00:00:00-04:00"])
@pytest.mark.parametrize(
    "text",
    [
        "30 1 * * *",
        "30 2 * * *",
        "30 * * * *",
        "0 */6 * * *",
        "59/20 1-2 * * *",
        "0 9 1 * MON",
        "0 0 * * 6-7",
        "15 3 29-31 * *",
        "0 0 * jan-Feb sun",
        "@weekly",
        "@hourly",
    ],
)
@pytest.mark.parametrize("zone", [NEW_YORK, "Europe/Berlin", "Asia/Kathmandu"])
async def test_cron_comes_at_the_same_times(temporals, text: str, start: str, zone: str) -> None:  # type: ignore[no-untyped-def]  # the fixture above
    after = datetime.fromisoformat(start)
    theirs = await temporals(
        ScheduleSpec(cron_expressions=[text], time_zone_name=zone, start_at=after)
    )
    schedule = RuleSchedule(cron=text, start_at=start, run_after_gap=False)
    ours = list(islice(next_occurrences(schedule, zone, after - timedelta(days=1)), len(theirs)))
    assert len(theirs) == 10
    # In UTC: Python holds a repeated wall time unequal to the same instant in another zone (PEP 495).
    assert [one.astimezone(UTC) for one in ours] == theirs


async def test_intervals_come_at_the_same_times(temporals) -> None:  # type: ignore[no-untyped-def]  # the fixture above
    interval = ScheduleIntervalSpec(every=timedelta(minutes=45), offset=timedelta(minutes=7))
    theirs = await temporals(ScheduleSpec(intervals=[interval]))
    schedule = RuleSchedule(every=interval.every, offset=interval.offset)
    assert (
        list(islice(next_occurrences(schedule, "UTC", theirs[0] - timedelta(seconds=1)), 10))
        == theirs
    )


@pytest.mark.parametrize(
    "text",
    [
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "* * * * fri-sun",
        "* * * * m",
        "*/0 * * * *",
        "1,,2 * * * *",
        "1-2-3 * * * *",
        "0 0 ? * *",
        "* * * *",
        "@reboot",
    ],
)
async def test_what_temporal_refuses_we_refuse(client: Client, text: str) -> None:
    with pytest.raises(RPCError) as caught:
        await created(client, ScheduleSpec(cron_expressions=[text]))
    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT
    with pytest.raises(ScheduleInvalid):
        cron.check_cron(text)


@pytest.mark.parametrize("zone", ["Mars/Base", "localtime", "Factory"])
async def test_a_zone_that_temporal_refuses_we_refuse(client: Client, zone: str) -> None:
    with pytest.raises(ScheduleInvalid):
        clock.check_time_zone(zone)
    if zone == "Mars/Base":
        with pytest.raises(RPCError) as caught:
            await created(client, ScheduleSpec(cron_expressions=["@daily"], time_zone_name=zone))
        assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT
