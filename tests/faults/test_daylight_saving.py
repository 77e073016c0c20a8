"""F21: rules on the days when clocks change, as Temporal runs them and EvaluateRule judges them. Each day, once.

The Schedule is made by our adapter on a real server, which is then asked for its times; nothing is waited for.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from support.temporal import Case, a_case
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest

from xnovu.adapters.schedules import Schedules
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.rules import (
    CatchUpPolicy,
    NotificationTemplate,
    Occurrence,
    ResourceRule,
    RuleExecutionInput,
    RuleSchedule,
    Verdict,
)
from xnovu.core.gaps import runs_after_gaps
from xnovu.core.occurrences import evaluate, notification_of
from xnovu.core.schedules import FoundSchedule, Owner, Timing, WantedSchedule

pytestmark = pytest.mark.stack

Times = Callable[[Timing, str, str], Awaitable[list[datetime]]]
Record = Callable[[str, object], None]


@pytest.fixture
async def case(temporal_address: str) -> Case:
    return await a_case(temporal_address)


def wanted(timing: Timing, *, paused: bool = True) -> WantedSchedule:
    uid = str(uuid4())
    rule = RuleExecutionInput(enterprise=EnterpriseRef(id=uid), rule_key=f"nrule:{uid}")
    return WantedSchedule(
        id=f"clocks-{uid}",
        owner=Owner(cluster="", uid=uid),
        timing=timing,
        action=rule,
        catch_up_window=timedelta(minutes=10),
        paused=paused,
    )


@pytest.fixture
async def times(case: Case) -> AsyncIterator[Times]:
    """The times between two others at which Temporal would run a Schedule, by Temporal itself."""
    schedules, made = Schedules(case.client, case.queue), list[str]()

    async def between(timing: Timing, start: str, end: str) -> list[datetime]:
        one = wanted(timing)
        await schedules.create(one)
        made.append(one.id)
        stamps = [Timestamp(), Timestamp()]
        for stamp, text in zip(stamps, (start, end), strict=True):
            stamp.FromDatetime(datetime.fromisoformat(text).astimezone(UTC))
        answer = await case.client.workflow_service.list_schedule_matching_times(
            ListScheduleMatchingTimesRequest(
                namespace=case.client.namespace,
                schedule_id=one.id,
                start_time=stamps[0],
                end_time=stamps[1],
            )
        )
        return [stamp.ToDatetime(UTC) for stamp in answer.start_time]

    yield between
    for schedule_id in made:
        await schedules.delete(schedule_id)


def occurrences(
    cron: str,
    zone: str,
    found: Sequence[datetime],
    catch_up: CatchUpPolicy = CatchUpPolicy.LATEST,
    window: timedelta = timedelta(minutes=10),
) -> list[Occurrence]:
    rule = RuleExecutionInput(
        enterprise=EnterpriseRef(id="e"),
        rule_key="nrule:u",
        time_zone=zone,
        resource=ResourceRule(
            namespace="n", name="r", uid="u", notification=NotificationTemplate(workflow="w")
        ),
        schedule=RuleSchedule(cron=cron),
        catch_up=catch_up,
        catch_up_window=window,
    )
    return [Occurrence(rule=rule, nominal=at) for at in found]


def notified(cron: str, zone: str, found: Sequence[datetime]) -> list[str]:
    """Local times of the notifications that these runs make, each on its time; one a dedupe key."""
    made = [
        notification_of(one).dedupe_key
        for one in occurrences(cron, zone, found)
        if evaluate(one, one.nominal, rule_active=True).verdict is Verdict.CREATE
    ]
    times = [datetime.fromisoformat(key.partition("@")[2]) for key in dict.fromkeys(made)]
    return [at.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M") for at in times]


@pytest.mark.parametrize(
    ("zone", "cron", "start", "local"),
    [
        # Gap: the hour after 02:00 does not exist on the 28th.
        (
            "Europe/Berlin",
            "30 2 * * *",
            "2027-03-27",
            ["03-27 02:30", "03-28 03:00", "03-29 02:30"],
        ),
        # Overlap: 02:30 comes twice on the 31st.
        (
            "Europe/Berlin",
            "30 2 * * *",
            "2027-10-30",
            ["10-30 02:30", "10-31 02:30", "11-01 02:30"],
        ),
        # An hour before: Temporal repeats it at 02:30, which nobody asked for.
        (
            "Europe/Berlin",
            "30 1 * * *",
            "2027-10-30",
            ["10-30 01:30", "10-31 01:30", "11-01 01:30"],
        ),
        (
            "America/New_York",
            "30 1 * * *",
            "2027-11-06",
            ["11-06 01:30", "11-07 01:30", "11-08 01:30"],
        ),
        # Half an hour only: 02:00 to 02:30 does not exist, 01:30 to 02:00 comes twice.
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2027-10-02",
            ["10-02 02:15", "10-03 02:30", "10-04 02:15"],
        ),
        (
            "Australia/Lord_Howe",
            "45 1 * * *",
            "2027-04-03",
            ["04-03 01:45", "04-04 01:45", "04-05 01:45"],
        ),
        # Around Ramadan: back before it, forward after it.
        (
            "Africa/Casablanca",
            "30 2 * * *",
            "2027-02-06",
            ["02-06 02:30", "02-07 02:30", "02-08 02:30"],
        ),
        (
            "Africa/Casablanca",
            "30 2 * * *",
            "2027-03-13",
            ["03-13 02:30", "03-14 03:00", "03-15 02:30"],
        ),
        (
            "Asia/Kuala_Lumpur",
            "30 2 * * *",
            "2027-03-27",
            ["03-27 02:30", "03-28 02:30", "03-29 02:30"],
        ),
        ("Asia/Kuala_Lumpur", "0 9 29 2 *", "2028-02-28", ["02-29 09:00"]),
        ("Asia/Kuala_Lumpur", "0 9 29 2 *", "2027-02-27", []),
    ],
)
async def test_every_day_has_its_run_once(
    times: Times, zone: str, cron: str, start: str, local: list[str], record_property: Record
) -> None:
    begin = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
    end = begin + timedelta(days=3) - timedelta(minutes=1)
    timing = Timing(time_zone=zone, cron=cron, after_gaps=runs_after_gaps(cron, zone))
    found = await times(timing, begin.isoformat(), end.isoformat())
    ran = notified(cron, zone, found)
    record_property("lost", len(set(local) - set(ran)))
    record_property("duplicated", len(ran) - len(set(ran)))
    assert ran == local


async def test_a_gap_that_is_to_be_skipped_is_skipped(times: Times) -> None:
    timing = Timing(time_zone="Europe/Berlin", cron="30 2 * * *")
    assert await times(timing, "2027-03-28T00:00:00+01:00", "2027-03-29T00:00:00+02:00") == []


@pytest.mark.parametrize(
    ("catch_up", "reasons"),
    [
        (CatchUpPolicy.LATEST, {"TooLate": 9, "Superseded": 2, None: 1}),
        (CatchUpPolicy.ALL, {"TooLate": 9, None: 3}),
        (CatchUpPolicy.SKIP, {"TooLate": 11, None: 1}),
    ],
)
async def test_after_two_hours_away_the_window_decides(
    times: Times,
    catch_up: CatchUpPolicy,
    reasons: dict[str | None, int],
    record_property: Record,
) -> None:
    """A run every ten minutes, a window of half an hour; what is older is skipped, and its run says so."""
    now = datetime.fromisoformat("2027-06-01T12:00:30+00:00")
    timing = Timing(time_zone="UTC", cron="*/10 * * * *")
    found = await times(timing, "2027-06-01T10:00:00+00:00", "2027-06-01T12:00:00+00:00")
    missed = occurrences("*/10 * * * *", "UTC", found, catch_up, timedelta(minutes=30))
    answers = [evaluate(one, now, rule_active=True).reason for one in missed]
    record_property("created", answers.count(None))
    assert Counter(answers) == reasons
    assert (found[-1].isoformat(), answers[-1]) == ("2027-06-01T12:00:00+00:00", None)


async def test_a_single_time_that_is_past_never_runs(case: Case) -> None:
    """And its Schedule says that nothing is to come, which is what the rule's status shows."""
    schedules = Schedules(case.client, case.queue)
    one = wanted(Timing(time_zone="UTC", at=datetime(2026, 1, 1, tzinfo=UTC)), paused=False)
    await schedules.create(one)
    found: FoundSchedule | None = await schedules.find(one.id)
    await schedules.delete(one.id)
    assert found is not None
    assert (found.next_runs, found.last_workflow_id, found.missed) == ((), None, 0)
