"""Rules: the Schedules of the database's rules by difference, and one notification for one occurrence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.orchestration import apply, stop
from support.temporal import FAST, Case, eventually
from temporalio.testing import ActivityEnvironment

from xnovu.adapters.schedules import Schedules
from xnovu.core import ids
from xnovu.core.contracts.common import Mode
from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.contracts.orchestration import CronConfig, EnterpriseConfig
from xnovu.core.contracts.rules import (
    NotificationTemplate,
    Occurrence,
    ResourceRule,
    RuleExecutionInput,
    Verdict,
)
from xnovu.core.errors import DatabaseUnavailable
from xnovu.core.records import Rule
from xnovu.core.schedules import FoundSchedule
from xnovu_activities.monitors import Starter
from xnovu_activities.rules import RuleActivities

pytestmark = pytest.mark.stack

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def a_rule(case: Case, number: int, **changes: Any) -> Rule:
    plain = Rule(
        id=number,
        enterprise_id=case.enterprise.id,
        name=f"rule {number}",
        trigger_type="CRON",
        trigger_config={"cron": "0 9 * * *", "timezone": "Europe/Berlin"},
        rule_payload={"recipients": ["ada"], "payload": {"n": number}},
        workflow_id=1,
        active=True,
        updated_at=NOON,
    )
    rule = replace(plain, **changes)
    case.database.rule_rows[number] = rule
    return rule


@pytest.fixture
def activities(case: Case) -> RuleActivities:
    return RuleActivities(
        case.tenants,
        Schedules(case.client, case.queue),
        Starter(case.client, case.queue),
        case.measures,
    )


def a_config(case: Case, mode: Mode = Mode.ACTIVE) -> EnterpriseConfig:
    return EnterpriseConfig(
        generation=1, enterprise=case.enterprise, cron=CronConfig(mode=mode), delivery=FAST
    )


async def found(case: Case, number: int) -> FoundSchedule | None:
    schedules = Schedules(case.client, case.queue)
    return await schedules.find(ids.database_schedule_id(case.enterprise.id, number))


async def listed(case: Case, count: int) -> None:
    schedules = Schedules(case.client, case.queue)

    async def all_there() -> bool:
        return len(await schedules.list(case.enterprise.id)) == count

    await eventually(all_there, f"{count} schedules are listed")


async def clean(case: Case) -> None:
    schedules = Schedules(case.client, case.queue)
    for number in case.database.rule_rows:
        await schedules.delete(ids.database_schedule_id(case.enterprise.id, number))


async def test_schedules_follow_the_rules_by_difference(
    case: Case, activities: RuleActivities
) -> None:
    a_rule(case, 1)
    a_rule(case, 2, trigger_config={"cron": "*/5 * * * *"})
    a_rule(case, 3, active=False)
    assert await activities._sync_once(a_config(case)) == (3, None)
    await listed(case, 3)
    assert await activities._sync_once(a_config(case)) == (0, None)
    three = await found(case, 3)
    assert three is not None
    assert three.paused

    before = await found(case, 2)
    a_rule(case, 2, trigger_config={"cron": "*/7 * * * *"})
    a_rule(case, 3)
    del case.database.rule_rows[1]
    assert await activities._sync_once(a_config(case)) == (3, None)
    after = await found(case, 2)
    assert before is not None
    assert after is not None
    assert before.next_runs != after.next_runs or before.digest != after.digest
    assert await found(case, 1) is None
    again = await found(case, 3)
    assert again is not None
    assert not again.paused
    await clean(case)


async def test_a_rule_that_cannot_be_one_costs_only_itself(
    case: Case, activities: RuleActivities
) -> None:
    a_rule(case, 1, trigger_config={"cron": "61 * * * *"})
    a_rule(case, 2, trigger_config={"cron": "0 9 * * *", "timezone": "Mars/Olympus"})
    a_rule(case, 3, trigger_config={})
    a_rule(case, 4, trigger_type="SCHEDULED", trigger_config={"schedule_time": "tomorrow"})
    a_rule(case, 5)
    written, wrong = await activities._sync_once(a_config(case))
    assert written == 1
    assert wrong is not None
    assert wrong.reason == "ScheduleInvalid"
    assert "rule 4" in wrong.message
    assert await found(case, 5) is not None
    await clean(case)


async def test_shadow_writes_no_schedule(case: Case, activities: RuleActivities) -> None:
    a_rule(case, 1)
    assert (await activities._sync_once(a_config(case, Mode.SHADOW)))[0] == 0
    assert await found(case, 1) is None


async def test_creating_twice_creates_once(case: Case, activities: RuleActivities) -> None:
    given = RuleExecutionInput(
        enterprise=case.enterprise, rule_key=ids.database_rule_key(7), database_rule_id=7
    )
    a_rule(case, 7)
    occurrence = Occurrence(rule=given, nominal=NOON)
    environment = ActivityEnvironment()
    first = await environment.run(activities.create_notification, occurrence)
    second = await environment.run(activities.create_notification, occurrence)
    later = Occurrence(rule=given, nominal=NOON + timedelta(hours=1))
    third = await environment.run(activities.create_notification, later)
    assert (first.created, second.created, third.created) == (True, False, True)
    assert first.notification_id == second.notification_id != third.notification_id


async def execute(case: Case, given: RuleExecutionInput, name: str) -> object:
    return await case.client.execute_workflow(
        "RuleExecutionWorkflow",
        given,
        id=f"{name}-{case.enterprise.id}",
        task_queue=case.queue,
        result_type=dict,
        execution_timeout=timedelta(seconds=40),
    )


async def test_an_execution_creates_and_hands_over(case: Case) -> None:
    given = RuleExecutionInput(
        enterprise=case.enterprise,
        rule_key=ids.resource_rule_key("an-uid"),
        resource=ResourceRule(
            namespace="acme",
            name="daily",
            uid="an-uid",
            notification=NotificationTemplate(workflow="welcome", recipients=("ada",)),
        ),
        delivery=FAST,
    )
    case.database.after["create"] += [DatabaseUnavailable("the answer was lost")]
    async with case.worker():
        answer = await execute(case, given, "rule")
        assert isinstance(answer, dict)
        assert answer["verdict"] == Verdict.CREATE.value

        async def sent() -> bool:
            return [r.status for r in case.database.rows.values()] == [NotificationStatus.SENT]

        await eventually(sent, "one notification, and it is sent")
    assert case.novu.people == ["ada"]


async def test_an_inactive_rule_creates_nothing(case: Case) -> None:
    a_rule(case, 7, active=False)
    given = RuleExecutionInput(
        enterprise=case.enterprise, rule_key=ids.database_rule_key(7), database_rule_id=7
    )
    async with case.worker():
        answer = await execute(case, given, "rule")
    assert isinstance(answer, dict)
    assert (answer["verdict"], answer["reason"]) == (Verdict.SKIP.value, "Inactive")
    assert case.database.rows == {}


async def test_the_cron_monitor_synchronises_and_shutdown_removes(case: Case) -> None:
    a_rule(case, 1)
    async with case.worker():
        await apply(case, a_config(case))

        async def there() -> bool:
            return await found(case, 1) is not None

        await eventually(there, "the rule has its Schedule")
        await listed(case, 1)
        await stop(case)
    assert await found(case, 1) is None


async def test_a_suspended_enterprise_pauses_the_rules_of_its_database(case: Case) -> None:
    a_rule(case, 1)

    async def is_paused() -> bool | None:
        schedule = await found(case, 1)
        return schedule.paused if schedule else None

    async def runs() -> bool:
        return await is_paused() is False

    async def rests() -> bool:
        return await is_paused() is True

    async with case.worker():
        await apply(case, a_config(case))
        await eventually(runs, "the rule has its Schedule")
        await listed(case, 1)
        resting = a_config(case).model_copy(update={"generation": 2, "suspend": True})
        await apply(case, resting)
        await eventually(rests, "the Schedule is paused", 45)
        await apply(case, resting.model_copy(update={"generation": 3, "suspend": False}))
        await eventually(runs, "the Schedule runs again", 45)
        await stop(case)
    await clean(case)
