"""A notification of several chunks of which some are refused: the others arrive, and a replay sends the rest only."""

import pytest
from fakes.database import Row
from fakes.novu import Fault, lost_answer
from support.temporal import Case, eventually

from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.errors import NovuRejected, NovuThrottled, NovuUnavailable, WorkflowNotFound

pytestmark = pytest.mark.stack

SENT, FAILED = NotificationStatus.SENT, NotificationStatus.FAILED
PEOPLE = tuple(f"u{i:03}" for i in range(300))
REFUSED = Fault(NovuRejected("Novu refused the trigger: 400"))


def chunk(row: Row, index: int) -> dict[str, object]:
    assert row.error_details is not None
    found = row.error_details["chunks"]
    assert isinstance(found, list)
    return dict(found[index])  # type: ignore[arg-type]  # JSON


async def test_a_refused_chunk_stops_no_other_and_a_replay_sends_only_that(case: Case) -> None:
    # The quick try meets the refusal first, and then the chunk's own send does.
    case.novu.script = [None, REFUSED, REFUSED, None]
    row = case.database.add(1, recipients=PEOPLE)
    async with case.worker():
        result = await case.deliver(row)
        assert (result.status, result.reason, row.status) == (FAILED, "NovuRejected", FAILED)
        assert sorted(case.novu.people) == [*PEOPLE[:100], *PEOPLE[200:]]
        assert row.error_details is not None
        assert "200 of 300 recipients were reached" in str(row.error_details["message"])
        assert chunk(row, 1)["reason"] == "NovuRejected"
        assert chunk(row, 1)["notReached"] == [*PEOPLE[100:200]]
        assert chunk(row, 2)["reached"] == [*PEOPLE[200:]]
        row.replay()
        assert (await case.deliver(row)).status is SENT
    assert sorted(case.novu.people) == [*PEOPLE]
    assert case.novu.requests[-1].recipients == PEOPLE[100:200]


async def test_a_second_replay_still_knows_what_the_first_generation_reached(case: Case) -> None:
    row = case.database.add(1, recipients=PEOPLE)
    case.novu.script = [None, REFUSED, REFUSED, REFUSED]
    async with case.worker():
        await case.deliver(row)
        row.replay()
        case.novu.script = [None, REFUSED, REFUSED]
        await case.deliver(row)
        assert row.status is FAILED
        row.replay()
        await case.deliver(row)
    assert row.status is SENT
    assert sorted(case.novu.people) == [*PEOPLE]


@pytest.mark.parametrize("error", [NovuThrottled("429"), NovuUnavailable("503")])
async def test_a_passing_failure_of_one_chunk_does_not_repeat_the_others(
    case: Case, error: NovuThrottled | NovuUnavailable
) -> None:
    case.novu.script = [None, Fault(error), Fault(error), None]
    row = case.database.add(1, recipients=PEOPLE)
    async with case.worker():
        assert (await case.deliver(row)).status is SENT
    assert sorted(case.novu.people) == [*PEOPLE]
    sent = [r.transaction_id.rpartition("-")[2] for r in case.novu.requests]
    assert sent == ["c0", "c1", "c1", "c1", "c2"]


async def test_a_reason_that_holds_for_all_is_not_asked_of_each(case: Case) -> None:
    unknown = Fault(WorkflowNotFound("Novu does not know the workflow"))
    case.novu.script = [None, *[unknown] * 5]
    row = case.database.add(1, recipients=tuple(f"u{i:03}" for i in range(700)))
    async with case.worker():
        assert (await case.deliver(row)).reason == "WorkflowNotFound"
    assert len(case.novu.requests) == 2
    assert chunk(row, 6)["outcome"] == "NotTried"


async def test_a_replay_of_what_was_unclear_asks_before_it_sends(case: Case) -> None:
    """Novu had taken it and showed it too late: FAILED was said in good faith, and the replay finds out."""
    case.novu.script = [lost_answer(accepted=True), *[lost_answer(accepted=False)] * 2]
    case.novu.late_by_looks = 100
    row = case.database.add(1)
    async with case.worker():
        await case.deliver(row)
        assert (row.status, row.notification.reached) == (FAILED, ())
        case.novu.late_by_looks = 0
        case.novu.requests.clear()
        row.replay()
        assert (await case.deliver(row)).status is SENT
    assert (case.novu.requests, case.novu.people) == ([], ["ada"])


async def test_a_dead_run_had_sent_to_the_missing_and_nobody_gets_it_twice(case: Case) -> None:
    """The round of the dead run is looked at, and its transaction id, which Novu would drop, is not used again."""
    case.novu.script = [
        lost_answer(accepted=True, only=("ada",)),
        lost_answer(accepted=True, only=("bob",)),
    ]
    row = case.database.add(1, recipients=("ada", "bob", "eve"))
    async with case.worker():
        handle = await case.start(row)

        async def twice() -> bool:
            return len(case.novu.requests) == 2

        await eventually(twice, "the missing were sent to")
        await handle.terminate("an operator ends it")
        assert (await case.deliver(row)).status is SENT
    assert sorted(case.novu.people) == ["ada", "bob", "eve"]
