"""A delivery that nothing disturbs: what is sent, what is written, and what it costs Temporal."""

import pytest
from support.temporal import Case

from xnovu.core import ids
from xnovu.core.contracts.notifications import Next, NotificationStatus

pytestmark = pytest.mark.stack

SENT = NotificationStatus.SENT


async def test_it_is_sent_once_and_recorded(case: Case) -> None:
    row = case.database.add(1, recipients=("bob", "ada"))
    async with case.worker():
        result = await case.deliver(row)
    first = ids.transaction_id(case.enterprise.id, 1, 0, 0)
    assert (result.next, result.status, result.accepted) == (Next.FINISHED, SENT, 1)
    assert case.novu.delivered == [(first, "ada"), (first, "bob")]
    assert (row.status, row.transaction_id) == (SENT, first)


async def test_it_costs_six_events_and_three_transitions(case: Case) -> None:
    row = case.database.add(1)
    async with case.worker():
        handle = await case.start(row)
        await handle.result()
        found = await handle.describe()
    assert found.history_length <= 6
    assert found.raw_description.workflow_execution_info.state_transition_count <= 3


async def test_the_history_holds_neither_payload_nor_recipient(case: Case) -> None:
    row = case.database.add(1, recipients=("somebody-secret",), payload={"k": "very-private"})
    async with case.worker():
        handle = await case.start(row)
        await handle.result()
        text = str(await handle.fetch_history())
    assert "somebody-secret" not in text
    assert "very-private" not in text


async def test_one_that_is_done_is_left_alone(case: Case) -> None:
    row = case.database.add(1, status=SENT)
    async with case.worker():
        result = await case.deliver(row)
    assert (result.next, result.status, result.reason) == (Next.FINISHED, None, "Done")
    assert case.novu.requests == []


async def test_one_of_another_owner_is_left_alone(case: Case) -> None:
    row = case.database.add(1, status=NotificationStatus.PROCESSING)
    row.owner = "another-namespace/notification-1"
    async with case.worker():
        result = await case.deliver(row)
    assert (result.reason, case.novu.requests) == ("Foreign", [])


async def test_shadow_records_and_sends_nothing(case: Case) -> None:
    row = case.database.add(1)
    async with case.worker():
        result = await case.deliver(row, shadow=True)
    assert (result.reason, row.status) == ("Shadow", NotificationStatus.PENDING)
    assert row.shadow is not None
    assert row.shadow["workflowKey"] == "welcome"
    assert case.novu.requests == []


async def test_shadow_survives_a_database_that_is_away(case: Case) -> None:
    from xnovu.core.errors import DatabaseUnavailable

    row = case.database.add(1)
    case.database.faults["fetch"] += [DatabaseUnavailable("away")]
    async with case.worker():
        result = await case.deliver(row, shadow=True)
    assert result.next is Next.DEFERRED or row.shadow is not None
