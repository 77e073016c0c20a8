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
    ProcessingInput,
    TriggerInput,
)
from xnovu.core.errors import (
    Expired,
    NotificationNotFound,
    NovuNoTurn,
    NovuThrottled,
    NovuUnavailable,
    WorkflowNotFound,
)
from xnovu.core.records import Claimed, Unclear
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


async def prepared(*recipients: str, **changes: object) -> deliver.Prepared:
    database = FakeDatabase(ENTERPRISE.id)
    row = database.add(1, recipients=recipients, generation=2, **changes)
    return await deliver.prepare(database, row.notification, a_workflow())


def tid(round_: int | None = None) -> str:
    return ids.transaction_id(ENTERPRISE.id, 1, 2, 0, round_)


async def send(
    novu: FakeNovu, what: deliver.Prepared, pauses: Pauses, **changes: object
) -> tuple[str, bool, bool]:
    call = TriggerInput(ref=REF, generation=2, chunk=0).model_copy(update=changes)
    database = FakeDatabase(ENTERPRISE.id)
    database.add(1)
    sending = deliver.Sending(database, novu, verify_delay=10, now=NOW, pause=pauses)
    done = await deliver.send(sending, what, call)
    return done.transaction_id, done.verified, done.withdrawn


async def test_a_first_send_asks_nothing() -> None:
    novu, pauses = FakeNovu(), Pauses()
    assert await send(novu, await prepared("ada"), pauses) == (tid(), False, False)
    assert (novu.lookups, pauses.seconds) == ([], [])


async def test_the_feed_may_be_late_and_is_asked_twice() -> None:
    novu = FakeNovu()
    pauses = Pauses(novu, {tid(): ["ada"]})
    done = await send(novu, await prepared("ada"), pauses, verify=True)
    assert done == (tid(), True, False)
    assert (pauses.seconds, novu.requests) == ([10], [])


async def test_what_an_earlier_round_reached_counts() -> None:
    novu = FakeNovu(feed={tid(): ["ada"], tid(1): ["bob"]})
    what = await prepared("ada", "bob", rounds=1)
    assert await send(novu, what, Pauses(), verify=True) == (tid(), True, False)


async def test_the_missing_get_a_call_of_their_own_with_its_refusals() -> None:
    novu = FakeNovu(feed={tid(): ["ada"], tid(1): ["eve"]})
    what = await prepared("ada", "bob", "eve", rounds=1)
    await send(novu, what, Pauses(), verify=True, definite_errors=3)
    (request,) = novu.requests
    assert (request.recipients, request.transaction_id) == (("bob",), tid(2))
    assert request.idempotency_key == ids.idempotency_key(tid(2), 3)


async def test_a_round_that_reached_nobody_is_used_again() -> None:
    """So a Novu that throttles for hours does not cost a new id, and a look, a try."""
    novu = FakeNovu(feed={tid(): ["ada"]})
    await send(novu, await prepared("ada", "bob", rounds=1), Pauses(), verify=True)
    assert [r.transaction_id for r in novu.requests] == [tid(1)]


async def test_a_round_is_noted_before_it_is_sent() -> None:
    database, novu = FakeDatabase(ENTERPRISE.id), FakeNovu(feed={tid(): ["ada"]})
    row = database.add(1)
    seen: list[int] = []
    novu.before_trigger = lambda _: seen.append(row.notification.rounds)
    sending = deliver.Sending(database, novu, verify_delay=0, now=NOW, pause=Pauses())
    call = TriggerInput(ref=REF, generation=2, chunk=0, verify=True)
    await deliver.send(sending, await prepared("ada", "bob"), call)
    assert seen == [1]


async def test_what_is_too_late_is_looked_up_and_not_sent() -> None:
    late = {"expire_after": timedelta(minutes=1), "verify": True}
    novu = FakeNovu(feed={tid(): ["ada"]})
    assert await send(novu, await prepared("ada"), Pauses(), **late) == (tid(), True, False)
    with pytest.raises(Expired):
        await send(novu, await prepared("bob"), Pauses(), **late)
    assert novu.requests == []


async def test_whom_an_earlier_generation_may_have_reached_is_looked_up() -> None:
    earlier = ids.transaction_id(ENTERPRISE.id, 1, 1, 3)
    doubts = (Unclear((earlier,), topics=("all",)),)
    what = await prepared("ada", "bob", topics=("all", "some"), unclear=doubts)
    novu = FakeNovu(feed={earlier: ["ada"]})
    await send(novu, what, Pauses(), verify=True)
    (request,) = novu.requests
    assert (request.recipients, request.topics) == (("bob",), ("some",))
    assert request.transaction_id == tid()


async def test_a_topic_that_reached_anybody_was_accepted() -> None:
    novu = FakeNovu(feed={tid(): ["who-knows"]})
    what = await prepared("ada", topics=("everybody",))
    assert await send(novu, what, Pauses(), verify=True) == (tid(), True, False)


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("kind", [NovuThrottled, NovuNoTurn])
async def test_a_throttled_look_is_no_refusal_of_the_send(
    kind: type[NovuThrottled], before: int
) -> None:
    soon = timedelta(seconds=7)
    novu = FakeNovu(read_faults=[None] * before + [kind("429", retry_after=soon)])
    with pytest.raises(NovuUnavailable, match="feed") as caught:
        await send(novu, await prepared("ada"), Pauses(), verify=True)
    assert (caught.value.retry_after, novu.requests) == (soon, [])


async def test_only_looking_sends_nothing() -> None:
    novu = FakeNovu()
    done = await send(novu, await prepared("ada"), Pauses(), verify=True, send=False)
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
