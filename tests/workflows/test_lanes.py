"""Which way a due row goes: its own workflow, or a batch when much is due; and what both do with rates and limits."""

from datetime import timedelta

import pytest
from fakes.novu import Fault, lost_answer
from support.orchestration import a_config, apply, stop
from support.temporal import FAST, Case, eventually
from temporalio import activity
from temporalio.common import Priority
from temporalio.service import RPCError

from xnovu.core import errors, ids
from xnovu.core.contracts.notifications import NotificationRef, NotificationStatus, ProcessingInput
from xnovu.core.records import TriggerRequest
from xnovu_activities.monitors import Starter

pytestmark = pytest.mark.stack
SENT = NotificationStatus.SENT


async def workflows(case: Case) -> list[int]:
    """Rows that had a workflow of their own."""
    found = []
    for number in case.database.rows:
        try:
            await case.status_of(ids.notification_workflow_id(case.enterprise.id, number))
        except RPCError:
            continue
        found.append(number)
    return found


def all_sent(case: Case) -> bool:
    return all(row.status is SENT for row in case.database.rows.values())


async def until_sent(case: Case) -> None:
    async def are() -> bool:
        return all_sent(case)

    await eventually(are, "all are sent")


async def test_a_few_rows_have_a_workflow_each_and_many_have_none(case: Case) -> None:
    for number in range(1, 4):
        case.database.add(number, recipients=(f"p{number}",))
    async with case.worker():
        await apply(case, a_config(case))
        await until_sent(case)
        assert await workflows(case) == [1, 2, 3]
        for number in range(4, 64):
            case.database.add(number, recipients=(f"p{number}",))
        await until_sent(case)
        assert await workflows(case) == [1, 2, 3]
        await stop(case)
    assert sorted(case.novu.people) == sorted(f"p{number}" for number in range(1, 64))


async def test_what_a_batch_cannot_plainly_do_is_done_by_its_own_workflow(case: Case) -> None:
    for number in range(1, 41):
        case.database.add(number, recipients=(f"p{number}",))
    throttled = errors.NovuThrottled("429", retry_after=timedelta(seconds=30))
    case.novu.script = [lost_answer(accepted=True), lost_answer(accepted=False), Fault(throttled)]
    async with case.worker():
        await apply(case, a_config(case))

        async def most_are() -> bool:
            return sum(row.status is SENT for row in case.database.rows.values()) >= 40

        await eventually(most_are, "all are sent")
        assert len(await workflows(case)) == 3
        await stop(case)
    assert sorted(case.novu.people) == sorted(f"p{number}" for number in range(1, 41))


async def test_a_rate_lets_through_what_it_allows_and_the_rest_waits_as_pending(
    case: Case,
) -> None:
    for number in range(1, 101):
        case.database.add(number, recipients=(f"p{number}",))
    case.database.tokens = 30
    paced = FAST.model_copy(update={"rate_per_second": 10.0})
    async with case.worker():
        await apply(case, a_config(case, delivery=paced))

        async def some() -> bool:
            return len(case.novu.people) == 30

        await eventually(some, "what the rate allows is sent")
        polls = case.database.calls.count("take_pace")

        async def looked_again() -> bool:
            return case.database.calls.count("take_pace") >= polls + 3

        await eventually(looked_again, "it looks again")
        waiting = [r for r in case.database.rows.values() if r.status is not SENT]
        assert {row.status for row in waiting} == {NotificationStatus.PENDING}
        assert len(waiting) == 70
        case.database.tokens = 1000
        await until_sent(case)
        await stop(case)


async def test_novus_limit_without_room_leaves_the_rows_where_they_are(case: Case) -> None:
    for number in range(1, 6):
        case.database.add(number, recipients=(f"p{number}",))
    case.novu.room = 0
    async with case.worker():
        await apply(case, a_config(case))

        async def polled() -> bool:
            return case.database.calls.count("poll") >= 3

        await eventually(polled, "it polls")
        assert case.novu.requests == []
        assert "claim" not in case.database.calls
        case.novu.room = 2
        await until_sent(case)
        await stop(case)


async def test_priority_and_fairness_key_reach_the_activities_of_a_delivery(case: Case) -> None:
    row = case.database.add(1)
    seen: list[Priority] = []

    def note(request: TriggerRequest) -> None:
        if not activity.info().is_local:
            seen.append(activity.info().priority)

    case.novu.before_trigger = note
    case.novu.script = [Fault(errors.NovuThrottled("429", retry_after=timedelta(seconds=0)))]
    async with case.worker():
        ref = NotificationRef(enterprise=case.enterprise, notification_id=1)
        starter = Starter(case.client, case.queue)
        await starter.start(ProcessingInput(ref=ref, delivery=FAST), priority=1)
        await until_sent(case)
    assert row.status is SENT
    assert seen == [Priority(priority_key=1, fairness_key=case.enterprise.id)]


async def test_a_rules_row_starts_when_its_rate_allows_it(case: Case) -> None:
    case.database.add(1)
    ref = NotificationRef(enterprise=case.enterprise, notification_id=1)
    starter = Starter(case.client, case.queue)
    async with case.worker():
        await starter.start(
            ProcessingInput(ref=ref, delivery=FAST), delay=timedelta(milliseconds=700)
        )
        handle = case.client.get_workflow_handle(
            ids.notification_workflow_id(case.enterprise.id, 1)
        )
        await until_sent(case)
        history = await handle.fetch_history()
    first = history.events[0].workflow_execution_started_event_attributes
    assert first.first_workflow_task_backoff.ToTimedelta() == timedelta(milliseconds=700)
