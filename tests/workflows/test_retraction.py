"""A notification that is withdrawn: before, between and after the sends, and when Novu will not undo it."""

import pytest
from fakes.novu import lost_answer
from support.temporal import Case

from xnovu.core import ids
from xnovu.core.contracts.notifications import Channel, NotificationStatus
from xnovu.core.errors import DatabaseUnavailable, NovuRejected, NovuUnavailable
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
    assert row.settled == {
        "channels": {"IN_APP": {"deleted": 1}},
        "recipients": {"ada": {"IN_APP": "deleted"}},
        "notSeen": [],
    }


async def test_while_it_is_being_sent(case: Case) -> None:
    row = case.database.add(1)

    def withdraw(_: TriggerRequest) -> None:
        row.move(RETRACTED)

    case.novu.before_trigger = withdraw
    async with case.worker():
        result = await case.deliver(row)
    assert (result.status, row.status) == (RETRACTED, RETRACTED)
    assert row.settled is not None
    assert row.settled["recipients"] == {"ada": {"IN_APP": "deleted"}}


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


@pytest.mark.parametrize("chunks", [3, 7], ids=["in the quick try", "step by step"])
async def test_between_two_chunks_the_rest_is_not_sent(case: Case, chunks: int) -> None:
    people = tuple(f"u{i:03}" for i in range(chunks * 100))
    row = case.database.add(1, recipients=people)

    def withdraw(request: TriggerRequest) -> None:
        if request.transaction_id.endswith("-c1"):
            row.move(RETRACTED)

    case.novu.before_trigger = withdraw
    async with case.worker():
        result = await case.deliver(row)
    assert (result.status, len(case.novu.requests)) == (RETRACTED, 2)
    assert row.settled is not None
    assert row.settled["channels"] == {"IN_APP": {"deleted": 200}}
    assert row.settled["notSeen"] == [*people[200:]]


async def test_while_the_send_is_unclear_the_truth_is_waited_for_and_undone(case: Case) -> None:
    """Novu has it, and shows it only a moment later: what settled at once would leave the message there."""
    row = case.database.add(1)
    case.novu.script = [lost_answer(accepted=True)]
    case.novu.late_by_looks = 2

    def withdraw(_: TriggerRequest) -> None:
        row.move(RETRACTED)

    case.novu.before_trigger = withdraw
    async with case.worker():
        result = await case.deliver(row)
    assert (result.status, len(case.novu.requests)) == (RETRACTED, 1)
    assert row.settled is not None
    assert row.settled["recipients"] == {"ada": {"IN_APP": "deleted"}}


async def test_a_novu_that_is_away_is_asked_again(case: Case) -> None:
    row = case.database.add(1)
    async with case.worker():
        await case.deliver(row)
        row.move(RETRACTED)
        case.novu.read_faults = [NovuUnavailable("away")]
        await case.deliver(row)
    assert row.settled is not None
    assert row.settled["channels"] == {"IN_APP": {"deleted": 1}}
