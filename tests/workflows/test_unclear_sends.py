"""Sends whose outcome is not known: looked up before any repetition, and nobody gets anything twice."""

from datetime import timedelta

import pytest
from fakes.novu import Fault, lost_answer
from support.temporal import Case

from xnovu.core import ids
from xnovu.core.contracts.common import DeliveryConfig, RetryConfig
from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.errors import DatabaseUnavailable, NovuFailed, NovuThrottled

pytestmark = pytest.mark.stack

SENT, FAILED = NotificationStatus.SENT, NotificationStatus.FAILED


async def test_a_lost_answer_is_looked_up_and_not_sent_again(case: Case) -> None:
    case.novu.script = [lost_answer(accepted=True)]
    row = case.database.add(1, recipients=("ada", "bob"))
    async with case.worker():
        result = await case.deliver(row)
    assert (result.status, row.status) == (SENT, SENT)
    assert case.novu.people == ["ada", "bob"]
    assert len(case.novu.requests) == 1
    assert case.novu.lookups


async def test_what_the_feed_does_not_show_is_sent_again_under_the_same_id(case: Case) -> None:
    case.novu.script = [lost_answer(accepted=False)]
    row = case.database.add(1)
    async with case.worker():
        assert (await case.deliver(row)).status is SENT
    first, second = case.novu.requests
    assert first.transaction_id == second.transaction_id
    assert first.idempotency_key == second.idempotency_key
    assert case.novu.people == ["ada"]


async def test_only_those_that_the_feed_misses_get_it_again(case: Case) -> None:
    case.novu.script = [lost_answer(accepted=True, only=("ada",))]
    row = case.database.add(1, recipients=("ada", "bob", "eve"))
    async with case.worker():
        assert (await case.deliver(row)).status is SENT
    assert sorted(case.novu.people) == ["ada", "bob", "eve"]
    assert case.novu.requests[1].recipients == ("bob", "eve")


async def test_used_up_attempts_end_failed_as_unclear(case: Case) -> None:
    case.novu.script += [lost_answer(accepted=False)] * 20
    row = case.database.add(1)
    async with case.worker():
        result = await case.deliver(row)
    assert (result.status, result.reason) == (FAILED, "OutcomeUnclear")
    assert len(case.novu.requests) == 3
    assert row.error_details is not None
    assert row.error_details["reason"] == "OutcomeUnclear"


async def test_the_last_try_only_looks(case: Case) -> None:
    case.novu.script += [lost_answer(accepted=False)] * 2 + [lost_answer(accepted=True)]
    row = case.database.add(1)
    async with case.worker():
        assert (await case.deliver(row)).status is SENT
    assert (len(case.novu.requests), case.novu.people) == (3, ["ada"])


async def test_a_server_error_is_looked_up_too(case: Case) -> None:
    case.novu.script = [Fault(NovuFailed("Novu answered 500"), accepted=True)]
    row = case.database.add(1)
    async with case.worker():
        assert (await case.deliver(row)).status is SENT
    assert (len(case.novu.requests), case.novu.people) == (1, ["ada"])


async def test_after_a_server_error_another_key_is_used(case: Case) -> None:
    case.novu.script += [Fault(NovuFailed("Novu answered 500"))] * 2
    row = case.database.add(1)
    async with case.worker():
        assert (await case.deliver(row)).status is SENT
    assert len({r.idempotency_key for r in case.novu.requests}) == 3
    assert len({r.transaction_id for r in case.novu.requests}) == 1


async def test_a_partial_server_error_repeated_reaches_everybody_once(case: Case) -> None:
    away = NovuFailed("Novu answered 500")
    case.novu.script = [
        Fault(away, accepted=True, only=("ada",)),
        Fault(away, accepted=True, only=("bob",)),
        Fault(away),
    ]
    row = case.database.add(1, recipients=("ada", "bob"))
    async with case.worker():
        assert (await case.deliver(row)).status is SENT
    assert sorted(case.novu.people) == ["ada", "bob"]


async def test_throttling_waits_as_long_as_asked_and_is_not_counted(case: Case) -> None:
    pause = timedelta(milliseconds=300)
    case.novu.script += [Fault(NovuThrottled("429", retry_after=pause))] * 6
    row = case.database.add(1)
    async with case.worker():
        handle = await case.start(row)
        assert (await handle.result()).status is SENT
        found = await handle.describe()
    assert case.novu.people == ["ada"]
    assert len({r.idempotency_key for r in case.novu.requests}) == 7
    assert found.close_time is not None
    assert found.close_time - found.start_time >= 6 * pause


async def test_some_chunks_accepted_some_unclear(case: Case) -> None:
    people = tuple(f"u{i:03}" for i in range(250))
    case.novu.script = [None, lost_answer(accepted=True), None]
    row = case.database.add(1, recipients=people)
    async with case.worker():
        assert (await case.deliver(row)).status is SENT
    assert sorted(case.novu.people) == sorted(people)
    assert len(case.novu.requests) == 3


async def test_many_chunks_go_step_by_step(case: Case) -> None:
    people = tuple(f"u{i:03}" for i in range(601))
    row = case.database.add(1, recipients=people)
    async with case.worker():
        assert (await case.deliver(row)).status is SENT
    assert sorted(case.novu.people) == sorted(people)
    assert case.novu.lookups == []


async def test_a_row_of_a_dead_worker_is_looked_up_before_it_is_sent(case: Case) -> None:
    row = case.database.add(1)
    async with case.worker():
        await case.deliver(row)
        # What a worker leaves that died between Novu's answer and the final status.
        row.move(NotificationStatus.PROCESSING)
        assert (await case.deliver(row)).status is SENT
    assert (row.status, case.novu.people, len(case.novu.requests)) == (SENT, ["ada"], 1)


async def test_a_row_of_a_dead_worker_that_was_never_sent_has_its_only_attempt_still(
    case: Case,
) -> None:
    case.delivery = DeliveryConfig(retry=RetryConfig(maximum_attempts=1))
    row = case.database.add(1)
    row.move(NotificationStatus.PROCESSING)
    row.owner = ids.claim_owner(case.client.namespace, case.enterprise.id, row.notification.id)
    async with case.worker():
        assert (await case.deliver(row)).status is SENT
    assert (len(case.novu.requests), case.novu.people) == (1, ["ada"])
    assert case.novu.lookups


async def test_it_is_looked_up_even_when_the_first_claim_gets_no_answer(case: Case) -> None:
    row = case.database.add(1)
    async with case.worker():
        await case.deliver(row)
        row.move(NotificationStatus.PROCESSING)
        case.novu.feed = {t: ["ada"] for t in case.novu.feed}
        case.database.faults["claim"] += [DatabaseUnavailable("away")]
        assert (await case.deliver(row)).status is SENT
    assert len(case.novu.requests) == 1


async def test_a_defect_after_the_send_does_not_repeat_it(
    case: Case,
) -> None:
    case.novu.script = [Fault(RuntimeError("a defect"), accepted=True)]  # type: ignore[arg-type]  # no error of ours
    row = case.database.add(1)
    async with case.worker():
        assert (await case.deliver(row)).status is SENT
    assert (len(case.novu.requests), case.novu.people) == (1, ["ada"])


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_final_status_that_the_database_did_not_take_is_written_later(
    case: Case, when: str
) -> None:
    away = [DatabaseUnavailable("away")] * 2
    (case.database.faults if when == "before" else case.database.after)["finish"] += away
    row = case.database.add(1)
    async with case.worker():
        await case.deliver(row)
    assert (row.status, len(case.novu.requests)) == (SENT, 1)
