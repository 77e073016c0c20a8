"""The steps of a delivery without Temporal: what one call holds, and when a send is looked up first."""

from datetime import UTC, datetime, timedelta

import pytest
from fakes.database import FakeDatabase, a_workflow
from fakes.novu import FakeNovu

from xnovu.core import ids
from xnovu.core.contracts.common import DeliveryConfig, EnterpriseRef
from xnovu.core.contracts.notifications import (
    ClaimOutcome,
    NotificationRef,
    NotificationStatus,
    ProcessingInput,
    TriggerInput,
)
from xnovu.core.errors import Expired, NotificationNotFound, WorkflowNotFound
from xnovu.core.records import Claimed
from xnovu_activities import deliver

ENTERPRISE = EnterpriseRef(id="3f0b8a52-9c0e-4a7d-8d55-0d6a1c3f2b10")
REF = NotificationRef(enterprise=ENTERPRISE, notification_id=1)
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Pauses:
    """Records how long was waited, and lets the feed show something afterwards."""

    def __init__(self, novu: FakeNovu | None = None, shows: dict[str, list[str]] | None = None):
        self.seconds: list[float] = []
        self._novu, self._shows = novu, shows or {}

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if self._novu is not None:
            self._novu.feed.update(self._shows)


async def prepared(*recipients: str, topics: tuple[str, ...] = ()) -> deliver.Prepared:
    database = FakeDatabase(ENTERPRISE.id)
    row = database.add(1, recipients=recipients, topics=topics, generation=2)
    return await deliver.prepare(database, row.notification, a_workflow())


def tid(round_: int | None = None) -> str:
    return ids.transaction_id(ENTERPRISE.id, 1, 2, 0, round_)


async def send(
    novu: FakeNovu, what: deliver.Prepared, pauses: Pauses, **changes: object
) -> tuple[str, bool, bool]:
    call = TriggerInput(ref=REF, generation=2, chunk=0).model_copy(update=changes)
    done = await deliver.send(novu, what, call, verify_delay=10, pause=pauses)
    return done.transaction_id, done.verified, done.withdrawn


async def test_a_first_send_asks_nothing() -> None:
    novu, pauses = FakeNovu(), Pauses()
    assert await send(novu, await prepared("ada"), pauses) == (tid(), False, False)
    assert (novu.lookups, pauses.seconds) == ([], [])


async def test_the_feed_may_be_late_and_is_asked_twice() -> None:
    novu = FakeNovu()
    pauses = Pauses(novu, {tid(): ["ada"]})
    done = await send(novu, await prepared("ada"), pauses, verify=True, attempt=1)
    assert done == (tid(), True, False)
    assert (pauses.seconds, novu.requests) == ([10], [])


async def test_what_an_earlier_round_reached_counts() -> None:
    novu = FakeNovu(feed={tid(): ["ada"], tid(1): ["bob"]})
    done = await send(novu, await prepared("ada", "bob"), Pauses(), verify=True, attempt=2)
    assert done == (tid(), True, False)


async def test_the_missing_get_a_call_of_their_own_with_its_refusals() -> None:
    novu = FakeNovu(feed={tid(): ["ada"]})
    what = await prepared("ada", "bob")
    await send(novu, what, Pauses(), verify=True, attempt=2, definite_errors=3)
    (request,) = novu.requests
    assert (request.recipients, request.transaction_id) == (("bob",), tid(2))
    assert request.idempotency_key == ids.idempotency_key(tid(2), 3)


async def test_a_topic_that_reached_anybody_was_accepted() -> None:
    novu = FakeNovu(feed={tid(): ["who-knows"]})
    what = await prepared("ada", topics=("everybody",))
    assert await send(novu, what, Pauses(), verify=True, attempt=1) == (tid(), True, False)


async def test_only_looking_sends_nothing() -> None:
    novu = FakeNovu()
    done = await send(novu, await prepared("ada"), Pauses(), verify=True, attempt=3, send=False)
    assert done == (tid(), False, True)
    assert novu.requests == []


async def test_the_same_row_prepares_the_same_twice() -> None:
    assert await prepared("bob", "ada", "bob") == await prepared("bob", "ada", "bob")


def claimed(**changes: object) -> Claimed:
    row = FakeDatabase(ENTERPRISE.id).add(1, **changes)
    return Claimed(1, ClaimOutcome.CLAIMED, row.notification, a_workflow())


@pytest.mark.parametrize(("late", "expired"), [(59, False), (61, True)])
def test_a_notification_expires_when_it_is_late_by_more_than_allowed(
    late: int, expired: bool
) -> None:
    delivery = DeliveryConfig(expire_after=timedelta(minutes=1))
    request = ProcessingInput(ref=REF, delivery=delivery)
    row = claimed(due_at=NOW - timedelta(seconds=late))
    if expired:
        with pytest.raises(Expired, match="expireAfter"):
            deliver.check(row, request, NOW)
    else:
        deliver.check(row, request, NOW)


def test_what_is_not_there_has_its_own_reason() -> None:
    with pytest.raises(NotificationNotFound):
        deliver.known(Claimed(1, ClaimOutcome.MISSING, None, None))
    row = claimed().notification
    with pytest.raises(WorkflowNotFound):
        deliver.known(Claimed(1, ClaimOutcome.CLAIMED, row, None))


async def test_undoing_covers_every_chunk() -> None:
    database, novu = FakeDatabase(ENTERPRISE.id), FakeNovu()
    people = tuple(f"u{i}" for i in range(150))
    row = database.add(1, recipients=people, status=NotificationStatus.RETRACTED)
    await deliver.compensate(database, novu, row.notification)
    assert len(novu.cancelled) == len(novu.deleted) == 2
    assert row.settled is not None


async def test_undoing_covers_the_generations_before_a_replay() -> None:
    """One that had reached some, ended FAILED and was replayed has left something at Novu."""
    database, novu = FakeDatabase(ENTERPRISE.id), FakeNovu()
    row = database.add(1, generation=2, status=NotificationStatus.RETRACTED)
    await deliver.compensate(database, novu, row.notification)
    assert [t.split("-g")[1] for t in novu.cancelled] == ["0-c0", "1-c0", "2-c0"]
