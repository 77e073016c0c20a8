"""A notification that is withdrawn: before, between and after the sends, and when Novu will not undo it."""

import pytest
from fakes.novu import lost_answer
from support.temporal import Case

from xnovu.core import ids
from xnovu.core.contracts.notifications import Channel, NotificationStatus
from xnovu.core.errors import DatabaseUnavailable, NovuRejected
from xnovu.core.records import TriggerRequest

pytestmark = pytest.mark.stack

RETRACTED = NotificationStatus.RETRACTED


async def test_before_it_was_ever_claimed_nothing_happens(case: Case) -> None:
    row = case.database.add(1, status=RETRACTED)
    async with case.worker():
        result = await case.deliver(row)
    assert (result.reason, row.settled, case.novu.requests) == ("Done", None, [])


async def test_after_it_was_sent_its_messages_are_taken_back(case: Case) -> None:
    row = case.database.add(1, channels=(Channel.EMAIL, Channel.IN_APP))
    async with case.worker():
        await case.deliver(row)
        row.move(RETRACTED)
        result = await case.deliver(row)
    first = ids.transaction_id(case.enterprise.id, 1, 0, 0)
    assert (result.status, row.status) == (RETRACTED, RETRACTED)
    assert (case.novu.cancelled, case.novu.deleted) == ([first], [first])
    assert row.settled == {"cancelled": False, "inAppDeleted": True, "cannotBeUndone": ["EMAIL"]}


async def test_while_it_is_being_sent(case: Case) -> None:
    row = case.database.add(1)

    def withdraw(_: TriggerRequest) -> None:
        row.move(RETRACTED)

    case.novu.before_trigger = withdraw
    async with case.worker():
        result = await case.deliver(row)
    assert (result.status, row.status) == (RETRACTED, RETRACTED)
    assert row.settled is not None
    assert len(case.novu.deleted) == 1


async def test_between_two_tries_nothing_more_is_sent(case: Case) -> None:
    row = case.database.add(1)
    case.novu.script = [lost_answer(accepted=False)]

    def withdraw(_: TriggerRequest) -> None:
        row.move(RETRACTED)

    case.novu.before_trigger = withdraw
    async with case.worker():
        result = await case.deliver(row)
    assert result.status is RETRACTED
    assert len(case.novu.requests) == 1
    assert row.settled is not None


async def test_one_that_novu_will_not_undo_is_settled_all_the_same(case: Case) -> None:
    row = case.database.add(1)
    async with case.worker():
        await case.deliver(row)
        row.move(RETRACTED)
        case.novu.read_faults = [NovuRejected("Novu answered 400 to DELETE")]
        result = await case.deliver(row)
    assert result.status is RETRACTED
    assert row.settled is not None
    assert row.settled["refused"] == "NovuRejected"


async def test_undoing_goes_on_when_the_database_is_back(case: Case) -> None:
    row = case.database.add(1)
    async with case.worker():
        await case.deliver(row)
        row.move(RETRACTED)
        case.database.faults["settle_retraction"] += [DatabaseUnavailable("away")] * 2
        result = await case.deliver(row)
    assert result.status is RETRACTED
    assert row.settled is not None
